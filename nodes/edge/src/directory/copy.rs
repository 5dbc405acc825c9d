//! The handle of a copy: is told which control nodes there are, and answers from what they told.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use mangrove_proto::{
    routes::{RoutesUpdate, WatchRequest},
    service::{DeviceSecret, Route, RouteFeed, Routes},
};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::{
    follow,
    lookup::Lookup,
    merge::{Merge, Misfit, NonceKey},
};
use crate::metrics::DIRECTORY_SOURCES;

/// A copy of the directory, kept by listening to control nodes. While none can be reached it answers from what it heard
/// last; before it [is ready](Routes::is_ready), a tenant that it does not find may exist all the same. Dropping it ends
/// its streams.
#[derive(Debug, Default)]
pub struct DirectoryCopy {
    known: Arc<Known>,
    streams: Mutex<BTreeMap<String, Stream>>,
}

#[derive(Debug)]
struct Stream {
    feed: watch::Sender<Arc<dyn RouteFeed>>,
    _task: AbortOnDropHandle<()>,
}

/// What the streams write and lookups read.
#[derive(Debug, Default)]
pub(super) struct Known {
    merge: Mutex<Merge>,
    /// Replaced after each change, so that readers never wait for a merge.
    seen: RwLock<Seen>,
    lag_ms: AtomicU64,
}

#[derive(Debug, Default)]
struct Seen {
    lookup: Lookup,
    nonce_key: NonceKey,
    is_ready: bool,
}

impl DirectoryCopy {
    /// The control nodes to listen to from now on, by name, all of them each time. A name that stays keeps its stream; if
    /// that ends, the next one is opened by the feed given last. What a node told stays when it is no longer among them.
    ///
    /// To be called within a tokio runtime.
    pub fn set_sources(&self, sources: BTreeMap<String, Arc<dyn RouteFeed>>) {
        let mut streams = self.streams.lock();
        for name in streams.keys().filter(|name| !sources.contains_key(*name)) {
            self.known.dismiss(name);
        }
        streams.retain(|name, _| sources.contains_key(name));
        for (name, feed) in sources {
            match streams.get(&name) {
                Some(stream) => drop(stream.feed.send_replace(feed)),
                None => drop(streams.insert(name.clone(), self.listen(name, feed))),
            }
        }
    }

    fn listen(&self, name: String, feed: Arc<dyn RouteFeed>) -> Stream {
        self.known.merge.lock().admit(&name);
        let (feed, given) = watch::channel(feed);
        let task = tokio::spawn(follow::run(self.known.clone(), name, given));
        Stream { feed, _task: AbortOnDropHandle::new(task) }
    }
}

impl Known {
    /// What to ask a source for; none when it is a source no more.
    pub(super) fn begin(&self, source: &str) -> Option<WatchRequest> {
        self.merge.lock().begin(source)
    }

    pub(super) fn take(&self, source: &str, update: RoutesUpdate) -> Result<(), Misfit> {
        self.change(|merge| merge.take(source, update))
    }

    pub(super) fn lose(&self, source: &str) {
        self.change(|merge| merge.lose(source));
    }

    fn dismiss(&self, source: &str) {
        self.change(|merge| merge.dismiss(source));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Merge) -> T) -> T {
        let mut merge = self.merge.lock();
        let outcome = change(&mut merge);
        self.lag_ms.store(merge.lag_ms(), Ordering::Relaxed);
        metrics::gauge!(DIRECTORY_SOURCES).set(merge.heard() as f64);
        let seen =
            Seen { lookup: merge.lookup().clone(), nonce_key: merge.nonce_key(), is_ready: merge.is_ready() };
        // The former one may be the last of its kind: it is taken apart outside of the readers' lock.
        let former = std::mem::replace(&mut *self.seen.write(), seen);
        drop(former);
        outcome
    }
}

impl Routes for DirectoryCopy {
    fn tenant(&self, tenant: &str) -> Option<Route> {
        self.known.seen.read().lookup.tenant(tenant)
    }

    fn domain(&self, domain: &str) -> Option<Route> {
        self.known.seen.read().lookup.domain(domain)
    }

    fn device(&self, domain: &str, username: &str) -> Option<DeviceSecret> {
        self.known.seen.read().lookup.device(domain, username)
    }

    fn trunk(&self, source: SocketAddr, called: &str) -> Option<(Route, String)> {
        self.known.seen.read().lookup.trunk(source, called)
    }

    fn is_trunk(&self, source: SocketAddr) -> bool {
        self.known.seen.read().lookup.is_trunk(source)
    }

    fn lag_ms(&self) -> u64 {
        self.known.lag_ms.load(Ordering::Relaxed)
    }

    fn nonce_key(&self) -> [u8; 32] {
        self.known.seen.read().nonce_key.0
    }

    fn is_ready(&self) -> bool {
        self.known.seen.read().is_ready
    }
}
