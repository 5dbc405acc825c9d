//! From the edition of a group that an edge has to the one that stands, in parts of bounded size. Pure.

use imbl::ordmap::DiffItem;
use mangrove_proto::routes::{Step, TenantRoutes};
use prost::Message;

use super::{convert, table::Edition};

/// Bytes after which a part is full; a tenant is never cut.
const PART: usize = 256 << 10;

/// What the edge has of a group.
#[derive(Debug, Clone, Default)]
pub(super) enum Base {
    #[default]
    Nothing,
    /// An edition of this index that some node told it.
    Index(u64),
    /// What this stream told it.
    Edition(Edition),
}

impl Base {
    /// The step to `now`, if one is needed, and what the edge has then.
    pub(super) fn step(self, group: u32, now: &Edition) -> (Vec<Step>, Self) {
        match self {
            // What is newer there is left alone until we have caught up.
            Self::Index(index) if index > now.index => (Vec::new(), Self::Index(index)),
            Self::Index(index) if index == now.index => (Vec::new(), Self::Edition(now.clone())),
            Self::Nothing | Self::Index(_) => {
                let tenants = now.tenants.values().map(|entry| convert::tenant(entry.routes()));
                (parts(group, (None, now.index), tenants, Vec::new()), Self::Edition(now.clone()))
            }
            Self::Edition(before) => change(group, before, now),
        }
    }
}

fn change(group: u32, before: Edition, now: &Edition) -> (Vec<Step>, Base) {
    let (mut tenants, mut removed) = (Vec::new(), Vec::new());
    for item in before.tenants.diff(&now.tenants) {
        match item {
            DiffItem::Add(_, entry) | DiffItem::Update { new: (_, entry), .. } => {
                tenants.push(convert::tenant(entry.routes()));
            }
            DiffItem::Remove(id, _) => removed.push(id.to_string()),
        }
    }
    if tenants.is_empty() && removed.is_empty() {
        return (Vec::new(), Base::Edition(before));
    }
    let steps = parts(group, (Some(before.index), now.index), tenants.into_iter(), removed);
    (steps, Base::Edition(now.clone()))
}

/// At least one part; all but the last say that there is more.
fn parts(
    group: u32,
    (from, to): (Option<u64>, u64),
    tenants: impl Iterator<Item = TenantRoutes>,
    removed: Vec<String>,
) -> Vec<Step> {
    let part = || Step { group, from, to, more: true, ..Step::default() };
    let mut parts = Vec::new();
    let (mut open, mut size) = (Step { removed, ..part() }, 0);
    for tenant in tenants {
        size += tenant.encoded_len();
        open.tenants.push(tenant);
        if size >= PART {
            parts.push(std::mem::replace(&mut open, part()));
            size = 0;
        }
    }
    parts.push(Step { more: false, ..open });
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_cut_between_tenants_and_its_last_part_says_so() {
        let big = |id: u32| TenantRoutes {
            tenant: id.to_string(),
            numbers: vec!["7".repeat(1000); 100],
            ..TenantRoutes::default()
        };
        let cut = parts(3, (Some(1), 9), (0..10).map(big), vec!["gone".into()]);
        assert!(cut.len() > 2, "{} parts", cut.len());
        assert!(cut.iter().all(|part| part.encoded_len() < 2 * PART));
        assert!(cut.iter().all(|part| (part.group, part.from, part.to) == (3, Some(1), 9)));
        let more: Vec<_> = cut.iter().map(|part| part.more).collect();
        assert!(!more[cut.len() - 1] && more[..cut.len() - 1].iter().all(|more| *more));
        let removed: usize = cut.iter().map(|part| part.removed.len()).sum();
        assert_eq!(removed, 1);
        let ids: Vec<_> = cut.iter().flat_map(|part| &part.tenants).map(|t| t.tenant.clone()).collect();
        assert_eq!(ids, (0..10).map(|id| id.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn even_an_empty_edition_is_told_once() {
        let now = |index| Edition { index, ..Edition::default() };
        let (steps, base) = Base::Nothing.step(1, &now(5));
        assert_eq!(steps, [Step { group: 1, to: 5, ..Step::default() }]);
        assert!(base.step(1, &now(6)).0.is_empty(), "nothing changed");
    }

    #[test]
    fn what_the_edge_has_of_others_decides_where_it_begins() {
        let now = Edition { index: 5, ..Edition::default() };
        for (held, told) in [(4, true), (5, false), (6, false)] {
            let (steps, _) = Base::Index(held).step(1, &now);
            assert_eq!(steps.iter().any(|step| step.from.is_none()), told, "held {held}");
        }
        let (_, waiting) = Base::Index(6).step(1, &now);
        let (steps, _) = waiting.step(1, &Edition { index: 7, ..Edition::default() });
        assert_eq!(steps, [Step { group: 1, to: 7, ..Step::default() }], "whole: ours was another's");
    }
}
