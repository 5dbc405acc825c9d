//! Which nodes the rules know.

use mangrove_domain::{Command, NodeInfo};

use super::ShardState;

impl ShardState {
    /// Makes the nodes that the rules know those that there are.
    pub(super) fn announce_nodes(&self) {
        if self.leading.is_none() {
            return;
        }
        let (state, there) = (self.context.shared.get().state, self.context.peers.infos());
        let known: Vec<_> = state.nodes().collect();
        let lost = self.context.peers.lost(known.iter().map(|node| &node.name));
        let lost = given_up(&known, lost, &there);
        let news = there.into_iter().filter(|node| !known.contains(&node));
        let announced = news.map(|node| Command::NodeAnnounced { node });
        // Newcomers first: what the lost ones carried may go on there.
        for command in announced.chain(lost.into_iter().map(|name| Command::NodeLost { name })) {
            self.context.proposer.cast(command);
        }
    }
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
    use mangrove_sip::Transport;

    use super::*;

    fn node(name: &str, is_edge: bool) -> NodeInfo {
        let contacts = is_edge.then(|| (Transport::Udp, format!("{name}.example:5060")));
        NodeInfo { name: name.into(), contacts: contacts.into_iter().collect(), media: !is_edge }
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
