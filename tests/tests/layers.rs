//! Arrows between rooms point down only, and the pure rooms stay pure: held against what Cargo itself says.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Each room and the rooms it may use. `nodes/mangrove` may use all, so may the tests.
const MAY_USE: &[(&str, &[&str])] = &[
    ("mangrove-proto", &[]),
    ("mangrove-placement", &[]),
    ("mangrove-log", &["mangrove-proto"]),
    ("mangrove-raft", &["mangrove-proto", "mangrove-log"]),
    ("mangrove-transport", &["mangrove-proto", "mangrove-raft"]),
    (
        "mangrove-membership",
        &["mangrove-proto", "mangrove-placement", "mangrove-log", "mangrove-raft", "mangrove-transport"],
    ),
    ("mangrove-sip", &["mangrove-proto"]),
    ("mangrove-rtp", &["mangrove-proto"]),
    ("mangrove-codec", &["mangrove-rtp"]),
    ("mangrove-sound", &["mangrove-rtp", "mangrove-codec"]),
    ("mangrove-domain", &["mangrove-proto", "mangrove-sip"]),
    ("mangrove-history", &["mangrove-proto"]),
    ("mangrove-objects", &[]),
    ("mangrove-edge", &["mangrove-proto", "mangrove-sip"]),
    (
        "mangrove-media",
        &["mangrove-proto", "mangrove-rtp", "mangrove-codec", "mangrove-sound", "mangrove-objects"],
    ),
    (
        "mangrove-control",
        &[
            "mangrove-proto",
            "mangrove-domain",
            "mangrove-sip",
            "mangrove-raft",
            "mangrove-membership",
            "mangrove-history",
        ],
    ),
    (
        "mangrove-console",
        &["mangrove-proto", "mangrove-domain", "mangrove-sound", "mangrove-history", "mangrove-objects"],
    ),
    ("mangrove-loadtest", &["mangrove-proto", "mangrove-sip", "mangrove-rtp"]),
];

/// Rooms without clock, chance, tasks and sockets.
const PURE: &[&str] = &[
    "mangrove-placement",
    "mangrove-sip",
    "mangrove-rtp",
    "mangrove-codec",
    "mangrove-sound",
    "mangrove-domain",
];

/// What a pure room must not even be able to reach for.
const IMPURE: &[&str] =
    &["tokio", "tonic", "ractor", "rand", "mio", "socket2", "futures", "async-std", "tracing"];

/// Normal and build dependencies of every member of the workspace.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).no_deps().exec().unwrap();
    let used = |package: &cargo_metadata::Package| {
        let normal = package.dependencies.iter().filter(|d| d.kind != DependencyKind::Development);
        (package.name.to_string(), normal.map(|d| d.name.clone()).collect())
    };
    metadata.packages.iter().map(used).collect()
}

#[test]
fn rooms_use_only_rooms_below_them() {
    let dependencies = dependencies();
    for (room, uses) in &dependencies {
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| name == room) else {
            assert!(
                room == "mangrove" || room == "mangrove-tests" || room == "mangrove-sim",
                "{room} has no place in the table of rooms"
            );
            continue;
        };
        let strangers: Vec<_> =
            uses.iter().filter(|d| d.starts_with("mangrove") && !allowed.contains(&d.as_str())).collect();
        assert!(strangers.is_empty(), "{room} must not use {strangers:?}");
    }
    for (room, _) in MAY_USE {
        assert!(dependencies.contains_key(*room), "{room} is in the table but not in the workspace");
    }
}

#[test]
fn pure_rooms_have_no_way_outside() {
    let dependencies = dependencies();
    for room in PURE {
        let bad: Vec<_> = dependencies[*room].iter().filter(|d| IMPURE.contains(&d.as_str())).collect();
        assert!(bad.is_empty(), "{room} must not depend on {bad:?}");
    }
}

#[test]
fn pure_rooms_ban_clocks_chance_and_hash_maps() {
    let folders = [
        "cluster/placement",
        "nodes/core/sip",
        "nodes/core/rtp",
        "nodes/core/codec",
        "nodes/core/sound",
        "nodes/core/domain",
    ];
    for folder in folders {
        let path = format!("{}/../{folder}/clippy.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        for banned in ["std::time::Instant::now", "std::time::SystemTime::now", "std::collections::HashMap"] {
            assert!(text.contains(banned), "{path} does not ban {banned}");
        }
    }
}
