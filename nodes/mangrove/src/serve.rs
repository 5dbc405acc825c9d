//! One node from start to stop: opens what the roles need, starts them from the inside out, and ends them in the
//! opposite order. The roles themselves know nothing of one another.

use std::{
    fmt::Write,
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use mangrove_console::Console;
use mangrove_control::{Control, Prepared};
use mangrove_domain::NodeInfo;
use mangrove_edge::Edge;
use mangrove_history::History;
use mangrove_media::Media;
use mangrove_membership::Cluster;
use object_store::ObjectStore;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    alarm,
    arguments::Format,
    configuration::{Configuration, Public, Role},
    grpc::{Bound, Grpc},
    objects, output, retention, security,
    telemetry::Telemetry,
    token::Token,
};

/// A running node.
#[derive(Debug)]
pub(crate) struct Node {
    name: String,
    cluster: Cluster,
    control: Control,
    edge: Edge,
    media: Media,
    console: Console,
    grpc: Grpc,
    token: Token,
    /// How long `stop` may take.
    patience: Duration,
}

/// Runs a node until it is told to stop. It stays up when its disk fails: talk needs none.
pub(crate) async fn serve(configuration: &Configuration, format: Format) -> Result<()> {
    let telemetry = Telemetry::start(configuration)?;
    let node = Node::start(configuration, &telemetry).await?;
    node.announce(format)?;
    let ended = node.until_stopped().await;
    node.stop().await;
    tokio::task::spawn_blocking(|| telemetry.stop()).await?;
    ended
}

impl Node {
    /// Starts all roles. What was started before a failure ends with the process.
    pub(crate) async fn start(configuration: &Configuration, telemetry: &Telemetry) -> Result<Self> {
        let data_dir = &configuration.data_dir;
        std::fs::create_dir_all(data_dir)
            .with_context(|| format!("data_dir {} can't be used", data_dir.display()))?;
        describe_metrics();
        let token = Token::find_or_create(data_dir)?;
        let objects = objects::open(&configuration.objects.url)?;
        let history =
            History::open(&configuration.database.url).await.context("database.url can't be opened")?;

        let port = Bound::open(configuration.cluster.listen, security::open(configuration)?).await?;
        let prepared = Prepared::default();
        let machines = prepared.clone();
        let cluster =
            Cluster::start(cluster(configuration, &port), move |group| machines.machine(group)).await?;
        let control =
            Control::new(cluster.clone(), prepared, mangrove_control::Options::new(history.clone()))?;

        let run = cluster.boot();
        let edge = edge(configuration, run, &control).await?;
        let media = media(configuration, run, &control, objects.clone())?;
        let contacts = edge.contacts();
        let info = NodeInfo { name: configuration.node.clone(), contacts, media: true };
        control.announce(info, Some(Arc::new(edge.clone())), Some(Arc::new(media.clone())));
        let grpc = port.serve(&cluster, &edge, &media);
        control.lead().await?;

        tokio::spawn(retention::keep(control.clone(), history.clone(), objects.clone()));
        let console = console(configuration, telemetry, &token, &control, history, objects).await?;
        let patience = Duration::from_secs(configuration.limits.stop_seconds);
        Ok(Self {
            name: configuration.node.clone(),
            cluster,
            control,
            edge,
            media,
            console,
            grpc,
            token,
            patience,
        })
    }

    /// Where pages and API really listen.
    pub(crate) fn http(&self) -> SocketAddr {
        self.console.addr
    }

    /// Where SIP over UDP is really bound.
    pub(crate) fn sip(&self) -> Option<SocketAddr> {
        let bound = self.edge.addresses();
        bound
            .into_iter()
            .find(|(transport, _)| *transport == mangrove_edge::Transport::Udp)
            .map(|(_, address)| address)
    }

    /// The administrator's token of this node.
    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    /// Says on the standard output that the node is up and where: one line of JSON, or text.
    fn announce(&self, format: Format) -> Result<()> {
        let sip: Vec<_> =
            self.edge.addresses().into_iter().map(|(t, a)| (t.to_string(), a.to_string())).collect();
        tracing::info!(node = self.name, http = %self.http(), ?sip, run = self.cluster.boot(), "node is ready");
        if format == Format::Json {
            let sip: serde_json::Map<_, _> =
                sip.into_iter().map(|(transport, address)| (transport, json!(address))).collect();
            let ready = json!({ "node": self.name, "http": self.http().to_string(), "sip": sip });
            println!("{ready}");
            return Ok(());
        }
        let mut text = format!("node {} is ready: pages and API at http://{}", self.name, self.http());
        for (transport, address) in sip {
            write!(text, ", SIP {transport} {address}")?;
        }
        output::show(Format::Text, &json!(null), || {
            format!("{text}\nadministrator's token: {}\n", self.token.origin())
        })
    }

