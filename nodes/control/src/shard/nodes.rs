//! Which nodes the rules know, and by which version of the rules the group decides.

use std::collections::BTreeSet;

use mangrove_domain::{Command, NodeInfo, State, rules::NEWEST};

use super::ShardState;

impl ShardState {
    /// Makes the nodes that the rules know those that there are, and the rules those that all nodes know.
    pub(super) fn announce_nodes(&self) {
        if self.leading.is_none() {
            return;
        }
        let (state, there) = (self.context.shared.get().state, self.context.peers.infos());
        let known: Vec<_> = state.nodes().collect();
        let lost = self.context.peers.lost(known.iter().map(|node| &node.name));
        let lost = given_up(&known, lost, &there);
        let (left, tells) = (self.context.peers.left(), self.context.peers.tell());
        let news = news(&state, there, &left);
        let draining = draining(&state, &news, left);
        let rules = raised(&state, self.context.peers.rules()).map(|to| Command::RaiseRules { to });
        let announced = news.into_iter().map(|node| Command::NodeAnnounced { node });
        let draining = draining.into_iter().map(|name| Command::NodeDraining { name });
        // Newer rules decide on all that follows. Newcomers come next: what is at those that go, or was at the lost ones, may go
        // on there.
        let lost = lost.into_iter().map(|name| Command::NodeLost { name, tells });
        for command in rules.into_iter().chain(announced).chain(draining).chain(lost) {
            self.context.proposer.cast(command);
        }
    }
}

/// The version of the rules by which the group is to decide from now on, if that is a newer one: `known` to all nodes, and to
/// this build too.
fn raised(state: &State, known: u32) -> Option<u32> {
    let to = known.min(NEWEST);
    (to > state.rules()).then_some(to)
}

/// The nodes that the rules are to be told of: new ones, and those that are about to go no more.
fn news(state: &State, there: Vec<NodeInfo>, left: &BTreeSet<String>) -> Vec<NodeInfo> {
    let known: Vec<_> = state.nodes().collect();
    let stays = |name: &str| state.is_draining(name) && !left.contains(name);
    there.into_iter().filter(|node| !known.contains(&node) || stays(&node.name)).collect()
}

/// Of the nodes that are to be left those of which the rules don't know it, or have to be told again: one that is announced
/// counts as one that stays.
fn draining(state: &State, news: &[NodeInfo], left: BTreeSet<String>) -> Vec<String> {
    let is_news = |name: &String| news.iter().any(|node| node.name == *name);
    left.into_iter().filter(|name| is_news(name) || state.is_to_drain(name)).collect()
}

/// Of the lost nodes those without which it goes on. While no edge at all is there dialogs can't go on anywhere else, and
/// who carries them most likely does so still, cut off from here: its phones are to be heard through it when it is back.
fn given_up(known: &[&NodeInfo], mut lost: Vec<String>, there: &[NodeInfo]) -> Vec<String> {
    let has_edge = there.iter().any(is_edge);
    let is_kept = |name: &String| known.iter().any(|node| node.name == *name && is_edge(node));
    lost.retain(|name| has_edge || !is_kept(name));
    lost
}

fn is_edge(node: &NodeInfo) -> bool {
    !node.contacts.is_empty()
}

#[cfg(test)]
mod tests {
    use mangrove_domain::{Fence, Stamp, apply};
    use mangrove_sip::Transport;

    use super::*;

    fn node(name: &str, is_edge: bool) -> NodeInfo {
        let contacts = is_edge.then(|| (Transport::Udp, format!("{name}.example:5060")));
        NodeInfo { name: name.into(), contacts: contacts.into_iter().collect(), media: !is_edge }
    }

    fn told(state: &mut State, command: Command) {
        let fence = Fence { incarnation: 1, term: 1 };
        apply(state, command, Stamp { now: 1, wall: 1, seed: 1, index: 1, ordinal: 0, fence });
    }

    #[test]
    fn who_is_to_be_left_is_said_once_and_again_when_it_was_announced() {
        let (mut state, media) = (State::default(), node("media", false));
        let left = BTreeSet::from(["media".to_owned()]);
        let due = |state: &State, left: &BTreeSet<String>| {
            let news = super::news(state, vec![media.clone()], left);
            (news.len(), super::draining(state, &news, left.clone()).len())
        };
        assert_eq!(due(&state, &left), (1, 1));
        told(&mut state, Command::NodeAnnounced { node: media.clone() });
        assert_eq!(due(&state, &left), (0, 1));
        told(&mut state, Command::NodeDraining { name: "media".into() });
        assert_eq!(due(&state, &left), (0, 0));
        assert_eq!(due(&state, &BTreeSet::new()), (1, 0), "it stays");
        told(&mut state, Command::NodeAnnounced { node: media.clone() });
        assert_eq!(due(&state, &BTreeSet::new()), (0, 0));
    }

    #[test]
    fn rules_are_raised_once_to_what_all_nodes_know() {
        let mut state = State::default();
        assert_eq!(raised(&state, 0), None, "some node knows the first ones only");
        assert_eq!(raised(&state, NEWEST + 1), Some(NEWEST), "no further than this build knows");
        told(&mut state, Command::RaiseRules { to: NEWEST });
        assert_eq!([0, NEWEST].map(|known| raised(&state, known)), [None, None]);
    }

    #[test]
    fn edges_are_given_up_for_another_one_only() {
        let [one, two, media] = [node("one", true), node("two", true), node("media", false)];
        let given_up = |lost: &[&str], there: &[&NodeInfo]| {
            let lost = lost.iter().map(|name| (*name).to_owned()).collect();
            let there: Vec<_> = there.iter().copied().cloned().collect();
            super::given_up(&[&one, &two, &media], lost, &there)
        };
        assert_eq!(given_up(&["one"], &[&two, &media]), ["one"]);
        assert!(given_up(&["one", "two"], &[&media]).is_empty());
        assert_eq!(given_up(&["one", "two", "media"], &[]), ["media"], "sound is carried or it is not");
    }
}
