//! Members that nobody misses are forgotten: consoles that are gone. Where they run as pods of a Deployment each has a name
//! that never comes back, and the list of members would grow with every rollout.

use std::time::Duration;

use mangrove_raft::NodeId;

use super::Cluster;
use super::clocks::wall_ms;
use crate::directory::{Command, Directory, Member};
use crate::error::Error;

impl Cluster {
    /// `silent`: for how long this leader of group 0 has known a member not to answer. It makes sure that a clock that
    /// jumped, or a cluster that stood still for a day, costs nobody the membership who is about to come back.
    pub(super) async fn forget_the_gone(
        &self,
        directory: &Directory,
        silent: impl Fn(NodeId) -> Option<Duration>,
    ) -> Result<(), Error> {
        let (grace, forget) = (self.node.options.grace, self.node.options.forget);
        let is_silent = |member: &Member| silent(member.id).is_some_and(|silent| silent >= grace);
        let now_ms = wall_ms();
        for member in directory.members.values().filter(|member| is_gone(member, now_ms, forget)) {
            if is_silent(member) {
                self.propose_directory(Command::LeaveMember { id: member.id }).await?;
                tracing::info!(
                    node = member.id,
                    name = member.name,
                    "a member without work is gone and forgotten"
                );
            }
        }
        Ok(())
    }
}

/// Whether it has no work and has given no sign of life for so long.
fn is_gone(member: &Member, now_ms: u64, forget: Duration) -> bool {
    let away_ms = u128::from(now_ms.saturating_sub(member.heartbeat_ms));
    !member.alive && !member.has_work() && away_ms >= forget.as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    #[test]
    fn only_who_has_no_work_and_is_long_gone_is_forgotten() {
        let now_ms = 100 * DAY.as_millis() as u64;
        for (roles, alive, away_ms, expected) in [
            (&["console"][..], false, DAY.as_millis() as u64, true),
            (&["console"], false, DAY.as_millis() as u64 - 1, false),
            (&["console"], true, DAY.as_millis() as u64, false),
            (&["console", "control"], false, DAY.as_millis() as u64, false),
            (&["edge"], false, DAY.as_millis() as u64, false),
            (&["media", "console"], false, DAY.as_millis() as u64, false),
        ] {
            let roles = roles.iter().map(|role| (*role).to_owned()).collect();
            let member = Member { roles, alive, heartbeat_ms: now_ms - away_ms, ..Member::default() };
            assert_eq!(is_gone(&member, now_ms, DAY), expected, "{member:?}");
        }
    }
}