    /// Returns when a signal asks for the end. A failure of the node is told each minute meanwhile.
    pub(crate) async fn until_stopped(&self) -> Result<()> {
        let mut terminate = signal(SignalKind::terminate()).context("signals can't be watched")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("signals can't be watched")?;
        tokio::select! {
            _ = terminate.recv() => tracing::info!("asked to stop (SIGTERM)"),
            _ = interrupt.recv() => tracing::info!("asked to stop (SIGINT)"),
            never = alarm::watch(self.cluster.watch_failure(), alarm::PERIOD, alarm::log) => match never {},
        }
        Ok(())
    }

    /// Ends the roles from the outside in, within the time limit: what is not done then is done by the next start.
    pub(crate) async fn stop(self) {
        let patience = self.patience;
        let in_order = async {
            self.edge.drain();
            self.console.shutdown().await;
            self.grpc.stop();
            self.edge.shutdown().await;
            self.media.stop().await;
            self.control.stop().await;
            self.cluster.shutdown().await;
        };
        match tokio::time::timeout(patience, in_order).await {
            Ok(()) => tracing::info!(node = self.name, "node has stopped"),
            Err(_) => tracing::warn!(node = self.name, ?patience, "node did not stop in time and is cut off"),
        }
    }
}

fn describe_metrics() {
    mangrove_edge::metrics::describe();
    mangrove_media::metrics::describe();
    mangrove_control::metrics::describe();
    mangrove_console::metrics::describe();
}

fn cluster(configuration: &Configuration, grpc: &Bound) -> mangrove_membership::Options {
    let mut options = mangrove_membership::Options::new(&configuration.data_dir, configuration.node.clone());
    options.roles = configuration.roles.iter().copied().map(Role::as_str).map(str::to_owned).collect();
    options.version = env!("CARGO_PKG_VERSION").to_owned();
    options.advertise = Some(grpc.address.to_string());
    options.transport = grpc.settings.clone();
    options.join = configuration.cluster.join.clone();
    options.shard_groups = configuration.cluster.shard_groups;
    options
}

async fn edge(configuration: &Configuration, run: u64, control: &Control) -> Result<Edge> {
    let mut options = mangrove_edge::Options::new(configuration.node.clone(), run);
    options.udp = vec![configuration.sip.udp];
    options.tcp = vec![configuration.sip.tcp];
    let public = configuration.sip.public.as_ref().and_then(Public::host).map(str::to_owned);
    options.public = mangrove_edge::Public { udp: public.clone(), tcp: public };
    let limits = &configuration.limits;
    options.limits.connections = limits.connections;
    options.limits.connections_per_source = limits.connections_per_source;
    options.limits.unanswered_invites = limits.unanswered_invites;
    options.limits.lag_ms = limits.lag_ms;
    options.limits.requests_per_second = limits.requests_per_second;
    options.limits.request_burst = limits.requests_per_second.saturating_mul(2);
    options.limits.failures_per_minute = limits.failures_per_minute;
    Ok(Edge::start(options, Arc::new(control.clone()), Arc::new(control.clone())).await?)
}

fn media(
    configuration: &Configuration,
    run: u64,
    control: &Control,
    objects: Arc<dyn ObjectStore>,
) -> Result<Media> {
    let rtp = &configuration.rtp;
    let mut options = mangrove_media::Options::new(configuration.node.clone(), run, rtp.address);
    options.ports = rtp.ports.0.clone();
    options.public = match rtp.public.as_ref().and_then(Public::host) {
        Some(host) => Some(host.parse().context("rtp.public is no IP address")?),
        None => rtp.address.is_unspecified().then(|| outward(rtp.address)).transpose()?,
    };
    let prompts = configuration.data_dir.join("prompts");
    options.prompts = prompts.is_dir().then_some(prompts);
    options.parts = objects::open_hasty(&configuration.objects.url)?;
    Ok(Media::start(options, Arc::new(control.clone()), objects)?)
}

/// The address of the interface with the default route: connecting a UDP socket asks the kernel and sends nothing.
fn outward(family: IpAddr) -> Result<IpAddr> {
    let far = if family.is_ipv4() { "192.0.2.1:9" } else { "[2001:db8::1]:9" };
    let ask = || {
        let socket = UdpSocket::bind(SocketAddr::new(family, 0))?;
        socket.connect(far)?;
        Ok::<_, std::io::Error>(socket.local_addr()?.ip())
    };
    ask().context("no default route tells what address far ends should be told: set rtp.public")
}

async fn console(
    configuration: &Configuration,
    telemetry: &Telemetry,
    token: &Token,
    control: &Control,
    history: History,
    objects: Arc<dyn ObjectStore>,
) -> Result<Console> {
    let mut options = mangrove_console::Options::new(configuration.http.listen, token.secret().to_owned());
    options.data_dir = configuration.data_dir.clone();
    options.version = env!("CARGO_PKG_VERSION").to_owned();
    if let Some(public) = &configuration.http.public {
        options.secure_cookies = public.is_https();
        options.allowed_origins = vec![public.as_str().to_owned()];
    }
    let metrics = telemetry.metrics();
    options.metrics = Arc::new(move || metrics.render());
    Ok(Console::start(options, Arc::new(control.clone()), history, objects).await?)
}
