//! A control that remembers what it was told, and a directory with one tenant.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use mangrove_proto::{
    common::Ack,
    edge::{EdgeEvent, EdgeEvents, Received, edge_event::Fact},
    media::MediaEvents,
    service::{Control, DeviceSecret, Error, Route, Routes},
};
use mangrove_sip::{Message, digest::Ha1s};
use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) const DOMAIN: &str = "acme.example";
pub(crate) const GROUP: u64 = 3;
pub(crate) const NONCE_KEY: [u8; 32] = [7; 32];
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(crate) struct FakeControl {
    events: Mutex<Vec<EdgeEvent>>,
    deliveries: AtomicU64,
    mark: AtomicU64,
    pub(crate) leaderless: AtomicBool,
    /// Commits, but the acknowledgement gets lost once.
    pub(crate) loses_ack: AtomicBool,
    changed: Notify,
}

impl FakeControl {
    /// The event number `index`, waited for.
    pub(crate) async fn event(&self, index: usize) -> EdgeEvent {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if let Some(event) = self.events.lock().get(index).cloned() {
                    return event;
                }
                changed.await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("event {index} never came"))
    }

    /// The message of event number `index`, with how it came.
    pub(crate) async fn received(&self, index: usize) -> (EdgeEvent, Received, Message) {
        let event = self.event(index).await;
        let Some(Fact::Received(received)) = event.fact.clone() else { panic!("{event:?} is no message") };
        let message = Message::parse(&received.message).unwrap();
        (event, received, message)
    }

    pub(crate) fn count(&self) -> usize {
        self.events.lock().len()
    }

    /// How many messages of each method came, responses not counted.
    pub(crate) fn requests(&self, method: &str) -> usize {
        let is = |event: &&EdgeEvent| {
            let Some(Fact::Received(received)) = &event.fact else { return false };
            received.message.starts_with(format!("{method} ").as_bytes())
        };
        self.events.lock().iter().filter(is).count()
    }

    /// Waits until a request of this method was told.
    pub(crate) async fn told(&self, method: &str) {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if self.requests(method) > 0 {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("no {method} was told"));
    }

    /// Waits for so many deliveries, successful or not.
    pub(crate) async fn deliveries(&self, wanted: u64) {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if self.deliveries.load(Ordering::SeqCst) >= wanted {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("deliveries never came");
    }

    fn commit(&self, events: EdgeEvents) -> u64 {
        let mut known = self.events.lock();
        for event in events.events {
            let mark = self.mark.load(Ordering::SeqCst);
            if event.sequence > mark {
                assert_eq!(event.sequence, mark + 1, "events come without holes");
                self.mark.store(event.sequence, Ordering::SeqCst);
                known.push(event);
            }
        }
        self.mark.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl Control for FakeControl {
    async fn deliver_edge(&self, events: EdgeEvents) -> Result<Ack, Error> {
        assert_eq!(events.group, GROUP);
        let outcome = if self.leaderless.load(Ordering::SeqCst) {
            Err(Error::NoLeader { group: GROUP })
        } else {
            let sequence = self.commit(events);
            let lost = self.loses_ack.swap(false, Ordering::SeqCst);
            if lost { Err(Error::NoLeader { group: GROUP }) } else { Ok(Ack { sequence }) }
        };
        self.deliveries.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
        outcome
    }

    async fn deliver_media(&self, _: MediaEvents) -> Result<Ack, Error> {
        Err(Error::Refused { why: "no media here".into() })
    }
}

#[derive(Debug, Default)]
pub(crate) struct FakeRoutes {
    pub(crate) trunks: Mutex<Vec<SocketAddr>>,
    pub(crate) lag: AtomicU64,
    pub(crate) unready: AtomicBool,
    /// The key of nonces and tickets is not known yet.
    pub(crate) keyless: AtomicBool,
}

pub(crate) fn route() -> Route {
    Route { tenant: "acme".into(), group: GROUP, domain: DOMAIN.into() }
}

impl Routes for FakeRoutes {
    fn tenant(&self, tenant: &str) -> Option<Route> {
        (tenant == "acme").then(route)
    }

    fn domain(&self, domain: &str) -> Option<Route> {
        (domain == DOMAIN).then(route)
    }

    fn device(&self, domain: &str, username: &str) -> Option<DeviceSecret> {
        let known = domain == DOMAIN && username == "101";
        let Ha1s { md5, sha256 } = Ha1s::new("101", DOMAIN, "secret");
        known.then(|| DeviceSecret { route: route(), md5, sha256 })
    }

    fn trunk(&self, source: SocketAddr, called: &str) -> Option<(Route, String)> {
        (self.is_trunk(source) && called == "74951234567").then(|| (route(), "carrier".into()))
    }

    fn is_trunk(&self, source: SocketAddr) -> bool {
        let matches = |trunk: &SocketAddr| {
            trunk.ip() == source.ip() && (source.port() == 0 || trunk.port() == source.port())
        };
        self.trunks.lock().iter().any(matches)
    }

    fn lag_ms(&self) -> u64 {
        self.lag.load(Ordering::SeqCst)
    }

    fn nonce_key(&self) -> [u8; 32] {
        if self.keyless.load(Ordering::SeqCst) { [0; 32] } else { NONCE_KEY }
    }

    fn is_ready(&self) -> bool {
        !self.unready.load(Ordering::SeqCst)
    }
}

pub(crate) fn fakes() -> (Arc<FakeControl>, Arc<FakeRoutes>) {
    Default::default()
}
