//! Refuses commands of leaders that were replaced. Per tenant the highest right seen counts; the log index in the
//! fence is not compared, for commands of one leader may be carried out in any order.

use std::collections::HashMap;

use mangrove_proto::common::Fence;
use parking_lot::Mutex;

/// (cluster incarnation, tenant epoch, term): compared in this order.
type Right = (u64, u64, u64);

/// The highest rights that an edge has seen, by tenant.
#[derive(Debug, Default)]
pub struct Fences {
    highest: Mutex<HashMap<String, Right>>,
}

impl Fences {
    /// Whether a command with this fence may still be carried out. A higher one makes all lower ones late.
    pub fn admits(&self, tenant: &str, fence: Option<&Fence>) -> bool {
        let Some(fence) = fence else { return false };
        let right = (fence.incarnation, fence.tenant_epoch, fence.term);
        let mut highest = self.highest.lock();
        match highest.get_mut(tenant) {
            Some(seen) if right < *seen => false,
            Some(seen) => {
                *seen = right;
                true
            }
            None => {
                highest.insert(tenant.to_owned(), right);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_right_of_a_tenant_makes_lower_ones_late() {
        let fences = Fences::default();
        let admits = |tenant: &str, incarnation, tenant_epoch, term, index| {
            fences.admits(tenant, Some(&Fence { incarnation, tenant_epoch, term, index }))
        };
        assert!(admits("acme", 1, 1, 5, 100));
        assert!(admits("acme", 1, 1, 5, 99), "the index is not compared");
        assert!(!admits("acme", 1, 1, 4, 101), "an older leader");
        assert!(admits("other", 1, 1, 4, 101), "another tenant");
        assert!(admits("acme", 1, 2, 1, 1), "moved to another group");
        assert!(!admits("acme", 1, 1, 6, 200), "the group it left");
        assert!(admits("acme", 2, 1, 1, 1), "restored from a backup");
        assert!(!fences.admits("acme", None), "no right at all");
    }
}
