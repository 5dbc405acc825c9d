//! Nodes with control, and some with pages alone, each with a gRPC port; what other nodes ask them may find a bad mood.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use mangrove_history::History;
use mangrove_membership::{Cluster, Options as ClusterOptions};
use mangrove_proto::{control::ConfigureRequest, service::Console};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{service::Routes, transport::Server};

use super::{
    house::{pace, until},
    moods::Moods,
};
use crate::{Control, Desk, Options, Prepared, group::Group, grpc};

/// A town's nodes, each with its role, how many shard groups it has, and how many nodes have a replica of one.
pub(crate) struct Layout {
    seats: &'static [(&'static str, &'static str)],
    groups: u32,
    replicas: usize,
}

/// Two nodes with control and one with pages alone, which asks them.
pub(crate) const PAIR: Layout =
    Layout { seats: &[("a", "control"), ("b", "control"), ("w", "console")], groups: 2, replicas: 3 };
/// A group goes on without one of them.
pub(crate) const THREE: Layout =
    Layout { seats: &[("a", "control"), ("b", "control"), ("c", "control")], groups: 2, replicas: 3 };
/// Each has groups that the other has not.
pub(crate) const APART: Layout =
    Layout { seats: &[("a", "control"), ("b", "control")], groups: 3, replicas: 1 };

/// One node.
pub(crate) struct Seat {
    pub(crate) cluster: Cluster,
    pub(crate) control: Option<Control>,
    /// What consoles ask.
    pub(crate) consoles: Moods,
    /// What other proposers ask.
    pub(crate) proposers: Moods,
    port: Port,
}

/// What a node serves to others, in a runtime of its own: with it end all connections, as with a process.
struct Port {
    address: String,
    runtime: Option<runtime::Runtime>,
}

