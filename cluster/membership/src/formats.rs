//! The directory's commands, answers and snapshots, and a node's identity, as earlier builds wrote them, are read; others
//! are refused by their version.

#![allow(clippy::unwrap_used)]

#[path = "../../../tests/src/golden.rs"]
mod golden;

use std::collections::BTreeSet;

use mangrove_placement::{Place, Plan};

use crate::directory::{
    Command, Database, Directory, Founding, Home, Lease, Member, NETWORK, Name, Refusal, Reply,
};
use crate::identity::Identity;
use crate::machine::{Answer, decode, encode};

fn member(id: u64, name: &str) -> Member {
    Member {
        id,
        name: name.into(),
        roles: ["control", "edge"].map(String::from).into(),
        zone: "north".into(),
        address: "10.0.0.1:7400".into(),
        addresses: [(NETWORK.into(), "lan".into())].into(),
        version: "0.1.0".into(),
        protocol: 2,
        boot: 3,
        heartbeat_ms: 1_795_000_000_000,
        alive: true,
        draining: false,
        stopping: false,
        replaced: false,
        database: None,
    }
}

fn sqlite() -> Database {
    Database::Sqlite { machine: "m (0000002a)".into(), path: "/srv/mangrove.db".into() }
}

/// One of each kind.
fn commands() -> Vec<Command> {
    let (tenant, sender, name) = (|| "acme".to_owned(), || "edge/b".to_owned(), || "b".to_owned());
    let names = || BTreeSet::from([Name::new("number", "74951234567"), Name::new("domain", "acme.example")]);
    let founding = Founding { incarnation: 42, shard_groups: 2, nonce_key: [1; 32], token_key: [2; 32] };
    let place = Place { replicas: vec![1], leader: 1 };
    let postgres = Database::Postgres { place: "db:5432/mangrove".into() };
    vec![
        Command::Found { founding, member: member(0, "a") },
        Command::JoinMember { member: member(0, "b") },
        Command::HeartbeatMember { id: 2, at_ms: 9 },
        Command::MemberBack { id: 2, term: 5 },
        Command::TakeLease { id: 2 },
        Command::MemberLost { id: 2, term: 5 },
        Command::ReturnLease { name: name(), from: 1 },
        Command::RefuseLease { name: name(), from: 1 },
        Command::OpenGroups { groups: [1, 2].into() },
        Command::SetPlan { plan: Plan { groups: (0..3).map(|group| (group, place.clone())).collect() } },
        Command::PlaceTenant { tenant: tenant() },
        Command::Claim { tenant: tenant(), names: names() },
        Command::Release { tenant: tenant(), names: [Name::new("domain", "acme.example")].into() },
        Command::StartSender { sender: sender(), incarnation: 4 },
        Command::RetireSender { sender: sender() },
        Command::StartSender { sender: sender(), incarnation: 5 },
        Command::MoveTenant { tenant: tenant(), to: 2 },
        Command::FlipTenant { tenant: tenant(), epoch: 17 },
        Command::EndMove { tenant: tenant(), epoch: 17 },
        Command::MoveTenant { tenant: tenant(), to: 1 },
        Command::GiveUpMove { tenant: tenant(), epoch: 20, why: "no leader".into() },
        Command::ReplaceMember { id: 2 },
        Command::DrainMember { id: 1, draining: false },
        Command::RemoveTenant { tenant: "nobody".into() },
        Command::LeaveMember { id: 9 },
        Command::StopMember { id: 1 },
        Command::YieldLeases { id: 1 },
        Command::ReadyLease { name: name(), host: 1 },
        Command::MembersJudged { lost: [2].into(), back: [1].into(), term: 5 },
        Command::JoinMember { member: Member { boot: 4, database: Some(postgres), ..member(1, "a") } },
    ]
}

/// What the commands make.
fn directory() -> Directory {
    let mut directory = Directory::default();
    for (index, command) in (1..).zip(commands()) {
        // Some are refused: what counts is that each was there.
        let _ = directory.apply(index, 5, command);
    }
    directory
}

/// The same, once all members tell their databases.
fn on_sqlite() -> Directory {
    let mut directory = directory();
    if let Some(first) = directory.members.get_mut(&1) {
        first.database = Some(sqlite());
    }
    directory
}

#[test]
fn commands_of_every_kind() {
    let kept = golden::check(
        &[
            "directory-commands-1.bin",
            "directory-commands-2.bin",
            "directory-commands-3.bin",
            "directory-commands-4.bin",
        ],
        commands,
        decode::<Vec<Command>>,
        encode,
    );
    assert_eq!(kept, commands());
    let mut later = encode(&commands()[0]);
    later[0] = 9;
    assert!(decode::<Command>(&later).unwrap_err().to_string().contains("version 9"));
}

#[test]
fn answers() {
    let home = Home { group: 2, epoch: 17 };
    let lease = Lease { host: 2, epoch: 8, wanted: true, from: None, ready: false };
    let handed = Lease { wanted: false, from: Some(1), ready: true, ..lease };
    let (name, database, other, theirs) = ("b".into(), "B".into(), "a".into(), "A".into());
    let two_histories = Refusal::TwoHistories { name, database, other, theirs };
    let answers: Vec<Answer> = vec![
        (1, Ok(Reply::Done)),
        (2, Ok(Reply::Joined { id: 2 })),
        (3, Ok(Reply::Placed { home })),
        (4, Ok(Reply::Leased { lease })),
        (5, Ok(Reply::Moving { epoch: 5 })),
        (6, Err(Refusal::AtHome { tenant: "acme".into(), group: 1 })),
        (7, Ok(Reply::Leased { lease: handed })),
        (8, Err(Refusal::LastRole { name: "a".into(), role: "edge".into() })),
        (9, Err(two_histories)),
    ];
    let kept = golden::check(
        &["directory-answers-1.bin", "directory-answers-2.bin", "directory-answers-3.bin"],
        || answers.clone(),
        decode::<Vec<Answer>>,
        encode,
    );
    assert_eq!(kept, answers);
}

#[test]
fn snapshots() {
    let files = ["directory-1.bin", "directory-2.bin", "directory-3.bin"];
    let kept = golden::check(&files, on_sqlite, decode::<Directory>, encode);
    assert_eq!(kept.home("acme").map(|home| home.group), Some(2));
    assert_eq!(kept.tenant_of("number", "74951234567"), Some("acme"));
    assert_eq!(kept.founding.as_ref().map(|founding| founding.nonce_key), Some([1; 32]));
    assert_eq!((kept.members.len(), kept.member(2).map(|two| two.replaced)), (2, Some(true)));
    assert_eq!(kept.member(1).map(|one| one.database.clone()), Some(Some(sqlite())));
    assert!(kept.move_of("acme").is_some() && kept.senders.contains_key("edge/b"));
    let mut later = kept.to_bytes();
    later[0] = 9;
    assert!(Directory::from_bytes(&later).unwrap_err().to_string().contains("version 9"));
}

#[test]
fn identities() {
    let identity = || Identity { boot: 4, ..Identity::new(42, 3, "a", false) };
    let write = |identity: &Identity| serde_json::to_vec_pretty(identity).unwrap();
    let kept = golden::check(&["node-1.json"], identity, |bytes| serde_json::from_slice(bytes), write);
    assert_eq!(kept, identity());
}
