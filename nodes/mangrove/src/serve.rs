//! One node from start to stop: opens what the roles need, starts them from the inside out, and ends them (`ending`) in the
//! opposite order. The roles themselves know nothing of one another; those that this node has not, other nodes have.

mod ending;
mod near;
pub(crate) mod roles;

use std::{collections::BTreeMap, fmt::Write, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use mangrove_console::Console;
use mangrove_control::{Control, Desk, Prepared, grpc::Remote};
use mangrove_edge::{Transport, directory::DirectoryCopy};
use mangrove_history::History;
use mangrove_media::Spool;
use mangrove_membership::{Cluster, Reporter};
use mangrove_objects::Opened;
use mangrove_proto::service;
use object_store::ObjectStore;
use serde_json::json;
use tonic::service::Routes;

use crate::{
    alarm,
    arguments::Format,
    carrier::{Carrier, handover},
    configuration::{Configuration, Role},
    grpc::{Bound, Grpc},
    mail,
    neighbours::{self, Neighbours},
    objects, output, retention, security,
    telemetry::Telemetry,
    token::Token,
    websocket,
};
use ending::End;
use near::NearRoutes;

/// A running node.
#[derive(Debug)]
pub(crate) struct Node {
    name: String,
    cluster: Cluster,
    roles: Roles,
    console: Console,
    /// Whether the console is more than probes.
    pages: bool,
    grpc: Grpc,
    token: Token,
    /// How long `stop` may take.
    patience: Duration,
}

/// What this node does for the cluster.
#[derive(Debug)]
struct Roles {
    control: Option<Control>,
    carrier: Carrier,
}

/// What all roles of a cluster share.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    history: History,
    objects: Arc<dyn ObjectStore>,
    /// The same place, for parts of running recordings, where that is another way.
    parts: Option<Arc<dyn ObjectStore>>,
    spool: Spool,
}

/// Control as this node's edge and media node reach it: in this process, or through the directory.
#[derive(Debug, Clone)]
pub(crate) struct Near {
    control: Arc<dyn service::Control>,
    routes: Arc<dyn service::Routes>,
}

impl Store {
    async fn open(configuration: &Configuration) -> Result<Self> {
        let (Opened { objects, parts }, spool) = objects::open(configuration)?;
        let history =
            History::open(&configuration.database.url).await.context("database.url can't be opened")?;
        tokio::spawn(objects::check(configuration.objects.url.clone(), objects.clone()));
        Ok(Self { history, objects, parts, spool })
    }
}

impl Near {
    fn of(cluster: &Cluster, control: Option<&Control>) -> Self {
        let copy = Arc::new(DirectoryCopy::default());
        tokio::spawn(neighbours::follow_routes(cluster.clone(), control.cloned(), copy.clone()));
        match control {
            Some(control) => Self {
                control: Arc::new(control.clone()),
                routes: Arc::new(NearRoutes::new(control.clone(), copy)),
            },
            None => Self { control: Arc::new(Remote::new(cluster.clone())), routes: copy },
        }
    }
}

impl Roles {
    /// What other nodes may call.
    fn services(&self) -> Routes {
        let Carrier { cluster, carried, .. } = &self.carrier;
        let services = cluster
            .routes()
            .add_service(mangrove_edge::grpc::server(carried.edges()))
            .add_service(mangrove_media::grpc::server(carried.medias()))
            .add_service(handover::server(self.carrier.clone()));
        match &self.control {
            Some(control) => services
                .add_service(mangrove_control::grpc::server(control.clone()))
                .add_service(mangrove_control::grpc::console_server(control.clone()))
                .add_service(mangrove_control::routes::server(control.clone())),
            None => services,
        }
    }

    /// Takes the node's own addresses if they are free, and takes up what its groups have to do.
    async fn begin(&self) -> Result<()> {
        let Carrier { cluster, carried, store, .. } = &self.carrier;
        self.carrier.begin().await?;
        tokio::spawn(self.carrier.clone().keep());
        cluster.report_with(self.reporter());
        tokio::spawn(alarm::measure(cluster.clone()));
        let Some(control) = &self.control else { return Ok(()) };
        let mut neighbours = Neighbours::new(cluster.clone(), control.clone(), carried.clone());
        neighbours.meet();
        control.lead().await?;
        tokio::spawn(neighbours.follow());
        tokio::spawn(retention::keep(control.clone(), store.history.clone(), store.objects.clone()));
        Ok(())
    }

    /// What operators see of this node beside what the cluster knows.
    fn reporter(&self) -> Reporter {
        let (control, carried) = (self.control.clone(), self.carrier.carried.clone());
        Arc::new(move || {
            let mut report = control.as_ref().map(Control::own_report).unwrap_or_default();
            report.figures.push(("streams".to_owned(), carried.streams() as u64));
            report.figures.push(("carried".to_owned(), carried.count() as u64));
            report.alarms.extend(carried.alarms());
            report
        })
    }

