//! The plan that fits the members there are. Pure.

use mangrove_placement::{Plan, Problem, Standing, solve};
use mangrove_raft::NodeId;

use crate::directory::{Directory, Member};

/// Where groups should be. `given_up`: members silent for so long that others take over.
pub(super) fn wanted(directory: &Directory, replicas: usize, given_up: impl Fn(NodeId) -> bool) -> Plan {
    let node = |member: &Member| {
        let standing = standing(member, given_up(member.id));
        (member.id, mangrove_placement::Node { zone: member.zone.clone(), standing })
    };
    let problem = Problem {
        groups: directory.opened.iter().copied().collect(),
        nodes: directory.members.values().filter(|member| member.is_control()).map(node).collect(),
        replicas,
    };
    // Groups that have not begun stay where they are to begin.
    let mut plan = directory.plan.clone();
    plan.groups.extend(solve(&problem, &directory.plan).groups);
    plan
}

fn standing(member: &Member, given_up: bool) -> Standing {
    match (member.alive, member.draining, given_up) {
        _ if member.replaced => Standing::Lost,
        (true, false, _) if member.stopping => Standing::Away,
        (true, false, _) => Standing::Staying,
        (true, true, _) => Standing::Draining,
        (false, false, false) => Standing::Away,
        (false, ..) => Standing::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_expected_of_a_member() {
        let table = [
            ((true, false, false, false), Standing::Staying),
            ((true, true, false, false), Standing::Draining),
            ((false, false, false, false), Standing::Away),
            ((false, false, false, true), Standing::Lost),
            ((false, true, false, false), Standing::Lost),
            ((false, false, true, false), Standing::Lost),
            ((true, false, true, false), Standing::Lost),
            ((true, false, false, true), Standing::Staying),
        ];
        for ((alive, draining, replaced, given_up), expected) in table {
            let member = Member { alive, draining, replaced, ..Member::default() };
            assert_eq!(standing(&member, given_up), expected, "{member:?} given up: {given_up}");
        }
        let stopping = |alive| Member { alive, stopping: true, ..Member::default() };
        assert_eq!(standing(&stopping(true), false), Standing::Away, "its replicas wait for it");
        assert_eq!(standing(&stopping(false), true), Standing::Lost, "not for ever");
    }
}
