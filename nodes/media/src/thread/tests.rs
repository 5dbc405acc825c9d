//! A thread that falls over one call goes on with the others.

use std::{
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use mangrove_proto::{
    common::{Ack, Fence},
    edge::EdgeEvents,
    media::{
        Codec, Endpoint, MediaCommand, MediaCommands, MediaEvents, Peer, Play, Recording, SetSession,
        endpoint::Hears, media_event::Fact,
    },
    service::{self, Media as _},
};
use object_store::memory::InMemory;
use parking_lot::Mutex;

use super::worker::Worker;
use crate::{Media, Options};

/// Falls over the endpoint that is named so: what a bug does when the packet comes that nobody thought of.
pub(super) fn spring(worker: &mut Worker, index: usize) {
    let is_trap = worker.endpoints.get_mut(index).is_some_and(|endpoint| &*endpoint.id == "trap");
    assert!(!is_trap, "a trap for tests");
    let is_plain = |endpoint: &super::endpoint::Endpoint| {
        let has_codec = endpoint.voice.is_some() || endpoint.announcer.is_some();
        !has_codec && endpoint.ear.encoding().is_none() && endpoint.hall.is_none()
    };
    let mut plain = worker.endpoints.get_mut(index).into_iter().filter(|one| one.id.starts_with("plain"));
    assert!(plain.all(|endpoint| is_plain(endpoint)), "a plain call has no codec");
}

/// What the thread can't survive.
pub(super) fn collapse(worker: &mut Worker) {
    let end = worker.endpoints.end();
    let mut is_there =
        |index| worker.endpoints.get_mut(index).is_some_and(|endpoint| &*endpoint.id == "abyss");
    assert!(!(0..end).any(&mut is_there), "an abyss for tests");
}

type Told = Arc<Mutex<Vec<(String, Fact)>>>;

#[derive(Debug, Default)]
struct Control(Told);

#[async_trait]
impl service::Control for Control {
    async fn deliver_edge(&self, _: EdgeEvents) -> Result<Ack, service::Error> {
        Ok(Ack::default())
    }

    async fn deliver_media(&self, events: MediaEvents) -> Result<Ack, service::Error> {
        let last = events.events.last().map_or(0, |event| event.sequence);
        let told = events.events.into_iter().filter_map(|event| Some((event.session, event.fact?)));
        self.0.lock().extend(told);
        Ok(Ack { sequence: last })
    }
}

struct Node {
    media: Media,
    told: Told,
}

impl Node {
    /// With one media thread.
    fn start() -> Self {
        let control = Control::default();
        let told = control.0.clone();
        let mut options = Options::new("a", 1, [127, 0, 0, 1].into());
        (options.threads, options.segment) = (1, Duration::from_millis(200));
        let media = Media::start(options, Arc::new(control), Arc::new(InMemory::new())).unwrap();
        Self { media, told }
    }

    async fn set(&self, set: SetSession) {
        let fence = Fence { incarnation: 1, tenant_epoch: 1, term: 1, index: set.version };
        let command = MediaCommand { effect: 1, tenant: "acme".into(), fence: Some(fence), set: Some(set) };
        self.media.execute(MediaCommands { group: 1, commands: vec![command] }).await.unwrap();
    }

    /// Waits for a fact of a session.
    async fn told<T>(&self, session: &str, find: impl Fn(&Fact) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            let told =
                self.told.lock().iter().filter(|(of, _)| of == session).find_map(|(_, fact)| find(fact));
            if let Some(found) = told {
                return found;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "not in 10 s: {:?}", self.told.lock());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Where the session's endpoints are in this version.
    async fn ready(&self, session: &str, version: u64) -> Vec<SocketAddr> {
        let addresses = |fact: &Fact| match fact {
            Fact::Ready(ready) if ready.version == version => Some(ready.addresses.clone()),
            _ => None,
        };
        let told = self.told(session, addresses).await;
        told.iter().map(|one| one.address.parse().unwrap()).collect()
    }
}

fn phone() -> UdpSocket {
    let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
    phone.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    phone
}

/// A session of endpoints with these names, of which each hears the other.
fn session(name: &str, version: u64, ends: [(&str, &UdpSocket); 2]) -> SetSession {
    let others = [ends[1].0, ends[0].0];
    let endpoint = |((id, phone), other): ((&str, &UdpSocket), &str)| Endpoint {
        id: id.into(),
        remote: phone.local_addr().unwrap().to_string(),
        codec: Some(Codec { payload_type: 8, name: "PCMA".into(), clock_rate: 8000, ..Codec::default() }),
        send: true,
        receive: true,
        hears: Some(Hears::Peer(Peer { endpoint: other.into() })),
        ..Endpoint::default()
    };
    let endpoints = ends.into_iter().zip(others).map(endpoint).collect();
    let object = format!("acme/{name}.wav");
    let (left, right) = (ends[0].0.into(), ends[1].0.into());
    let recording = Recording { id: name.into(), object, left, right, ..Recording::default() };
    SetSession { session: name.into(), version, endpoints, recording: Some(recording), ..Default::default() }
}

/// One frame of sound.
fn packet(number: u8) -> Vec<u8> {
    let mut packet = vec![0x80, 8, 0, number, 0, 0, number, 160, 1, 2, 3, 4];
    packet.extend([0x55; 160]);
    packet
}

/// Sends until the other one hears it.
fn talks(from: &UdpSocket, to: SocketAddr, other: &UdpSocket) {
    other.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let heard = (1..100).any(|number| {
        from.send_to(&packet(number), to).unwrap();
        other.recv_from(&mut [0; 300]).is_ok()
    });
    assert!(heard, "nothing is heard");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_falls_over_one_call_drops_it_alone_and_takes_it_again() {
    let node = Node::start();
    let (a, b, c, d) = (phone(), phone(), phone(), phone());
    node.set(session("talk", 1, [("a", &a), ("b", &b)])).await;
    let talk = node.ready("talk", 1).await;
    node.set(session("fatal", 1, [("trap", &c), ("d", &d)])).await;
    let fatal = node.ready("fatal", 1).await;
    talks(&a, talk[0], &b);
    c.send_to(&packet(1), fatal[0]).unwrap();
    let refused = |fact: &Fact| matches!(fact, Fact::Refused(refused) if refused.version == 1).then_some(());
    node.told("fatal", refused).await;
    assert_eq!(node.media.load(), 2, "its ports are free again");
    talks(&b, talk[1], &a);
    assert!(!*node.media.watch_failed().borrow());

    node.set(session("fatal", 2, [("c", &c), ("d", &d)])).await;
    let again = node.ready("fatal", 2).await;
    talks(&c, again[0], &d);
    node.set(SetSession { session: "fatal".into(), version: 3, close: true, ..Default::default() }).await;
    let finished = |fact: &Fact| match fact {
        Fact::RecordingFinished(finished) => Some(finished.clone()),
        _ => None,
    };
    let finished = node.told("fatal", finished).await;
    assert_eq!(
        (finished.recording.as_str(), finished.missing_ms),
        ("fatal", 0),
        "it went on with the same one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_calls_have_no_codec_at_all() {
    let node = Node::start();
    let (a, b, c) = (phone(), phone(), phone());
    node.set(session("talk", 1, [("plain-a", &a), ("plain-b", &b)])).await;
    let talk = node.ready("talk", 1).await;
    talks(&a, talk[0], &b);
    talks(&b, talk[1], &a);
    let mut waits = session("waits", 1, [("plain-c", &c), ("plain-d", &b)]);
    let (id, prompts) = ("music".into(), vec!["music/default".into()]);
    waits.endpoints[0].hears = Some(Hears::Play(Play { id, prompts, repeat: true, ..Play::default() }));
    node.set(waits).await;
    node.ready("waits", 1).await;
    c.recv_from(&mut [0; 300]).expect("music");
    talks(&a, talk[0], &b);
    assert!(!node.told.lock().iter().any(|(_, fact)| matches!(fact, Fact::Refused(_))), "nobody fell");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_runs_a_node_learns_that_a_thread_has_ended() {
    let node = Node::start();
    let (a, b) = (phone(), phone());
    node.set(session("talk", 1, [("abyss", &a), ("b", &b)])).await;
    node.ready("talk", 1).await;
    let mut failed = node.media.watch_failed();
    assert!(!*failed.borrow());
    node.media.share().await;
    let told = tokio::time::timeout(Duration::from_secs(10), failed.wait_for(|failed| *failed)).await;
    told.expect("in time").expect("the node is there");
}
