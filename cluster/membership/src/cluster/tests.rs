//! Whole nodes in one process: founding, restarting, joining. `tests/members.rs` has those that come and go, `tests/upgrade.rs`
//! those of different builds, `tests/databases.rs` those of different databases.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use mangrove_raft::{Leadership, SnapshotError, SnapshotWriter};
use tokio::time::{sleep, timeout};

mod databases;
mod forgotten;
mod members;
mod upgrade;

use super::*;
use crate::directory::{Command, Home, Name, Refusal, Reply};

type Books = Arc<Mutex<BTreeMap<GroupId, Vec<String>>>>;

struct Book(GroupId, Books);

impl StateMachine for Book {
    fn apply(&mut self, _index: u64, _term: u64, payload: &[u8]) -> Vec<u8> {
        self.1.lock().unwrap().entry(self.0).or_default().push(String::from_utf8_lossy(payload).into());
        payload.to_vec()
    }

    fn leader_blank(&mut self, _index: u64, _term: u64) {}

    fn snapshot(&self) -> SnapshotWriter {
        let text = self.1.lock().unwrap().get(&self.0).map(|lines| lines.join("\n")).unwrap_or_default();
        Box::new(move || Ok(text.into_bytes()))
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), SnapshotError> {
        let lines = String::from_utf8_lossy(bytes).lines().map(String::from).collect();
        self.1.lock().unwrap().insert(self.0, lines);
        Ok(())
    }
}

fn options(folder: &Path, node: &str) -> Options {
    let listen = Some(([127, 0, 0, 1], 0).into());
    Options { listen, shard_groups: 4, ..Options::new(folder.join(node), node) }
}

async fn start(options: Options) -> (Cluster, Books) {
    let books = Books::default();
    let shelf = books.clone();
    let cluster = Cluster::start(options, move |group| Box::new(Book(group, shelf.clone()))).await.unwrap();
    (cluster, books)
}