impl Port {
    async fn open() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        (listener, address)
    }

    fn serve((listener, address): (TcpListener, String), routes: Routes) -> Self {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let router = Server::builder().add_routes(routes);
        runtime.spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
        Self { address, runtime: Some(runtime) }
    }

    /// In another runtime one can't just be dropped.
    fn end(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    async fn close(&mut self) {
        self.end();
        while TcpStream::connect(&self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.end();
    }
}

impl Seat {
    async fn open(folder: &Path, (name, role): (&str, &str), layout: &Layout, join: Vec<String>) -> Self {
        let bound = Port::open().await;
        let prepared = Prepared::default();
        let machines = prepared.clone();
        let mut options = ClusterOptions::new(folder.join(name), name);
        (options.advertise, options.join) = (Some(bound.1.clone()), join);
        (options.shard_groups, options.replicas) = (layout.groups, layout.replicas);
        options.roles = [role.to_owned()].into();
        let cluster = Cluster::start(options, move |group| machines.machine(group)).await.unwrap();
        let control = match role {
            "control" => Some(control(folder, name, &cluster, prepared).await),
            _ => None,
        };
        let (consoles, proposers) = (Moods::default(), Moods::default());
        let routes = match &control {
            Some(control) => cluster
                .routes()
                .add_service(consoles.of(grpc::console_server(control.clone())))
                .add_service(proposers.of(grpc::server(control.clone()))),
            None => cluster.routes(),
        };
        let port = Port::serve(bound, routes);
        if let Some(control) = &control {
            control.lead().await.unwrap();
        }
        Self { cluster, control, consoles, proposers, port }
    }

    pub(crate) fn group(&self, id: u32) -> Option<Arc<Group>> {
        self.control.as_ref()?.group(id)
    }

    /// From now on nobody reaches it. What it says itself still gets through.
    pub(crate) async fn close_port(&mut self) {
        self.port.close().await;
    }

    /// As a process that is killed; what is on its disk stays.
    pub(crate) async fn kill(&mut self) {
        self.port.close().await;
        self.cluster.shutdown().await;
    }

    /// Whether it has heard of acme, in its directory and in its replica.
    fn knows_acme(&self) -> bool {
        let has = |group: Arc<Group>| group.shared.get().state.tenant(&"acme".into()).is_some();
        let home = self.cluster.directory().home("acme");
        home.is_some_and(|home| self.group(home.group).is_none_or(has))
    }
}

async fn control(folder: &Path, name: &str, cluster: &Cluster, prepared: Prepared) -> Control {
    let history = History::open(&format!("sqlite:{}/{name}.db", folder.display())).await.unwrap();
    let options = Options { pace: pace(), ..Options::new(history) };
    Control::new(cluster.clone(), prepared, options).unwrap()
}

pub(crate) struct Town {
    pub(crate) seats: Vec<Seat>,
    groups: u32,
    replicas: usize,
    _folder: TempDir,
}

impl Town {
    /// All groups are where the plan wants them and led as planned, and all know that all are alive.
    pub(crate) async fn open(layout: &Layout) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut seats: Vec<Seat> = Vec::new();
        for seat in layout.seats {
            let join = seats.first().map(|first| first.port.address.clone()).into_iter().collect();
            seats.push(Seat::open(folder.path(), *seat, layout, join).await);
        }
        let controls = seats.iter().filter(|seat| seat.control.is_some()).count();
        let replicas = layout.replicas.min(controls);
        let town = Self { seats, groups: layout.groups, replicas, _folder: folder };
        until("the town stands", || town.stands()).await;
        town
    }

    fn stands(&self) -> bool {
        let knows_all = |seat: &Seat| {
            let directory = seat.cluster.directory();
            directory.members.values().filter(|member| member.alive).count() == self.seats.len()
        };
        self.seats.iter().all(knows_all) && (0..=self.groups).all(|group| self.is_settled(group))
    }

    /// Whether a group's replicas vote where the plan wants them, nowhere else, under the leader it wants.
    fn is_settled(&self, group: u32) -> bool {
        let directory = self.seats[0].cluster.directory();
        let Some(place) = directory.plan.groups.get(&group) else { return false };
        let wanted: BTreeSet<_> = place.replicas.iter().copied().collect();
        let has = |seat: &&Seat| seat.cluster.group(group).is_some();
        let here: BTreeSet<_> = self.seats.iter().filter(has).map(|seat| seat.cluster.node()).collect();
        let Some(leader) = self.seats.iter().find(|seat| seat.cluster.node() == place.leader) else {
            return false;
        };
        let leads = match group {
            0 => leader.cluster.group(0).is_some_and(|group| group.leadership().is_leader()),
            _ => leader.group(group).is_some_and(|group| group.is_led()),
        };
        let status = leader.cluster.group(group).map(|group| group.status());
        let votes = status.is_some_and(|status| status.voters.len() == wanted.len() && !status.changing);
        wanted.len() == self.replicas && here == wanted && leads && votes
    }

    /// The place of the node that leads a group, and of another one with control.
    pub(crate) fn places(&self, group: u32) -> (usize, usize) {
        let leader = self.seats[0].cluster.directory().leader_wanted(group);
        let leads = |seat: &Seat| Some(seat.cluster.node()) == leader;
        let first = self.seats.iter().position(leads).unwrap();
        let second = self.seats.iter().position(|seat| !leads(seat) && seat.control.is_some());
        (first, second.unwrap())
    }

    /// The node whose answers come first for a group, and another one with control.
    pub(crate) fn order(&self, group: u32) -> (&Seat, &Seat) {
        let (first, second) = self.places(group);
        (&self.seats[first], &self.seats[second])
    }

    /// The node that came last.
    pub(crate) fn last(&self) -> &Seat {
        &self.seats[self.seats.len() - 1]
    }

    /// Sends a document to acme through a console, and waits until all know of it. It is in group 1 then.
    pub(crate) async fn configure(&self, desk: &Desk, document: &serde_json::Value) {
        let document = serde_json::to_vec(document).unwrap().into();
        let request = ConfigureRequest { tenant: "acme".into(), document, ..ConfigureRequest::default() };
        let reply = desk.configure(request).await.unwrap();
        assert!(reply.problems.is_empty(), "{:?}", reply.problems);
        until("all know acme", || self.seats.iter().all(Seat::knows_acme)).await;
        assert_eq!(self.seats[0].cluster.directory().home("acme").map(|home| home.group), Some(1));
    }

    pub(crate) async fn close(self) {
        for seat in &self.seats {
            if let Some(control) = &seat.control {
                control.stop().await;
            }
            seat.cluster.shutdown().await;
        }
    }
}
