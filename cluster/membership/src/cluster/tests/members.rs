//! Members that come, die, return, drain, leave and are replaced.

use super::*;
use crate::options::Pulse;

/// Three control nodes in zones of their own and one edge node.
struct Town {
    folder: tempfile::TempDir,
    nodes: BTreeMap<&'static str, Cluster>,
}

/// Quick enough for a test, with more patience than a busy machine uses up.
pub(super) fn hasty(folder: &Path, node: &str) -> Options {
    let pulse = Pulse { every: Duration::from_millis(50), ..Pulse::default() };
    Options { zone: node.into(), pulse, ..options(folder, node) }
}

impl Town {
    async fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let first = start(hasty(folder.path(), "a")).await.0;
        let mut town = Self { folder, nodes: BTreeMap::from([("a", first)]) };
        for name in ["b", "c", "e"] {
            town.join(name).await;
        }
        town.settled("the town is founded").await;
        town
    }

    fn options(&self, name: &str) -> Options {
        let join = self.nodes.values().map(|node| node.local_addr().unwrap().to_string()).collect();
        let mut options = Options { join, ..hasty(self.folder.path(), name) };
        if name.starts_with('e') {
            options.roles = ["edge".into()].into();
        }
        options
    }

    async fn join(&mut self, name: &'static str) {
        let (node, _) = start(self.options(name)).await;
        self.nodes.insert(name, node);
    }

    async fn come_back(&mut self, name: &'static str) {
        let (node, _) = restart(self.options(name)).await;
        self.nodes.insert(name, node);
    }

    /// As abrupt as it gets within a process: nothing is handed over.
    async fn kill(&mut self, name: &str) -> NodeId {
        let node = self.nodes.remove(name).unwrap();
        node.shutdown().await;
        node.node()
    }

    fn id(&self, name: &str) -> NodeId {
        self.nodes[name].node()
    }

    fn led(&self, group: GroupId) -> Option<&Cluster> {
        self.nodes.values().find(|node| leads(node, group))
    }

    /// Every group is led as planned, by a node that runs, with the planned voters.
    fn is_settled(&self) -> bool {
        (0..=4).all(|group| {
            self.led(group).is_some_and(|leader| {
                let place = leader.directory().plan.groups[&group].clone();
                let handle = leader.group(group).unwrap();
                place.leader == leader.node() && settled_voters(&handle) == place.replicas
            })
        }) && self.nodes.values().all(|node| self.alive_to(node))
    }

    /// Everybody who runs is known to run, and has what the plan gives it.
    fn alive_to(&self, node: &Cluster) -> bool {
        let directory = node.directory();
        let here = node.groups().len() + usize::from(node.group(DIRECTORY).is_some());
        self.nodes.values().all(|other| directory.member(other.node()).is_some_and(|member| member.alive))
            && directory.groups_of(node.node()).count() == here
    }

    async fn settled(&self, what: &str) {
        self.until(what, Self::is_settled).await;
    }

    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let polled = async {
            while !holds(self) {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(Duration::from_secs(30), polled)
            .await
            .unwrap_or_else(|_| panic!("not in 30 s: {what}\n{self}"));
    }

    fn any(&self) -> &Cluster {
        self.nodes.values().next().unwrap()
    }

    async fn stop(self) {
        for node in self.nodes.values() {
            node.shutdown().await;
        }
    }
}

/// What each node knows, for a test that waits in vain.
impl fmt::Display for Town {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, node) in &self.nodes {
            let directory = node.directory();
            let alive = directory.members.values().filter(|member| member.alive).map(|member| member.id);
            writeln!(
                f,
                "{name} ({}): version {}, alive {:?}",
                node.node(),
                directory.version,
                alive.collect::<Vec<_>>()
            )?;
            for (group, place) in &directory.plan.groups {
                let status = node.group(*group).map(|group| group.status());
                writeln!(f, "  group {group}: planned {place:?}, here {status:?}")?;
            }
        }
        Ok(())
    }
}

fn leads(node: &Cluster, group: GroupId) -> bool {
    node.group(group).is_some_and(|group| group.leadership().is_leader())
}

