//! The edges and media nodes that effects can be handed to, by node name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use mangrove_domain::{Action, NodeInfo};
use mangrove_proto::{
    edge::EdgeCommands,
    media::{HoldingsRequest, MediaCommands},
    service::{Edge, Error, Media},
};
use parking_lot::RwLock;

use crate::metrics;

/// A node may take this long to answer; what it did not take stays owed.
const DEADLINE: Duration = Duration::from_secs(2);

/// Cheap to clone; nodes come and go while calls run.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    nodes: Arc<RwLock<BTreeMap<String, Peer>>>,
    alive: Arc<RwLock<Option<BTreeSet<String>>>>,
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

    /// Says which nodes are alive; all others are lost.
    pub(crate) fn set_alive(&self, names: BTreeSet<String>) {
        self.nodes.write().retain(|name, _| names.contains(name));
        *self.alive.write() = Some(names);
    }

    /// Those of `names` that are lost. None before it was said who is alive.
    pub(crate) fn lost<'n>(&self, names: impl Iterator<Item = &'n String>) -> Vec<String> {
        let alive = self.alive.read();
        let Some(alive) = alive.as_ref() else { return Vec::new() };
        names.filter(|name| !alive.contains(*name)).cloned().collect()
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
                let commands = EdgeCommands { group: group.into(), commands: vec![command] };
                let done = in_time(&node, edge.execute(commands)).await?;
                metrics::refused("edge", done.refused.len());
            }
            Action::Media { node, command } => {
                let media = self.find(&node, "media node", |peer| peer.media.clone())?;
                let commands = MediaCommands { group: group.into(), commands: vec![command] };
                let done = in_time(&node, media.execute(commands)).await?;
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
        let asked = nodes.into_iter().map(async |(name, media)| {
            match in_time(&name, media.hold(HoldingsRequest { group: group.into() })).await {
                Ok(held) => held.sessions.into_iter().map(|holding| (name.clone(), holding)).collect(),
                Err(error) => {
                    tracing::warn!(node = name, %error, "media node does not say what it holds");
                    Vec::new()
                }
            }
        });
        futures::future::join_all(asked).await.concat()
    }

    fn find<T>(&self, node: &str, what: &str, pick: impl Fn(&Peer) -> Option<T>) -> Result<T, Error> {
        self.nodes.read().get(node).and_then(pick).ok_or_else(|| Error::Unavailable {
            what: format!("{what} {node}"),
            why: "it is not a member now".into(),
        })
    }
}

/// The answer, or the failure of a node that gives none.
async fn in_time<T>(node: &str, answer: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let late = || Error::Unavailable { what: format!("node {node}"), why: "no answer in time".into() };
    tokio::time::timeout(DEADLINE, answer).await.unwrap_or_else(|_| Err(late()))
}
