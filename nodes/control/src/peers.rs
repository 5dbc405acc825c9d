//! The edges and media nodes that effects can be handed to, by node name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use mangrove_domain::{Action, NodeInfo};
use mangrove_proto::{
    edge::EdgeCommands,
    media::{Holding, HoldingsRequest, MediaCommands},
    service::{Edge, Error, Media},
};
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::{metrics, missed::Missed};

/// A node may take this long to answer; what it did not take stays owed.
const DEADLINE: Duration = Duration::from_secs(2);

/// Cheap to clone; nodes come and go while calls run.
#[derive(Debug, Clone, Default)]
pub struct Peers {
    nodes: Arc<RwLock<BTreeMap<String, Peer>>>,
    alive: Arc<RwLock<Option<BTreeSet<String>>>>,
    guidance: Arc<RwLock<Guidance>>,
    pub(crate) missed: Missed,
}

/// What the directory wants of all groups, or lets them do since all nodes know how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guidance {
    /// Media nodes that are to be left by their calls; none: some node does not know the rules for that.
    pub left: Option<BTreeSet<String>>,
    /// The newest version of the rules that all nodes know: see [`mangrove_domain::rules`].
    pub rules: u32,
}

#[derive(Debug)]
struct Peer {
    info: NodeInfo,
    edge: Option<Arc<dyn Edge>>,
    media: Option<Arc<dyn Media>>,
    /// Closes when the node is lost or reached elsewhere: who waits for its answer waits in vain.
    here: watch::Sender<()>,
}

/// One role of a node, and how to learn that it is not there any more.
type Found<T> = (T, watch::Receiver<()>);

impl Peers {
    /// Makes a node's roles known; replaces what was known of it.
    pub fn set(&self, info: NodeInfo, edge: Option<Arc<dyn Edge>>, media: Option<Arc<dyn Media>>) {
        let here = watch::channel(()).0;
        self.nodes.write().insert(info.name.clone(), Peer { info, edge, media, here });
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

    /// Says what the groups led here are to do.
    pub(crate) fn guide(&self, guidance: Guidance) {
        *self.guidance.write() = guidance;
    }

    /// Media nodes that are to be left by their calls.
    pub(crate) fn left(&self) -> BTreeSet<String> {
        self.guidance.read().left.clone().unwrap_or_default()
    }

    /// Whether all nodes know the rules by which far ends are told of other addresses.
    pub(crate) fn tell(&self) -> bool {
        self.guidance.read().left.is_some()
    }

    /// The newest version of the rules that all nodes know.
    pub(crate) fn rules(&self) -> u32 {
        self.guidance.read().rules
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
                let (edge, here) = self.find(&node, "edge", |peer| peer.edge.clone())?;
                let commands = EdgeCommands { group: group.into(), commands: vec![command] };
                let done = in_time(&node, here, edge.execute(commands)).await?;
                metrics::refused("edge", done.refused.len());
            }
            Action::Media { node, command } => {
                let (media, here) = self.find(&node, "media node", |peer| peer.media.clone())?;
                let commands = MediaCommands { group: group.into(), commands: vec![command] };
                let done = in_time(&node, here, media.execute(commands)).await?;
                metrics::refused("media", done.refused.len());
            }
        }
        Ok(())
    }

    /// Those that carry sound.
    pub(crate) fn media_nodes(&self) -> Vec<String> {
        let nodes = self.nodes.read();
        nodes.iter().filter(|(_, peer)| peer.media.is_some()).map(|(name, _)| name.clone()).collect()
    }

    /// Every media node's sessions of a group, as far as they say.
    pub(crate) async fn holdings(&self, group: u32) -> Vec<(String, Holding)> {
        let asked = self.media_nodes().into_iter().map(async |name| match self.held(&name, group).await {
            Ok(held) => held.into_iter().map(|holding| (name.clone(), holding)).collect(),
            Err(error) => {
                tracing::warn!(node = name, %error, "media node does not say what it holds");
                Vec::new()
            }
        });
        futures::future::join_all(asked).await.concat()
    }

    /// One media node's sessions of a group.
    pub(crate) async fn held(&self, node: &str, group: u32) -> Result<Vec<Holding>, Error> {
        let (media, here) = self.find(node, "media node", |peer| peer.media.clone())?;
        let held = in_time(node, here, media.hold(HoldingsRequest { group: group.into() })).await?;
        Ok(held.sessions)
    }

    /// Whether this node carries sound and is not lost.
    pub(crate) fn is_media_node(&self, name: &str) -> bool {
        self.nodes.read().get(name).is_some_and(|peer| peer.media.is_some())
    }

    fn find<T>(&self, node: &str, what: &str, pick: impl Fn(&Peer) -> Option<T>) -> Result<Found<T>, Error> {
        let nodes = self.nodes.read();
        let found = nodes.get(node).and_then(|peer| Some((pick(peer)?, peer.here.subscribe())));
        found.ok_or_else(|| Error::Unavailable {
            what: format!("{what} {node}"),
            why: "it is not a member now".into(),
        })
    }
}

/// The answer, or the failure of a node that gives none, or is `here` no more.
async fn in_time<T>(
    node: &str,
    mut here: watch::Receiver<()>,
    answer: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let failed = |why: &str| Error::Unavailable { what: format!("node {node}"), why: why.into() };
    tokio::select! {
        answer = tokio::time::timeout(DEADLINE, answer) => answer.unwrap_or_else(|_| Err(failed("no answer in time"))),
        _ = here.changed() => Err(failed("another carries its addresses now")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_proto::media::{Holdings, MediaCommand, MediaExecuted};
    use tokio::time::Instant;

    use super::*;
    use crate::tests::fakes::FakeMedia;

    /// As a node that is cut off: it never answers.
    #[derive(Debug)]
    struct CutOff;

    #[async_trait::async_trait]
    impl Media for CutOff {
        async fn execute(&self, _: MediaCommands) -> Result<MediaExecuted, Error> {
            std::future::pending().await
        }

        async fn hold(&self, _: HoldingsRequest) -> Result<Holdings, Error> {
            std::future::pending().await
        }
    }

    fn begin(peers: &Peers, media: Arc<dyn Media>) {
        let info = NodeInfo { name: "n".into(), contacts: Vec::new(), media: true };
        peers.set(info, None, Some(media));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_node_that_is_cut_off_learns_of_its_heir_at_once() {
        let peers = Peers::default();
        begin(&peers, Arc::new(CutOff));
        let began = Instant::now();
        let action = Action::Media { node: "n".into(), command: MediaCommand::default() };
        let heir = async { begin(&peers, Arc::<FakeMedia>::default()) };
        let (done, ()) = tokio::join!(peers.execute(1, action.clone()), heir);
        assert!(done.unwrap_err().is_retryable());
        assert_eq!(began.elapsed(), Duration::ZERO);

        begin(&peers, Arc::new(CutOff));
        let gone = async { peers.set_alive(BTreeSet::new()) };
        let (held, ()) = tokio::join!(peers.holdings(1), gone);
        assert_eq!((held.len(), began.elapsed()), (0, Duration::ZERO));

        begin(&peers, Arc::new(CutOff));
        assert!(peers.execute(1, action).await.is_err());
        assert_eq!(began.elapsed(), DEADLINE, "nobody says what became of it");
    }
}
