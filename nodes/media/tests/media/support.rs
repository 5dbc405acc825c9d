//! A node under test, the control that it reports to, and the words to command it.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mangrove_media::{Media, Options};
use mangrove_proto::{
    common::{Ack, Fence},
    edge::EdgeEvents,
    media::{
        self, Codec, Endpoint, HoldingsRequest, MediaCommand, MediaCommands, MediaEvents, Mix, Peer, Play,
        SetSession, endpoint::Hears, media_event::Fact,
    },
    service::{self, Media as _},
};
use mangrove_rtp::g711::Law;
use object_store::{ObjectStore, memory::InMemory};
use parking_lot::Mutex;

pub(crate) const GROUP: u64 = 3;
pub(crate) const TENANT: &str = "acme";
pub(crate) const CALL: &str = "call_1";

/// Control that takes everything.
#[derive(Debug, Default)]
pub(crate) struct Control {
    facts: Mutex<Vec<Fact>>,
    last: AtomicU64,
}

#[async_trait::async_trait]
impl service::Control for Control {
    async fn deliver_edge(&self, _: EdgeEvents) -> Result<Ack, service::Error> {
        Ok(Ack::default())
    }

    async fn deliver_media(&self, events: MediaEvents) -> Result<Ack, service::Error> {
        assert_eq!(events.group, GROUP);
        for event in events.events {
            assert_eq!(event.tenant, TENANT);
            assert!(event.session.starts_with("call_"), "{}", event.session);
            let last = self.last.swap(event.sequence, Ordering::Relaxed);
            assert_eq!(event.sequence, last + 1, "events are numbered without gaps");
            self.facts.lock().push(event.fact.unwrap());
        }
        Ok(Ack { sequence: self.last.load(Ordering::Relaxed) })
    }
}

pub(crate) struct Node {
    pub(crate) media: Media,
    pub(crate) objects: Arc<dyn ObjectStore>,
    control: Arc<Control>,
    index: AtomicU64,
}

impl Node {
    pub(crate) fn start() -> Self {
        Self::start_with(Arc::new(InMemory::new()), |_| {})
    }

    pub(crate) fn start_with(objects: Arc<dyn ObjectStore>, change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::new("a", 1, IpAddr::from([127, 0, 0, 1]));
        options.threads = 1;
        options.segment = Duration::from_millis(200);
        change(&mut options);
        let control = Arc::new(Control::default());
        let media = Media::start(options, control.clone(), objects.clone()).unwrap();
        Self { media, objects, control, index: AtomicU64::new(0) }
    }

    /// Commands the session; whether it was in time.
    pub(crate) async fn set(&self, set: SetSession) -> bool {
        let index = self.index.fetch_add(1, Ordering::Relaxed) + 1;
        self.set_fenced(set, Fence { incarnation: 1, tenant_epoch: 1, term: 1, index }).await
    }

    pub(crate) async fn set_fenced(&self, set: SetSession, fence: Fence) -> bool {
        let command = MediaCommand { effect: 9, tenant: TENANT.into(), fence: Some(fence), set: Some(set) };
        let commands = MediaCommands { group: GROUP, commands: vec![command] };
        self.media.execute(commands).await.unwrap().refused.is_empty()
    }

    /// Commands the session, waits until it stands, and gives its endpoints' addresses as they were told last.
    pub(crate) async fn ready(&self, set: SetSession) -> Vec<SocketAddr> {
        let (version, session, close) = (set.version, set.session.clone(), set.close);
        let ids: Vec<String> = set.endpoints.iter().map(|endpoint| endpoint.id.clone()).collect();
        assert!(self.set(set).await);
        loop {
            let held = self.media.hold(HoldingsRequest { group: GROUP }).await.unwrap().sessions;
            let stands = held.iter().any(|held| held.session == session && held.version == version);
            if stands || (close && held.iter().all(|held| held.session != session)) {
                break;
            }
            let is_refused =
                |fact: &Fact| matches!(fact, Fact::Refused(refused) if refused.version == version);
            assert!(!self.facts().iter().any(is_refused), "{:?}", self.facts());
            tokio::task::yield_now().await;
        }
        eventually("the addresses are told", || self.told(&ids)).await
    }

