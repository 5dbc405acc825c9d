//! The roles' options, from the node's configuration.

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use mangrove_console::Console;
use mangrove_control::{Control, Prepared};
use mangrove_edge::{Edge, Transport};
use mangrove_media::Media;
use mangrove_membership::{Cluster, Pulse, Tuning};

use super::{Near, Store};
use crate::{
    carrier::Estate,
    configuration::{Configuration, Profile, Public, Role},
    database, demo,
    grpc::Bound,
    https,
    telemetry::Telemetry,
    token::Token,
    turn,
};

pub(super) fn cluster(configuration: &Configuration, port: &Bound) -> mangrove_membership::Options {
    let mut options = mangrove_membership::Options::new(&configuration.data_dir, configuration.node.clone());
    options.roles = configuration.roles.iter().copied().map(Role::as_str).map(str::to_owned).collect();
    options.version = env!("CARGO_PKG_VERSION").to_owned();
    options.zone = configuration.zone.clone();
    options.database = database::named(&configuration.database.url);
    let bound = || port.address.to_string();
    options.advertise = Some(configuration.cluster.advertise.clone().unwrap_or_else(bound));
    options.join = configuration.cluster.join.clone();
    options.founds = configuration.cluster.founder.as_ref() == Some(&configuration.node);
    options.shard_groups = configuration.cluster.shard_groups;
    options.replicas = configuration.cluster.replicas;
    options.transport = port.settings.clone();
    if configuration.cluster.profile == Profile::Wan {
        (options.raft, options.pulse) = (Tuning::wan(), Pulse::wan());
    }
    // Those that can move are known before they are bound: whoever dies before that has an heir too.
    let estate = Estate::of(configuration);
    if estate.can_move(configuration) {
        let contacts = edge_options(configuration, 0).map(|edge| edge.contacts()).unwrap_or_default();
        options.addresses = estate.addresses(configuration, &contacts);
    }
    options
}

pub(super) fn control(
    configuration: &Configuration,
    cluster: &Cluster,
    prepared: Prepared,
    store: &Store,
) -> Result<Option<Control>> {
    if !configuration.has(Role::Control) {
        return Ok(None);
    }
    let options = mangrove_control::Options::new(store.history.clone());
    Ok(Some(Control::new(cluster.clone(), prepared, options)?))
}

/// The edge of the node that `configuration` names. `run` is greater each time that it begins.
/// `joins`: another process is bound to its addresses and hands them over.
pub(crate) async fn edge(
    configuration: &Configuration,
    run: u64,
    joins: bool,
    near: &Near,
) -> Result<Option<Edge>> {
    let Some(mut options) = edge_options(configuration, run) else { return Ok(None) };
    options.joins = joins;
    Ok(Some(Edge::start(options, near.control.clone(), near.routes.clone()).await?))
}

/// None for a node without the role.
fn edge_options(configuration: &Configuration, run: u64) -> Option<mangrove_edge::Options> {
    if !configuration.has(Role::Edge) {
        return None;
    }
    let mut options = mangrove_edge::Options::new(configuration.node.clone(), run);
    options.udp = vec![configuration.sip.udp];
    options.tcp = vec![configuration.sip.tcp];
    let public = configuration.sip.public.as_ref().and_then(Public::host).map(str::to_owned);
    let http = &configuration.http;
    let transport = if http.is_secure() { Transport::Wss } else { Transport::Ws };
    options.websocket = Some((transport, http.listen));
    let websocket = http.public.as_ref().map(|public| public.place().to_owned());
    options.public = mangrove_edge::Public { udp: public.clone(), tcp: public, websocket };
    let limits = &configuration.limits;
    options.limits.connections = limits.connections;
    options.limits.connections_per_source = limits.connections_per_source;
    options.limits.websockets_per_source = limits.websockets_per_source;
    options.limits.unanswered_invites = limits.unanswered_invites;
    let extra = configuration.cluster.profile.extra();
    options.limits.lag_ms = limits.lag_ms + extra.as_millis() as u64;
    options.limits.answer_time += extra;
    options.limits.requests_per_second = limits.requests_per_second;
    options.limits.request_burst = limits.requests_per_second.saturating_mul(2);
    options.limits.failures_per_minute = limits.failures_per_minute;
    Some(options)
}

/// As `edge`.
pub(crate) fn media(
    configuration: &Configuration,
    run: u64,
    joins: bool,
    near: &Near,
    store: &Store,
) -> Result<Option<Media>> {
    if !configuration.has(Role::Media) {
        return Ok(None);
    }
    let rtp = &configuration.rtp;
    let mut options = mangrove_media::Options::new(configuration.node.clone(), run, rtp.address);
    options.ports = rtp.ports.0.clone();
    options.joins = joins;
    options.silence = Duration::from_secs(configuration.limits.silent_seconds);
    options.public = match rtp.public.as_ref().and_then(Public::host) {
        Some(host) => Some(host.parse().context("rtp.public is no IP address")?),
        None => rtp.address.is_unspecified().then(|| outward(rtp.address)).transpose()?,
    };
    let prompts = configuration.data_dir.join("prompts");
    options.prompts = prompts.is_dir().then_some(prompts);
    options.parts = store.parts.clone();
    options.spool = Some(store.spool.clone());
    Ok(Some(Media::start(options, near.control.clone(), store.objects.clone())?))
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

/// The port of pages, API and probes; it says that the node is not ready until there is more to serve.
pub(super) async fn console(
    configuration: &Configuration,
    telemetry: &Telemetry,
    token: &Token,
) -> Result<Console> {
    let mut options = mangrove_console::Options::new(configuration.http.listen, token.secret().to_owned());
    options.data_dir = configuration.data_dir.clone();
    options.version = env!("CARGO_PKG_VERSION").to_owned();
    options.demo = demo::parent();
    options.certificate = https::open(configuration)?;
    options.secure_cookies = options.certificate.is_some();
    if let Some(public) = &configuration.http.public {
        options.secure_cookies |= public.is_https();
        options.allowed_origins = vec![public.as_str().to_owned()];
    }
    options.turn = turn::open(&configuration.turn)?;
    let metrics = telemetry.metrics();
    options.metrics = Arc::new(move || metrics.render());
    Ok(Console::open(options, &absent(&configuration.cluster.join)).await?)
}

/// Why a node is not ready before its part in the cluster runs. `others`: whom it asks.
fn absent(others: &[String]) -> String {
    match others {
        [] => "it reads what is on its disk".to_owned(),
        others => format!("it is not in its cluster yet and asks {}", others.join(", ")),
    }
}