/// Starts again; openraft's last tasks let go of the disk shortly after a shutdown.
async fn restart(options: Options) -> (Cluster, Books) {
    for _ in 0..200 {
        let books = Books::default();
        let shelf = books.clone();
        match Cluster::start(options.clone(), move |group| Box::new(Book(group, shelf.clone()))).await {
            Ok(cluster) => return (cluster, books),
            Err(Error::Log(mangrove_raft::StoreError::InUse { .. })) => sleep(Duration::from_millis(5)).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the disk was never let go of");
}

/// Who votes; nobody while that changes.
fn settled_voters(group: &Handle) -> Vec<NodeId> {
    let status = group.status();
    if status.changing { Vec::new() } else { status.voters }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let polled = async {
        while !holds() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(30), polled).await.unwrap_or_else(|_| panic!("not in 30 s: {what}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_founded_node_leads_all_its_groups_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, _) = start(Options { shard_groups: 16, ..options(folder.path(), "a") }).await;
    assert_eq!((cluster.node(), cluster.name(), cluster.boot()), (1, "a", 1));
    assert_eq!(cluster.groups(), (1..=16).collect::<Vec<_>>());
    for group in 0..=16 {
        let leadership = cluster.group(group).unwrap().leadership();
        let Leadership::Leader { fence, .. } = leadership else { panic!("group {group}: {leadership:?}") };
        assert_eq!(fence.incarnation, cluster.incarnation());
    }
    let founding = cluster.directory().founding.clone().unwrap();
    assert_eq!((founding.incarnation, founding.shard_groups), (cluster.incarnation(), 16));
    assert_ne!(founding.nonce_key, founding.token_key);
    cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_names_and_shards_are_back_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, _) = start(options(folder.path(), "a")).await;
    let placed = cluster.propose_directory(Command::PlaceTenant { tenant: "acme".into() }).await.unwrap();
    assert!(matches!(placed, Reply::Placed { home: Home { group: 1, .. } }), "{placed:?}");
    let names = [Name::new("number", "74951234567")].into();
    cluster.propose_directory(Command::Claim { tenant: "acme".into(), names }).await.unwrap();
    let before = cluster.group(1).unwrap();
    before.propose(b"call".to_vec()).await.unwrap();
    let Leadership::Leader { fence: old, .. } = before.leadership() else { panic!("leads") };
    let (incarnation, keys) = (cluster.incarnation(), cluster.directory().founding.clone());
    assert_eq!(cluster.wall_before_start(), 0, "a new cluster has no past");
    until("a heartbeat", || cluster.directory().member(1).is_some_and(|member| member.heartbeat_ms > 0))
        .await;
    let beat = cluster.directory().member(1).unwrap().heartbeat_ms;
    cluster.shutdown().await;
    drop((cluster, before));

    let began = Instant::now();
    let (cluster, books) = restart(options(folder.path(), "a")).await;
    assert!(began.elapsed() < Duration::from_secs(3), "took {:?}", began.elapsed());
    assert_eq!(
        (cluster.incarnation(), cluster.boot(), cluster.directory().founding.clone()),
        (incarnation, 2, keys)
    );
    assert_eq!(cluster.wall_before_start(), beat, "what was known before this start's own signs of life");
    assert_eq!(cluster.directory().tenant_of("number", "74951234567"), Some("acme"));
    assert_eq!(books.lock().unwrap()[&1], ["call"]);
    let Leadership::Leader { fence: new, .. } = cluster.group(1).unwrap().leadership() else {
        panic!("leads")
    };
    assert!(new > old, "{new:?} after {old:?}");
    cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_the_holder() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, _) = start(options(folder.path(), "a")).await;
    let names = BTreeSet::from([Name::new("number", "1")]);
    for tenant in ["acme", "other"] {
        cluster.propose_directory(Command::PlaceTenant { tenant: tenant.into() }).await.unwrap();
    }
    let claim = |tenant: &str| Command::Claim { tenant: tenant.into(), names: names.clone() };
    cluster.propose_directory(claim("acme")).await.unwrap();
    let refused = cluster.propose_directory(claim("other")).await.unwrap_err();
    assert!(
        matches!(refused, Error::Refused(Refusal::Held { ref holder, .. }) if holder == "acme"),
        "{refused}"
    );
    cluster.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_founding_that_was_cut_off_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let cut_off = Identity { boot: 1, ..Identity::new(9, 1, "a", true) };
    cut_off.save(&folder.path().join("a")).unwrap();
    let (cluster, _) = start(options(folder.path(), "a")).await;
    assert_eq!((cluster.incarnation(), cluster.boot()), (9, 2));
    assert_eq!(cluster.directory().opened, (0..=4u32).collect());
    let saved = Identity::load(&folder.path().join("a"), "a").unwrap().unwrap();
    assert!(!saved.founding);
    cluster.shutdown().await;
}

#[tokio::test]
async fn another_nodes_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, _) = start(options(folder.path(), "a")).await;
    cluster.shutdown().await;
    let stranger = Options { node: "b".into(), ..options(folder.path(), "a") };
    let machine = |group| -> Box<dyn StateMachine> { Box::new(Book(group, Books::default())) };
    assert!(matches!(Cluster::start(stranger, machine).await.unwrap_err(), Error::ForeignDisk { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn joined_nodes_share_the_groups_and_outlive_the_founder() {
    let folder = tempfile::tempdir().unwrap();
    let (first, _) = start(options(folder.path(), "a")).await;
    first.group(2).unwrap().propose(b"early".to_vec()).await.unwrap();
    let join = vec![first.local_addr().unwrap().to_string()];
    let (second, _) = start(Options { join: join.clone(), ..options(folder.path(), "b") }).await;
    let (third, books) = start(Options { join, ..options(folder.path(), "c") }).await;
    let nodes = [&first, &second, &third];
    until("every group has three voters everywhere", || {
        nodes.iter().all(|node| {
            (0..=4).all(|group| node.group(group).is_some_and(|group| settled_voters(&group) == [1, 2, 3]))
        })
    })
    .await;
    until("leads are spread as planned", || {
        let directory = third.directory();
        (0..=4).all(|group| {
            let wanted = directory.leader_wanted(group);
            nodes.iter().any(|node| {
                Some(node.node()) == wanted
                    && node.group(group).is_some_and(|group| group.leadership().is_leader())
            })
        })
    })
    .await;
    assert_eq!(books.lock().unwrap()[&2], ["early"]);

    first.shutdown().await;
    until("the others lead everything", || {
        let leads =
            |node: &Cluster, group| node.group(group).is_some_and(|group| group.leadership().is_leader());
        (0..=4).all(|group| leads(&second, group) || leads(&third, group))
    })
    .await;
    let follower = if second.group(0).unwrap().leadership().is_leader() { &third } else { &second };
    let placed = follower.propose_directory(Command::PlaceTenant { tenant: "acme".into() }).await.unwrap();
    assert!(matches!(placed, Reply::Placed { .. }));
    assert!(follower.directory().home("acme").is_some());
    second.shutdown().await;
    third.shutdown().await;
}
