//! Messages of `mangrove-proto` that states and logs keep: any field of them may be missing, as where an earlier build wrote
//! them, and is then as prost has it.

use std::fmt::Debug;

use mangrove_proto::{
    edge::{
        EdgeEvent, Failed, FlowClosed, Ingress, Page, Received, Source, edge_event::Fact as Reported,
        ingress::From,
    },
    media::{
        Codec, Conference, Counters, Digit, Echo, Endpoint, EndpointAddress, KeyCode, Latched, MediaEvent,
        Mix, Peer, Play, PlayFinished, Ready, Recording, RecordingFinished, RecordingPaused, Refused,
        Secured, SetSession, Silent, Srtp, TelephoneEvent, Webrtc, endpoint::Hears, media_event::Fact,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

type Fields = Map<String, Value>;

fn fields<M: Serialize>(message: &M) -> Fields {
    match serde_json::to_value(message).expect("JSON") {
        Value::Object(fields) => fields,
        other => panic!("no message: {other}"),
    }
}

/// As states and logs have it.
fn read<M: DeserializeOwned>(fields: &Fields) -> Result<M, rmp_serde::decode::Error> {
    rmp_serde::from_slice(&rmp_serde::to_vec_named(fields).expect("MessagePack"))
}

/// Leaves out each field in turn, then all of them.
fn may_lack_fields<M>(message: M)
where
    M: Serialize + DeserializeOwned + Default + PartialEq + Debug,
{
    let (whole, plain) = (fields(&message), fields(&M::default()));
    assert_eq!(read::<M>(&whole).expect("whole"), message);
    for name in whole.keys() {
        let mut less = whole.clone();
        less.remove(name);
        let got: M = read(&less).unwrap_or_else(|error| panic!("{message:?} without {name}: {error}"));
        less.extend(plain.get(name).map(|value| (name.clone(), value.clone())));
        assert_eq!(fields(&got), less, "{name} is as if never set, the others are as they were");
    }
    assert_eq!(read::<M>(&Fields::new()).expect("nothing"), M::default());
}

fn endpoint(hears: Hears) -> Endpoint {
    Endpoint {
        id: "leg".into(),
        remote: "192.0.2.1:4000".into(),
        signalled_from: "192.0.2.1".into(),
        codec: Some(codec()),
        telephone_event: 101,
        ptime_ms: 20,
        send: true,
        receive: true,
        port: 20_000,
        latched: "192.0.2.1:4002".into(),
        hears: Some(hears),
        events: vec![event()],
        comfort_noise: Some(13),
        accepts: vec![codec()],
        srtp: Some(srtp()),
        udptl: true,
        webrtc: Some(webrtc()),
        codes: vec!["*1".into()],
        secret: true,
    }
}

fn webrtc() -> Webrtc {
    let (fingerprint, theirs) = (vec![7_u8; 32].into(), vec![8_u8; 32].into());
    Webrtc { ufrag: "evtj".into(), pwd: "VOkJxbRl1RmTxUk/WvJxBt".into(), fingerprint, theirs }
}

fn srtp() -> Srtp {
    let (ours, theirs) = (vec![7_u8; 30].into(), vec![8_u8; 30].into());
    Srtp { suite: "AES_CM_128_HMAC_SHA1_80".into(), ours, theirs }
}

fn codec() -> Codec {
    Codec {
        payload_type: 96,
        name: "opus".into(),
        clock_rate: 48_000,
        channels: Some(2),
        fmtp: "useinbandfec=1".into(),
        expected: Some(111),
    }
}

fn event() -> TelephoneEvent {
    TelephoneEvent { payload_type: 103, clock_rate: 48_000, expected: Some(110) }
}

fn peer() -> Peer {
    Peer { endpoint: "other".into() }
}

fn mix() -> Mix {
    Mix { endpoints: vec!["other".into(), "third".into()] }
}

fn conference() -> Conference {
    Conference { muted: true, chimes: true }
}

fn play() -> Play {
    Play { id: "play".into(), prompts: vec!["music/default".into()], repeat: true, by_clock: true }
}

fn recording() -> Recording {
    Recording {
        id: "rec-1".into(),
        object: "acme/1.wav".into(),
        left: "leg".into(),
        right: "other".into(),
        ran_ms: Some(1_500),
        pause: Some(1),
        left_too: vec!["third".into()],
        right_too: vec!["fourth".into()],
        opus: true,
        mixed: true,
    }
}

#[test]
fn sessions() {
    may_lack_fields(codec());
    may_lack_fields(event());
    may_lack_fields(srtp());
    may_lack_fields(peer());
    may_lack_fields(play());
    may_lack_fields(mix());
    may_lack_fields(Echo { delay_ms: 1_000 });
    may_lack_fields(recording());
    may_lack_fields(endpoint(Hears::Peer(peer())));
    may_lack_fields(endpoint(Hears::Play(play())));
    may_lack_fields(endpoint(Hears::Mix(mix())));
    may_lack_fields(endpoint(Hears::Echo(Echo { delay_ms: 1_000 })));
    may_lack_fields(conference());
    may_lack_fields(endpoint(Hears::Conference(conference())));
    may_lack_fields(SetSession {
        session: "call".into(),
        version: 2,
        endpoints: vec![endpoint(Hears::Peer(peer()))],
        recording: Some(recording()),
        close: true,
        goes_on: true,
        left: vec![recording()],
        conference: "weekly".into(),
    });
}

fn ready() -> Ready {
    let (endpoint, address) = ("leg".into(), "10.0.0.2:20000".into());
    let address = EndpointAddress { endpoint, address, key: vec![7_u8; 30].into(), webrtc: Some(webrtc()) };
    Ready { version: 2, addresses: vec![address] }
}

#[test]
fn what_media_nodes_report() {
    let (endpoint, tenant, session) = ("leg".to_owned(), "acme".into(), "call".into());
    may_lack_fields(ready().addresses.remove(0));
    may_lack_fields(ready());
    may_lack_fields(Refused { version: 2, why: "no".into() });
    may_lack_fields(PlayFinished { endpoint: endpoint.clone(), play: "play".into() });
    may_lack_fields(Digit { endpoint: endpoint.clone(), digit: "5".into(), duration_ms: 80 });
    may_lack_fields(Latched { endpoint: endpoint.clone(), address: "192.0.2.1:4002".into() });
    may_lack_fields(Silent { endpoint: endpoint.clone(), since_ms: 30_000 });
    may_lack_fields(Secured {
        endpoint: endpoint.clone(),
        srtp: Some(srtp()),
        ufrag: "evtj".into(),
        theirs: vec![7_u8; 32].into(),
    });
    may_lack_fields(KeyCode { endpoint: endpoint.clone(), code: "*1".into() });
    may_lack_fields(RecordingPaused { recording: "rec-1".into(), pause: 1 });
    may_lack_fields(RecordingFinished {
        recording: "rec-1".into(),
        object: "acme/1.wav".into(),
        duration_ms: 1_000,
        bytes: 32_044,
        missing_ms: 20,
        sha256: "ab".into(),
        opus: true,
        mixed: true,
    });
    let (packets_received, packets_sent, packets_lost, jitter_us) = (50, 49, 1, 700);
    may_lack_fields(Counters { endpoint, packets_received, packets_sent, packets_lost, jitter_us });
    may_lack_fields(MediaEvent { sequence: 4, tenant, session, fact: Some(Fact::Ready(ready())) });
}

fn received() -> Received {
    Received {
        message: b"INVITE sip:1@acme.example SIP/2.0\r\n\r\n".to_vec().into(),
        source: Some(source()),
        ingress: Some(ingress()),
        received_at_unix_ms: 1_795_000_000_000,
    }
}

fn source() -> Source {
    let (remote, local) = ("192.0.2.1:5060".into(), "10.0.0.1:5060".into());
    Source { transport: 2, remote, local, flow: "flow-1".into() }
}

fn ingress() -> Ingress {
    Ingress { from: Some(From::Trunk("carrier".into())) }
}

#[test]
fn what_edges_report() {
    may_lack_fields(source());
    may_lack_fields(ingress());
    let page = Page { employee: "anna".into(), epoch: 7 };
    may_lack_fields(page.clone());
    may_lack_fields(Ingress { from: Some(From::Page(page)) });
    may_lack_fields(received());
    may_lack_fields(Failed { reason: 1, branch: "z9hG4bK1".into(), method: "BYE".into() });
    may_lack_fields(FlowClosed { flow: "flow-1".into() });
    may_lack_fields(EdgeEvent {
        sequence: 4,
        tenant: "acme".into(),
        leg: "leg".into(),
        fact: Some(Reported::Received(received())),
    });
}