    /// None while one of them was not told.
    fn told(&self, ids: &[String]) -> Option<Vec<SocketAddr>> {
        let mut known = std::collections::BTreeMap::new();
        for fact in self.facts() {
            if let Fact::Ready(ready) = fact {
                known.extend(ready.addresses.into_iter().map(|told| (told.endpoint, told.address)));
            }
        }
        ids.iter().map(|id| known.get(id)?.parse().ok()).collect()
    }

    pub(crate) fn facts(&self) -> Vec<Fact> {
        self.control.facts.lock().clone()
    }

    /// Waits for a fact and gives what was looked for in it.
    pub(crate) async fn fact<T>(&self, what: &str, find: impl Fn(&Fact) -> Option<T>) -> T {
        eventually(what, || self.facts().iter().find_map(&find)).await
    }
}

/// Waits until there is something, at most ten seconds.
pub(crate) async fn eventually<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never happened that {what}");
}

/// As `eventually`, for what is or is not.
pub(crate) async fn until(what: &str, is: impl Fn() -> bool) {
    eventually(what, || is().then_some(())).await;
}

pub(crate) fn session(version: u64, endpoints: Vec<Endpoint>) -> SetSession {
    SetSession { session: CALL.into(), version, endpoints, ..Default::default() }
}

pub(crate) fn close(version: u64) -> SetSession {
    SetSession { close: true, ..session(version, Vec::new()) }
}

/// An endpoint that talks both ways, for a phone at `remote`, hearing nothing.
pub(crate) fn endpoint(id: &str, law: Law, remote: SocketAddr) -> Endpoint {
    let name = match law {
        Law::A => "PCMA",
        Law::Mu => "PCMU",
    };
    let payload_type = law.static_payload_type().into();
    Endpoint {
        id: id.into(),
        remote: remote.to_string(),
        codec: Some(Codec { payload_type, name: name.into(), clock_rate: 8000, ..Codec::default() }),
        telephone_event: 101,
        send: true,
        receive: true,
        ..Default::default()
    }
}

/// The endpoint, hearing another.
pub(crate) fn hearing(endpoint: Endpoint, peer: &str) -> Endpoint {
    Endpoint { hears: Some(Hears::Peer(Peer { endpoint: peer.into() })), ..endpoint }
}

/// The endpoint, hearing several others.
pub(crate) fn mixing(endpoint: Endpoint, others: &[&str]) -> Endpoint {
    let endpoints = others.iter().map(|other| (*other).to_owned()).collect();
    Endpoint { hears: Some(Hears::Mix(Mix { endpoints })), ..endpoint }
}

/// The endpoint, hearing sounds.
pub(crate) fn playing(endpoint: Endpoint, id: &str, prompts: &[&str], repeat: bool) -> Endpoint {
    let prompts = prompts.iter().map(|key| (*key).to_owned()).collect();
    let play = Play { id: id.into(), prompts, repeat, ..Play::default() };
    Endpoint { hears: Some(Hears::Play(play)), ..endpoint }
}

/// Both, hearing each other.
pub(crate) fn bridged(version: u64, a: Endpoint, b: Endpoint) -> SetSession {
    let (id_a, id_b) = (a.id.clone(), b.id.clone());
    session(version, vec![hearing(a, &id_b), hearing(b, &id_a)])
}

pub(crate) fn recording(set: SetSession, id: &str, left: &str, right: &str) -> SetSession {
    let recording = media::Recording {
        id: id.into(),
        object: format!("acme/{id}.wav"),
        left: left.into(),
        right: right.into(),
        ..Default::default()
    };
    SetSession { recording: Some(recording), ..set }
}
