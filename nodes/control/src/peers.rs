//! The edges and media nodes that effects can be handed to, by node name.

use std::{collections::BTreeMap, sync::Arc};

use mangrove_domain::{Action, NodeInfo};
use mangrove_proto::{
    edge::EdgeCommands,
    media::{HoldingsRequest, MediaCommands},
    service::{Edge, Error, Media},
};
use parking_lot::RwLock;

use crate::metrics;

/// Cheap to clone; nodes come and go while calls run.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    nodes: Arc<RwLock<BTreeMap<String, Peer>>>,
}

#[derive(Debug, Clone)]
struct Peer {
    info: NodeInfo,
    edge: Option<Arc<dyn Edge>>,
    media: Option<Arc<dyn Media>>,
}

impl Peers {
    /// Makes a node's roles known; replaces what was known of it.
    pub fn set(&self, info: NodeInfo, edge: Option<Arc<dyn Edge>>, media: Option<Arc<dyn Media>>) {
        self.nodes.write().insert(info.name.clone(), Peer { info, edge, media });
    }

    /// What each node offers, for the rules to place legs and sessions.
    pub(crate) fn infos(&self) -> Vec<NodeInfo> {
        self.nodes.read().values().map(|peer| peer.info.clone()).collect()
    }

    /// Hands one effect over. It stays owed when this fails; one that is refused is late: a newer one or another
    /// leader's went before it.
    pub(crate) async fn execute(&self, group: u32, action: Action) -> Result<(), Error> {
        match action {
            Action::Edge { node, command } => {
                let edge = self.find(&node, "edge", |peer| peer.edge.clone())?;
                let done =
                    edge.execute(EdgeCommands { group: group.into(), commands: vec![command] }).await?;
                metrics::refused("edge", done.refused.len());
            }
            Action::Media { node, command } => {
                let media = self.find(&node, "media node", |peer| peer.media.clone())?;
                let done =
                    media.execute(MediaCommands { group: group.into(), commands: vec![command] }).await?;
                metrics::refused("media", done.refused.len());
            }
        }
        Ok(())
    }

    /// Every media node's sessions of a group.
    pub(crate) async fn holdings(&self, group: u32) -> Vec<(String, mangrove_proto::media::Holding)> {
        let nodes: Vec<_> = self
            .nodes
            .read()
            .iter()
            .filter_map(|(name, peer)| Some((name.clone(), peer.media.clone()?)))
            .collect();
        let mut all = Vec::new();
        for (name, media) in nodes {
            match media.hold(HoldingsRequest { group: group.into() }).await {
                Ok(held) => all.extend(held.sessions.into_iter().map(|holding| (name.clone(), holding))),
                Err(error) => tracing::warn!(node = name, %error, "media node does not say what it holds"),
            }
        }
        all
    }

    fn find<T>(&self, node: &str, what: &str, pick: impl Fn(&Peer) -> Option<T>) -> Result<T, Error> {
        self.nodes.read().get(node).and_then(pick).ok_or_else(|| Error::Unavailable {
            what: format!("{what} {node}"),
            why: "it is not a member now".into(),
        })
    }
}
