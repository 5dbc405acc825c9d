//! The edges and media nodes that run in this process, under the names of the members whose they are.

use std::{collections::BTreeMap, sync::Arc};

use mangrove_edge::{Edge, Transport};
use mangrove_media::Media;
use mangrove_proto::service;
use parking_lot::RwLock;
use tokio::{sync::watch, task::JoinSet};

/// What one process carries, by the name of the member whose it is. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    roles: Arc<RwLock<BTreeMap<String, Carrying>>>,
    changes: watch::Sender<u64>,
}

/// One member's edge and media node.
#[derive(Debug, Clone)]
pub(crate) struct Carrying {
    /// The lease's.
    pub(crate) epoch: u64,
    pub(crate) edge: Option<Edge>,
    pub(crate) media: Option<Media>,
}

impl Carrying {
    /// Begins whatever has not begun yet: no other process carries it any more.
    pub(super) fn goes_on(&self) {
        self.edge.iter().for_each(Edge::begin);
        if let Some(media) = &self.media {
            media.begin(Vec::new());
            media.complete();
        }
    }
}

impl Default for Carried {
    fn default() -> Self {
        Self { roles: Arc::default(), changes: watch::channel(0).0 }
    }
}

impl Carried {
    pub(crate) fn get(&self, name: &str) -> Option<Carrying> {
        self.roles.read().get(name).cloned()
    }

    /// Turns whenever something is begun or ended.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// For control nodes elsewhere.
    pub(crate) fn edges(&self) -> service::Carried<dyn service::Edge> {
        let carried = self.clone();
        Arc::new(move |name| Some(Arc::new(carried.get(name)?.edge?) as Arc<dyn service::Edge>))
    }

    /// As `edges`.
    pub(crate) fn medias(&self) -> service::Carried<dyn service::Media> {
        let carried = self.clone();
        Arc::new(move |name| Some(Arc::new(carried.get(name)?.media?) as Arc<dyn service::Media>))
    }

    /// Endpoints that are open, of all media nodes here.
    pub(crate) fn streams(&self) -> usize {
        self.roles.read().values().filter_map(|one| one.media.as_ref()).map(Media::load).sum()
    }

    /// Members whose addresses are carried here.
    pub(crate) fn count(&self) -> usize {
        self.roles.read().len()
    }

    /// What an operator should see to, of all that is carried here.
    pub(crate) fn alarms(&self) -> Vec<String> {
        self.roles.read().values().filter_map(|one| one.media.as_ref()?.alarm()).collect()
    }

    /// Returns when a media node here has lost a thread; the member's name.
    pub(crate) async fn lost_thread(&self) -> String {
        let mut changes = self.changes();
        loop {
            let mut watches = self.watches();
            tokio::select! {
                Some(Ok(Some(name))) = watches.join_next() => return name,
                // Never an error: the sender is our own.
                _ = changes.changed() => {}
            }
        }
    }

    fn watches(&self) -> JoinSet<Option<String>> {
        let mut watches = JoinSet::new();
        for (name, one) in self.roles.read().iter() {
            let Some(mut failed) = one.media.as_ref().map(Media::watch_failed) else { continue };
            let name = name.clone();
            watches.spawn(async move { failed.wait_for(|failed| *failed).await.is_ok().then_some(name) });
        }
        watches
    }

    /// Where SIP of the member with this name is really bound.
    pub(crate) fn sip(&self, name: &str) -> Vec<(Transport, std::net::SocketAddr)> {
        self.get(name).and_then(|one| one.edge).map(|edge| edge.addresses()).unwrap_or_default()
    }

    /// New calls are refused from now on; what lives goes on.
    pub(crate) fn drain(&self) {
        self.roles.read().values().filter_map(|one| one.edge.as_ref()).for_each(Edge::drain);
    }

    pub(super) fn names(&self) -> Vec<(String, u64)> {
        self.roles.read().iter().map(|(name, one)| (name.clone(), one.epoch)).collect()
    }

    pub(super) fn put(&self, name: &str, carrying: Carrying) {
        self.roles.write().insert(name.to_owned(), carrying);
        self.changes.send_modify(|changes| *changes += 1);
    }

    pub(super) fn take(&self, name: &str) -> Option<Carrying> {
        let taken = self.roles.write().remove(name);
        self.changes.send_modify(|changes| *changes += 1);
        taken
    }

    /// Ends all; control has every event then, or `limits.stop_seconds` is over.
    pub(crate) async fn stop(&self) {
        for (name, _) in self.names() {
            let Some(one) = self.take(&name) else { continue };
            if let Some(edge) = one.edge {
                edge.shutdown().await;
            }
            if let Some(media) = one.media {
                media.stop().await;
            }
        }
    }
}