    fn sip(&self) -> Vec<(Transport, SocketAddr)> {
        self.carrier.carried.sip(self.carrier.cluster.name())
    }
}

/// Runs a node until it is told to stop, its disk fails (what becomes of it then, `disk` says), or a media thread has ended.
pub(crate) async fn serve(configuration: &Configuration, format: Format) -> Result<()> {
    let telemetry = Telemetry::start(configuration)?;
    let node = Node::start(configuration, &telemetry).await?;
    node.announce(format)?;
    let end = node.until_stopped(&configuration.data_dir).await;
    if let Ok(End::Failed(why)) = &end {
        // At once: who is gone is followed sooner than who leaves in order, and nothing more can be kept.
        tracing::error!(why, "the process ends, for its supervisor to start it again");
    } else {
        node.stop().await;
    }
    tokio::task::spawn_blocking(|| telemetry.stop()).await?;
    match end? {
        End::Asked => Ok(()),
        End::Failed(why) => anyhow::bail!(why),
    }
}

impl Node {
    /// Starts all roles. What was started before a failure ends with the process.
    pub(crate) async fn start(configuration: &Configuration, telemetry: &Telemetry) -> Result<Self> {
        let data_dir = &configuration.data_dir;
        std::fs::create_dir_all(data_dir)
            .with_context(|| format!("data_dir {} can't be used", data_dir.display()))?;
        describe_metrics();
        let token = Token::find_or_create(data_dir)?;
        // Alive from here on: joining may take as long as the others are not there.
        let mut console = roles::console(configuration, telemetry, &token).await?;
        let port = Bound::open(configuration.cluster.listen, security::open(configuration)?)?;
        let prepared = Prepared::default();
        let machines = prepared.clone();
        let options = roles::cluster(configuration, &port);
        let cluster = Cluster::start(options, move |group| machines.machine(group)).await?;
        console.wait("it is in its cluster, and its roles do not run yet");
        let store = Store::open(configuration).await?;
        let control = roles::control(configuration, &cluster, prepared, &store)?;
        let near = Near::of(&cluster, control.as_ref());
        let carrier = Carrier::new(configuration, cluster.clone(), near, store.clone());
        let roles = Roles { control, carrier };
        let grpc = port.serve(roles.services())?;
        roles.begin().await?;
        if let (Some(control), Some(smtp)) = (&roles.control, &configuration.smtp) {
            tokio::spawn(mail::keep(control.clone(), store.objects.clone(), smtp.clone()));
        }
        console.add_routes(websocket::router(configuration, &roles.carrier, console.addr));
        let pages = configuration.has(Role::Console);
        let desk = Desk::new(roles.carrier.cluster.clone(), roles.control.clone());
        match pages {
            true => console.serve_pages(Arc::new(desk), store.history.clone(), store.objects.clone())?,
            false => console.serve_probes(Arc::new(move || desk.trouble())),
        }
        let patience = Duration::from_secs(configuration.limits.stop_seconds);
        Ok(Self { name: configuration.node.clone(), cluster, roles, console, pages, grpc, token, patience })
    }

    /// Where pages and API, or the probes, really listen.
    pub(crate) fn http(&self) -> SocketAddr {
        self.console.addr
    }

    /// Where SIP is really bound.
    pub(crate) fn sip(&self) -> Vec<(Transport, SocketAddr)> {
        self.roles.sip()
    }

    /// The administrator's token of this node.
    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    /// Says on the standard output that the node is up and where: one line of JSON, or text.
    fn announce(&self, format: Format) -> Result<()> {
        let (http, tls) = (self.http().to_string(), self.console.speaks_tls());
        let sip = self.sip().into_iter().map(|(t, a)| (t.to_string(), a.to_string()));
        let sip: BTreeMap<_, _> = sip.collect();
        tracing::info!(node = self.name, http, ?sip, run = self.cluster.boot(), "node is ready");
        if format == Format::Json {
            println!("{}", json!({ "node": self.name, "http": http, "tls": tls, "sip": sip }));
            return Ok(());
        }
        let what = if self.pages { "pages and API" } else { "probes" };
        let mut text =
            format!("node {} is ready: {what} at {}://{http}", self.name, if tls { "https" } else { "http" });
        for (transport, address) in sip {
            write!(text, ", SIP {transport} {address}")?;
        }
        output::show(Format::Text, &json!(null), || {
            format!("{text}\nadministrator's token: {}\n", self.token().origin())
        })
    }
}

fn describe_metrics() {
    mangrove_edge::metrics::describe();
    mangrove_media::metrics::describe();
    mangrove_control::metrics::describe();
    mangrove_console::metrics::describe();
    alarm::describe();
}
