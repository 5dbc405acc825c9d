//! Two builds in one cluster: both write what the older one reads, until nobody speaks its protocol any more.

use super::*;
use crate::directory::HANDOVER;
use crate::options::PROTOCOL;

/// Two protocols of which the older one lacks words.
const OLDER: u32 = NEWER - 1;
const NEWER: u32 = HANDOVER;

/// A control node `a` and an edge `e`, each of a build of its own.
struct Pair {
    folder: tempfile::TempDir,
    a: Cluster,
    e: Cluster,
}

fn of(folder: &Path, name: &str, protocol: u32) -> Options {
    Options { protocol, version: format!("0.{protocol}.0"), ..options(folder, name) }
}

fn edge(folder: &Path, protocol: u32, a: &Cluster) -> Options {
    let join = vec![a.local_addr().unwrap().to_string()];
    Options { join, roles: ["edge".into()].into(), ..of(folder, "e", protocol) }
}

impl Pair {
    async fn of(a: u32, e: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (a, _) = start(of(folder.path(), "a", a)).await;
        let (e, _) = start(edge(folder.path(), e, &a)).await;
        let pair = Self { folder, a, e };
        pair.know_each_other().await;
        pair
    }

    async fn know_each_other(&self) {
        until("both are alive to both", || {
            let alive = |node: &Cluster| node.directory().members.values().filter(|one| one.alive).count();
            alive(&self.a) == 2 && alive(&self.e) == 2
        })
        .await;
    }

    /// The edge's process is of this build from now on.
    async fn edge_speaks(&mut self, protocol: u32) {
        self.e.shutdown().await;
        self.e = restart(edge(self.folder.path(), protocol, &self.a)).await.0;
        self.know_each_other().await;
    }

    async fn control_speaks(&mut self, protocol: u32) {
        // At its old address: the edge looks for it there.
        let listen = self.a.local_addr();
        self.a.shutdown().await;
        self.a = restart(Options { listen, ..of(self.folder.path(), "a", protocol) }).await.0;
        self.know_each_other().await;
    }

    async fn ends(self) {
        self.e.shutdown().await;
        self.a.shutdown().await;
    }
}

/// What the cluster answers a newcomer of this build.
async fn refusal(pair: &Pair, name: &str, protocol: u32) -> String {
    let options = Options { node: name.into(), ..edge(pair.folder.path(), protocol, &pair.a) };
    let options = Options { data_dir: pair.folder.path().join(name), ..options };
    let machine = |group| -> Box<dyn StateMachine> { Box::new(Book(group, Books::default())) };
    Cluster::start(options, machine).await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_upgraded_node_by_node_and_back_until_all_are() {
    let mut pair = Pair::of(OLDER, NEWER).await;
    assert!(!pair.a.directory().all_speak(HANDOVER), "one reads the older words only");
    assert!(!pair.e.stop_node().await.unwrap(), "so the newer build does not write others");
    pair.edge_speaks(OLDER).await;
    pair.edge_speaks(NEWER).await;
    pair.control_speaks(NEWER).await;
    until("the step is made", || pair.e.directory().all_speak(NEWER)).await;
    assert!(pair.e.stop_node().await.unwrap());
    assert!(pair.a.directory().member(pair.e.node()).is_some_and(|member| member.stopping));
    let takes = format!("the cluster takes {NEWER} to {}; install a version that fits", NEWER + 1);
    for protocol in [OLDER, NEWER + 2] {
        let said = refusal(&pair, "stranger", protocol).await;
        assert!(said.contains(&format!("this build speaks protocol {protocol}, {takes}")), "{said}");
    }
    pair.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_build_works_beside_this_one() {
    let pair = Pair::of(PROTOCOL, PROTOCOL + 1).await;
    assert!(pair.e.stop_node().await.unwrap(), "both write what this one reads");
    pair.ends().await;
}
