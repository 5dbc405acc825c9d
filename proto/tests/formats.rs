//! Messages between nodes as earlier builds sent them are read: nodes of a protocol and the next one work together.
#![allow(clippy::unwrap_used)]

#[path = "../../tests/src/golden.rs"]
mod golden;

use std::fmt::Debug;

use mangrove_proto::{
    cluster::{AppendRequest, Entry, LogId, RaftMember, RaftMembership, Vote, VoterSet, entry::Payload},
    common::{Fence, Sender},
    edge::{
        Destination, EdgeCommand, EdgeCommands, EdgeEvent, EdgeEvents, Ingress, Received, SendRequest,
        Source, edge_command::Op, edge_event::Fact, ingress::From,
    },
    media::{Codec, Endpoint, MediaCommand, MediaCommands, Recording, SetSession},
    routes::{Device, RoutesUpdate, Step, TenantRoutes, Trunk, routes_update::Content},
};
use prost::Message;

fn check<M: Message + Default + Debug + PartialEq + Clone>(files: &[&str], expected: &M) {
    let kept = golden::check(files, || expected.clone(), |bytes| M::decode(bytes), |one| one.encode_to_vec());
    assert_eq!(kept, *expected, "{files:?}");
}

fn position(index: u64) -> Option<LogId> {
    Some(LogId { term: 5, index })
}

#[test]
fn raft() {
    let voters = vec![VoterSet { nodes: vec![1, 2, 3] }];
    let members = vec![RaftMember { node: 1, address: "10.0.0.1:7400".into() }];
    let membership = RaftMembership { voters, members };
    let entries = [
        Payload::Blank(Default::default()),
        Payload::Command(b"command".to_vec().into()),
        Payload::Membership(membership),
    ];
    let entry = |(index, payload)| Entry { id: position(index), payload: Some(payload) };
    check(
        &["append-request-1.bin"],
        &AppendRequest {
            group: 3,
            vote: Some(Vote { term: 5, node: 1, committed: true }),
            previous: position(9),
            entries: (10..).zip(entries).map(entry).collect(),
            committed: position(8),
        },
    );
}

fn fence() -> Option<Fence> {
    Some(Fence { incarnation: 42, tenant_epoch: 7, term: 5, index: 300 })
}

#[test]
fn edges() {
    let source = Source {
        transport: 1,
        remote: "192.0.2.1:5060".into(),
        local: "10.0.0.1:5060".into(),
        flow: String::new(),
    };
    let received = Received {
        message: b"INVITE sip:1@acme.example SIP/2.0\r\n\r\n".to_vec().into(),
        source: Some(source),
        ingress: Some(Ingress { from: Some(From::Trunk("carrier".into())) }),
        received_at_unix_ms: 1_795_000_000_000,
    };
    let event = EdgeEvent {
        sequence: 4,
        tenant: "acme".into(),
        leg: "leg".into(),
        fact: Some(Fact::Received(received)),
    };
    let sender = Some(Sender { node: "a".into(), run: 3 });
    check(&["edge-events-1.bin"], &EdgeEvents { sender, group: 3, events: vec![event] });
    let request = SendRequest {
        branch: "z9hG4bKacme.leg".into(),
        method: "INVITE".into(),
        destination: Some(Destination {
            transport: 1,
            address: "192.0.2.1:5060".into(),
            flow: String::new(),
        }),
        message: b"INVITE sip:1@acme.example SIP/2.0\r\n\r\n".to_vec().into(),
    };
    let command = EdgeCommand {
        effect: 11,
        tenant: "acme".into(),
        call: "call".into(),
        leg: "leg".into(),
        fence: fence(),
        op: Some(Op::Request(request)),
    };
    check(&["edge-commands-1.bin"], &EdgeCommands { group: 3, commands: vec![command] });
}

#[test]
fn media_nodes() {
    let endpoint = Endpoint {
        id: "leg".into(),
        remote: "192.0.2.1:4000".into(),
        signalled_from: "192.0.2.1".into(),
        codec: Some(Codec { payload_type: 8, name: "PCMA".into(), clock_rate: 8_000, ..Codec::default() }),
        telephone_event: 101,
        ptime_ms: 20,
        send: true,
        receive: true,
        port: 20_000,
        ..Endpoint::default()
    };
    let recording = Recording {
        id: "rec-1".into(),
        object: "acme/1.wav".into(),
        left: "leg".into(),
        right: "other".into(),
        ran_ms: Some(1_500),
        ..Recording::default()
    };
    let set = SetSession {
        session: "call".into(),
        version: 2,
        endpoints: vec![endpoint],
        recording: Some(recording),
        ..SetSession::default()
    };
    let command = MediaCommand { effect: 12, tenant: "acme".into(), fence: fence(), set: Some(set) };
    check(
        &["media-commands-1.bin", "media-commands-2.bin"],
        &MediaCommands { group: 3, commands: vec![command] },
    );
}

#[test]
fn routes() {
    let tenant = TenantRoutes {
        tenant: "acme".into(),
        epoch: 7,
        domain: "acme.example".into(),
        numbers: vec!["74951234567".into()],
        trunks: vec![Trunk { name: "carrier".into(), from: vec!["192.0.2.1:5060".into()] }],
        devices: vec![Device { username: "101".into(), md5: "md5".into(), sha256: "sha256".into() }],
    };
    let step = Step {
        group: 3,
        from: Some(9),
        to: 12,
        tenants: vec![tenant],
        removed: vec!["bolt".into()],
        more: false,
    };
    check(&["routes-update-1.bin"], &RoutesUpdate { content: Some(Content::Step(step)) });
}