fn machine() -> impl Fn(GroupId) -> Box<dyn StateMachine> + Send + Sync + 'static {
    let books = Books::default();
    move |group| Box::new(Book(group, books.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_node_knows_and_changes_the_directory_without_a_vote() {
    let town = Town::found().await;
    let edge = &town.nodes["e"];
    assert!(edge.groups().is_empty() && edge.group(DIRECTORY).is_none());
    let controls = ["a", "b", "c"].map(|name| town.id(name));
    for place in edge.directory().plan.groups.values() {
        assert_eq!(place.replicas, controls);
    }
    let loads: Vec<_> =
        ["a", "b", "c"].map(|name| (0..=4).filter(|group| leads(&town.nodes[name], *group)).count()).into();
    assert!(loads.iter().all(|load| (1..=2).contains(load)), "leads {loads:?}");
    let placed = edge.propose_directory(Command::PlaceTenant { tenant: "acme".into() }).await.unwrap();
    assert!(matches!(placed, Reply::Placed { .. }));
    assert!(edge.directory().home("acme").is_some(), "its own copy has it when the answer comes");
    let join = vec![edge.local_addr().unwrap().to_string()];
    let (other, _) = start(Options { join, ..town.options("e2") }).await;
    assert!(other.directory().home("acme").is_some(), "who joins through it finds the leader");
    other.shutdown().await;
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_leader_keeps_waiting_goes_to_the_next_leader_that_asks() {
    let town = Town::found().await;
    let mut options = town.options("e2");
    // Nothing else is to end the wait.
    options.transport.keepalive = Duration::from_secs(60);
    let (edge, _) = start(options).await;
    let hangs = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    edge.node.lead.asks(1_000, &hangs.local_addr().unwrap().to_string());
    let asking = edge.clone();
    let placed = tokio::spawn(async move {
        asking.propose_directory(Command::PlaceTenant { tenant: "acme".into() }).await
    });
    // Of the command, and of the directory that is followed.
    let _waiting = [hangs.accept().await.unwrap(), hangs.accept().await.unwrap()];
    let leader = town.led(DIRECTORY).unwrap().local_addr().unwrap().to_string();
    edge.node.lead.asks(1_001, &leader);
    assert!(matches!(placed.await.unwrap().unwrap(), Reply::Placed { .. }));
    assert_eq!(edge.sources().first(), Some(&leader), "it is followed again");
    edge.shutdown().await;
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_node_is_lost_and_returns_to_its_groups() {
    let mut town = Town::found().await;
    let leader = town.led(DIRECTORY).unwrap().name().to_owned();
    let dead = town.kill(&leader).await;
    let known = |town: &Town, alive| {
        town.nodes
            .values()
            .all(|node| node.directory().member(dead).is_some_and(|member| member.alive == alive))
    };
    town.until("all know of the death, the edge node too", |town| known(town, false)).await;
    town.settled("the others lead all groups").await;
    let kept = &town.any().directory().plan;
    assert!(kept.groups.values().all(|place| place.replicas.contains(&dead)), "its replicas are kept for it");
    assert!(kept.groups.values().all(|place| place.leader != dead));
    let name = ["a", "b", "c"].into_iter().find(|name| *name == leader).unwrap();
    town.come_back(name).await;
    assert_eq!(town.id(name), dead);
    town.settled("it is back and leads its share").await;
    assert!((0..=4).any(|group| leads(&town.nodes[name], group)));
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_node_hands_all_over_and_leaves_for_good() {
    let mut town = Town::found().await;
    town.join("d").await;
    town.settled("four share the replicas").await;
    let (id, folder) = (town.id("b"), town.options("b"));
    let refused = town.nodes["e"].leave_node("b").await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::NotDrained { .. })), "{refused}");
    town.nodes["e"].drain_node("b", true).await.unwrap();
    until("nothing runs on it any more", || {
        let b = &town.nodes["b"];
        b.groups().is_empty() && b.group(DIRECTORY).is_none()
    })
    .await;
    town.settled("the others hold three replicas of each group").await;
    assert!(town.nodes["b"].directory().member(id).is_some_and(|member| member.draining), "it follows on");
    town.nodes["c"].leave_node("b").await.unwrap();
    let mut failure = town.nodes["b"].watch_failure();
    timeout(Duration::from_secs(30), failure.wait_for(Option::is_some)).await.unwrap().unwrap();
    town.kill("b").await;
    let refused = Cluster::start(folder, machine()).await.unwrap_err();
    assert!(matches!(&refused, Error::NotTakenBack(why) if why.contains("never used again")), "{refused}");
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_node_is_replaced_by_a_new_one_of_its_name() {
    let mut town = Town::found().await;
    let refused = town.any().replace_node("c").await.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::StillAlive { .. })), "{refused}");
    let dead = town.kill("c").await;
    until("it is lost", || town.any().directory().member(dead).is_some_and(|member| !member.alive)).await;
    town.any().replace_node("c").await.unwrap();
    let empty = town.folder.path().join("c2");
    let newcomer = Options { data_dir: empty, ..town.options("c") };
    let (node, _) = start(newcomer).await;
    assert_ne!(node.node(), dead);
    town.nodes.insert("c", node);
    until("the old one has left", || town.nodes.values().all(|node| node.directory().member(dead).is_none()))
        .await;
    town.settled("the new one has its place").await;
    let new = town.id("c");
    let voters: Vec<_> =
        (0..=4).map(|group| town.led(group).unwrap().group(group).unwrap().status().voters).collect();
    assert!(voters.iter().all(|voters| *voters == [1, 2, new]), "{voters:?}");
    town.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_of_a_node_that_stays_away_go_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let grace = Duration::from_millis(100);
    let impatient = |name: &str| Options { grace, ..hasty(folder.path(), name) };
    let (first, _) = start(impatient("a")).await;
    let join = vec![first.local_addr().unwrap().to_string()];
    let mut others = Vec::new();
    for name in ["b", "c", "d"] {
        others.push(start(Options { join: join.clone(), ..impatient(name) }).await.0);
    }
    let nodes = || std::iter::once(&first).chain(&others);
    let voters = |group: GroupId| -> Vec<NodeId> {
        let leader = nodes().find(|node| leads(node, group));
        leader.map(|node| settled_voters(&node.group(group).unwrap())).unwrap_or_default()
    };
    let holds = |node: NodeId| (0..=4).any(|group| voters(group).contains(&node));
    until("all have replicas, and all groups three", || {
        (1..=4).all(holds) && (0..=4).all(|group| voters(group).len() == 3)
    })
    .await;
    let gone = others[2].clone();
    gone.shutdown().await;
    until("three others hold everything, and vote", || (0..=4).all(|group| voters(group) == [1, 2, 3])).await;
    for node in [&first, &others[0], &others[1]] {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_fit_is_not_taken_in() {
    let folder = tempfile::tempdir().unwrap();
    let (town, _) = start(options(folder.path(), "a")).await;
    let other = start(options(folder.path(), "x")).await.0;
    let join = vec![town.local_addr().unwrap().to_string()];
    let joining = |name: &str| Options { join: join.clone(), ..options(folder.path(), name) };
    let before = town.directory().members.keys().copied().collect::<Vec<_>>();
    let old = Options { protocol: 0, ..joining("old") };
    let table = [
        (Options { data_dir: folder.path().join("empty"), ..joining("a") }, "belongs to node 1"),
        (old, "protocol 0"),
    ];
    for (options, why) in table {
        let refused = Cluster::start(options, machine()).await.unwrap_err();
        assert!(matches!(&refused, Error::Join(said) if said.contains(why)), "{refused}");
    }
    other.shutdown().await;
    drop(other);
    let refused = Cluster::start(joining("x"), machine()).await.unwrap_err();
    assert!(matches!(&refused, Error::NotTakenBack(said) if said.contains("this is cluster")), "{refused}");
    assert_eq!(town.directory().members.keys().copied().collect::<Vec<_>>(), before);
    let refused = town.drain_node("a", true).await.unwrap_err();
    assert!(refused.to_string().contains("add another one first"), "{refused}");
    assert!(matches!(town.leave_node("nobody").await.unwrap_err(), Error::UnknownNode(_)));
    town.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_tells_of_itself_and_the_dead_keep_nobody_waiting() {
    let mut town = Town::found().await;
    town.nodes["e"].report_with(Arc::new(|| OwnReport {
        figures: vec![("calls".into(), 7)],
        trouble: vec!["no port is free".into()],
        alarms: vec!["disk nearly full".into()],
    }));
    town.nodes["a"].propose_directory(Command::TakeLease { id: town.id("e") }).await.unwrap();
    let dead = town.kill("c").await;
    let nodes = town.nodes["a"].nodes().await;
    let carried =
        nodes.iter().map(|node| (node.name.as_str(), node.carries.len())).filter(|(_, count)| *count > 0);
    assert_eq!(carried.collect::<Vec<_>>(), [("e", 1)]);
    let told = |id: NodeId| nodes.iter().find(|node| node.id == id).unwrap().report.clone();
    assert_eq!(told(dead), None);
    let edge = told(town.id("e")).unwrap();
    assert_eq!((edge.figures["calls"], edge.replicas), (7, 0));
    assert_eq!(edge.trouble, ["no port is free", "disk nearly full"]);
    assert_eq!(town.nodes["e"].alarms(), ["disk nearly full"]);
    let control = told(town.id("a")).unwrap();
    assert_eq!((control.replicas, control.groups.len()), (5, 5));
    assert!(control.groups.iter().all(|group| group.voters.contains(&town.id("a"))), "{control:?}");
    town.stop().await;
}
