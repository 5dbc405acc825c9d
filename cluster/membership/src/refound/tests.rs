//! A folder made of what a cluster had, and the node that starts on it.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mangrove_raft::{SnapshotError, SnapshotWriter, StateMachine};
use tokio::time::sleep;

use super::*;
use crate::directory::{Command, Founding, Name, Reply};
use crate::{Cluster, PROTOCOL};

/// Keeps all that was applied, one after the other.
#[derive(Debug, Clone, Default)]
struct Tape(Arc<Mutex<Vec<u8>>>);

impl StateMachine for Tape {
    fn apply(&mut self, _index: u64, _term: u64, payload: &[u8]) -> Vec<u8> {
        self.0.lock().unwrap().extend_from_slice(payload);
        self.0.lock().unwrap().clone()
    }

    fn leader_blank(&mut self, _index: u64, _term: u64) {}

    fn snapshot(&self) -> SnapshotWriter {
        let state = self.0.lock().unwrap().clone();
        Box::new(move || Ok(state))
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        *self.0.lock().unwrap() = bytes.to_vec();
        Ok(())
    }
}

/// As of a cluster with two nodes, one of them gone, and a tenant.
fn backed_up() -> Directory {
    let founding = Founding { incarnation: 7, shard_groups: 2, nonce_key: [1; 32], token_key: [2; 32] };
    let member = |name: &str| Member {
        name: name.into(),
        roles: [Member::CONTROL.into()].into(),
        protocol: PROTOCOL,
        ..Member::default()
    };
    let mut directory = Directory::default();
    let commands = [
        Command::Found { founding, member: member("old") },
        Command::JoinMember { member: member("older") },
        Command::OpenGroups { groups: [1, 2].into() },
        Command::PlaceTenant { tenant: "acme".into() },
        Command::Claim { tenant: "acme".into(), names: [Name::new("number", "1")].into() },
        Command::StartSender { sender: "edge/old".into(), incarnation: 3 },
        Command::TakeLease { id: 1 },
    ];
    for (index, command) in (40..).zip(commands) {
        directory.apply(index, 5, command).unwrap();
    }
    directory
}

fn seeds() -> BTreeMap<GroupId, Seed> {
    let of =
        |group: GroupId| (group, Seed { index: 100 + u64::from(group), state: vec![b'0' + group as u8] });
    [1, 2].map(of).into()
}

#[test]
fn what_lives_where_stays_and_who_was_there_is_forgotten() {
    let before = backed_up();
    let member = Member { name: "new".into(), roles: [Member::CONTROL.into()].into(), ..Member::default() };
    let (after, id) = before.clone().refounded(9, member).unwrap();
    assert_eq!((after.tenants.clone(), after.claims.clone()), (before.tenants, before.claims));
    let (founding, old) = (after.founding.clone().unwrap(), before.founding.unwrap());
    assert_eq!(
        (founding.incarnation, founding.nonce_key, founding.token_key),
        (9, old.nonce_key, old.token_key)
    );
    assert_eq!((id, after.members.len(), after.member_named("new").map(|new| new.alive)), (3, 1, Some(true)));
    assert!(after.senders.is_empty() && after.leases.is_empty());
    assert!(after.plan.groups.values().all(|place| place.replicas == [3] && place.leader == 3));
    assert_eq!(after.opened.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_founds_a_cluster_with_it_and_goes_on_after_its_positions() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options::new(folder.path().join("data"), "new");
    let incarnation = refound(&options, backed_up(), &seeds()).unwrap();
    assert!(incarnation > 7, "whoever obeys the cluster of the backup would obey this one no more than that");
    let tapes: Arc<Mutex<BTreeMap<GroupId, Tape>>> = Arc::default();
    let made = tapes.clone();
    let factory = move |group| {
        let tape = Tape::default();
        made.lock().unwrap().insert(group, tape.clone());
        Box::new(tape) as Box<dyn StateMachine>
    };
    let cluster = Cluster::start(options.clone(), factory).await.unwrap();
    assert_eq!((cluster.incarnation(), cluster.node(), cluster.groups()), (incarnation, 3, vec![1, 2]));
    assert_eq!(cluster.directory().tenant_of("number", "1"), Some("acme"));
    let reply = cluster.group(2).unwrap().propose(b"!".to_vec()).await.unwrap();
    assert_eq!(reply, b"2!");
    assert!(cluster.group(2).unwrap().last_applied() > 102);
    let placed = cluster.propose_directory(Command::PlaceTenant { tenant: "bolt".into() }).await.unwrap();
    let Reply::Placed { home } = placed else { panic!("{placed:?}") };
    assert!(home.epoch > 46, "{home:?}: epochs of the cluster before");
    cluster.shutdown().await;
    let again = refound(&options, backed_up(), &seeds()).unwrap_err();
    assert!(matches!(again, Error::NotEmpty { .. }), "{again}");
    // What is on disk is the node's as before.
    let again = loop {
        let factory = |_| Box::new(Tape::default()) as Box<dyn StateMachine>;
        match Cluster::start(options.clone(), factory).await {
            Err(Error::Log(mangrove_raft::StoreError::InUse { .. })) => sleep(Duration::from_millis(5)).await,
            started => break started.unwrap(),
        }
    };
    assert!(again.directory().home("bolt").is_some());
    again.shutdown().await;
}

#[test]
fn live_data_and_a_node_that_may_not_found_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let occupied = folder.path().join("data");
    fs::create_dir(&occupied).unwrap();
    fs::write(occupied.join("node.json"), "{}").unwrap();
    let error = refound(&Options::new(&occupied, "new"), backed_up(), &seeds()).unwrap_err();
    assert!(error.to_string().contains("not empty"), "{error}");
    assert_eq!(fs::read(occupied.join("node.json")).unwrap(), b"{}");
    let mut edge = Options::new(folder.path().join("edge"), "new");
    edge.roles = ["edge".into()].into();
    let error = refound(&edge, backed_up(), &seeds()).unwrap_err();
    assert!(error.to_string().contains("`control`"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was made");
}
