//! Two control nodes and one with pages alone, each with a gRPC port. What other nodes ask a control node may be put to one in
//! a bad mood.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    task::{Context, Poll},
};

use mangrove_history::History;
use mangrove_membership::{Cluster, Options as ClusterOptions};
use mangrove_proto::{
    control::ConfigureRequest,
    service::{Console, Error},
};
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{
    Status,
    body::Body,
    codegen::{BoxFuture, Service, http},
    server::NamedService,
    service::Routes,
    transport::Server,
};

use super::house::{pace, until};
use crate::{Control, Desk, Options, Prepared, group::Group, grpc};

/// What becomes of a call that another node makes.
#[derive(Debug, Clone, Default)]
pub(crate) enum Mood {
    #[default]
    Well,
    Fails(Error),
    /// No answer comes, ever.
    Hangs,
}

/// The mood of one service of a node, and how often it was called. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moods(Arc<Mutex<(Mood, usize)>>);

impl Moods {
    pub(crate) fn set(&self, mood: Mood) {
        self.0.lock().0 = mood;
    }

    pub(crate) fn asked(&self) -> usize {
        self.0.lock().1
    }

    fn called(&self) -> Mood {
        let mut inner = self.0.lock();
        inner.1 += 1;
        inner.0.clone()
    }
}

/// A service with moods.
#[derive(Debug, Clone)]
struct Moody<S> {
    inner: S,
    moods: Moods,
}

impl<S: NamedService> NamedService for Moody<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<http::Request<Body>> for Moody<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let (mut inner, mood) = (self.inner.clone(), self.moods.called());
        Box::pin(async move {
            match mood {
                Mood::Well => inner.call(request).await,
                Mood::Fails(error) => Ok(Status::from(&error).into_http()),
                Mood::Hangs => std::future::pending().await,
            }
        })
    }
}

/// One node.
pub(crate) struct Seat {
    pub(crate) cluster: Cluster,
    pub(crate) control: Option<Control>,
    /// What consoles ask.
    pub(crate) consoles: Moods,
    /// What other proposers ask.
    pub(crate) proposers: Moods,
}

pub(crate) struct Town {
    seats: Vec<Seat>,
    _folder: TempDir,
}

impl Seat {
    async fn open(folder: &Path, name: &str, role: &str, join: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let prepared = Prepared::default();
        let machines = prepared.clone();
        let mut options = ClusterOptions::new(folder.join(name), name);
        (options.advertise, options.join) = (Some(address.to_string()), join);
        (options.shard_groups, options.roles) = (2, [role.to_owned()].into());
        let cluster = Cluster::start(options, move |group| machines.machine(group)).await.unwrap();
        let control = match role {
            "control" => Some(control(folder, name, &cluster, prepared).await),
            _ => None,
        };
        let (consoles, proposers) = (Moods::default(), Moods::default());
        let routes = match &control {
            Some(control) => cluster
                .routes()
                .add_service(Moody { inner: grpc::console_server(control.clone()), moods: consoles.clone() })
                .add_service(Moody { inner: grpc::server(control.clone()), moods: proposers.clone() }),
            None => cluster.routes(),
        };
        serve(listener, routes);
        if let Some(control) = &control {
            control.lead().await.unwrap();
        }
        Self { cluster, control, consoles, proposers }
    }

    pub(crate) fn group(&self, id: u32) -> Option<Arc<Group>> {
        self.control.as_ref()?.group(id)
    }

    /// Whether it has heard of acme, in its directory and in its replica.
    fn knows_acme(&self) -> bool {
        let has = |group: Arc<Group>| group.shared.get().state.tenant(&"acme".into()).is_some();
        let home = self.cluster.directory().home("acme");
        home.is_some_and(|home| self.control.is_none() || self.group(home.group).is_some_and(has))
    }
}

async fn control(folder: &Path, name: &str, cluster: &Cluster, prepared: Prepared) -> Control {
    let history = History::open(&format!("sqlite:{}/{name}.db", folder.display())).await.unwrap();
    let options = Options { pace: pace(), ..Options::new(history) };
    Control::new(cluster.clone(), prepared, options).unwrap()
}

fn serve(listener: TcpListener, routes: Routes) {
    let router = Server::builder().add_routes(routes);
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
}

impl Town {
    /// All groups are led as planned, with a replica on both control nodes, and all know that all are alive.
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut seats: Vec<Seat> = Vec::new();
        for (name, role) in [("a", "control"), ("b", "control"), ("w", "console")] {
            let first = seats.first().and_then(|first| first.cluster.directory().member(1).cloned());
            let join = first.map(|member| member.address).into_iter().collect();
            seats.push(Seat::open(folder.path(), name, role, join).await);
        }
        let town = Self { seats, _folder: folder };
        until("the town stands", || town.stands()).await;
        town
    }

    fn stands(&self) -> bool {
        let is_led = |group| {
            let leader = self.seats[0].cluster.directory().leader_wanted(group);
            let seat = self.seats.iter().find(|seat| Some(seat.cluster.node()) == leader);
            seat.and_then(|seat| seat.group(group)).is_some_and(|group| group.is_led())
        };
        let alive = |seat: &Seat| seat.cluster.directory().members.values().filter(|one| one.alive).count();
        let voters = |group| self.seats[0].cluster.group(group).map(|group| group.status());
        let all_vote = |group| voters(group).is_some_and(|seen| seen.voters.len() == 2 && !seen.changing);
        (1..=2).all(is_led) && (0..=2).all(all_vote) && self.seats.iter().all(|seat| alive(seat) == 3)
    }

    /// The node whose answers come first for a group, and the other one.
    pub(crate) fn order(&self, group: u32) -> (&Seat, &Seat) {
        let [a, b, _] = self.seats.as_slice() else { panic!("three seats") };
        let leader = a.cluster.directory().leader_wanted(group);
        if leader == Some(a.cluster.node()) { (a, b) } else { (b, a) }
    }

    /// The node with pages alone.
    pub(crate) fn web(&self) -> &Seat {
        &self.seats[2]
    }

    /// Sends a document to acme through the console, and waits until all know of it.
    pub(crate) async fn configure(&self, desk: &Desk, document: &serde_json::Value) {
        let document = serde_json::to_vec(document).unwrap().into();
        let request = ConfigureRequest { tenant: "acme".into(), document, ..ConfigureRequest::default() };
        let reply = desk.configure(request).await.unwrap();
        assert!(reply.problems.is_empty(), "{:?}", reply.problems);
        until("all know acme", || self.seats.iter().all(Seat::knows_acme)).await;
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
