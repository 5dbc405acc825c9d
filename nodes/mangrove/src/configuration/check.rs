//! What single values can't tell: bounds, and keys that need one another.

use std::net::IpAddr;

use super::{Configuration, Objects, Public, Role, Turn};

/// (key, what is wrong and what is allowed).
type Finding = (String, String);

pub(super) fn check(configuration: &Configuration) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |key: &str, message: String| findings.push((key.to_owned(), message));
    if !is_node_name(&configuration.node) {
        find(
            "node",
            format!("`{}` is no node name; allowed: 1 to 63 letters, digits and hyphens", configuration.node),
        );
    }
    if configuration.roles.is_empty() {
        find("roles", "the node has no role; allowed: edge, control, media, console".to_owned());
    }
    if configuration.roles.iter().enumerate().any(|(at, role)| configuration.roles[..at].contains(role)) {
        find("roles", "a role is listed twice; allowed: each once".to_owned());
    }
    if !(1..=1024).contains(&configuration.cluster.shard_groups) {
        find("cluster.shard_groups", "out of bounds; allowed: 1 to 1024".to_owned());
    }
    if ![3, 5].contains(&configuration.cluster.replicas) {
        find("cluster.replicas", "no number of replicas; allowed: 3 or 5".to_owned());
    }
    if let Some(host) = configuration.rtp.public.as_ref().and_then(Public::host)
        && host.parse::<IpAddr>().is_err()
    {
        find(
            "rtp.public",
            format!(
                "`{host}` is no IP address; allowed: one like 203.0.113.10, or auto (the address of the interface with the default route)"
            ),
        );
    }
    roles(configuration, &mut find);
    cluster(configuration, &mut find);
    unserved(configuration, &mut find);
    urls(configuration, &mut find);
    objects(&configuration.objects, &mut find);
    turn(&configuration.turn, &mut find);
    if let Some(smtp) = &configuration.smtp {
        smtp.check(&mut find);
    }
    limits(configuration, &mut find);
    findings
}

/// What the roles of one node need of one another.
fn roles(configuration: &Configuration, find: &mut impl FnMut(&str, String)) {
    if !configuration.has(Role::Control) && configuration.cluster.join.is_empty() {
        let what =
            "a node without the control role can't begin a cluster; allowed: addresses of control nodes";
        find("cluster.join", what.to_owned());
    }
}

/// What a node in a cluster needs.
fn cluster(configuration: &Configuration, find: &mut impl FnMut(&str, String)) {
    let cluster = &configuration.cluster;
    if cluster.network.is_some() && cluster.address_hook.is_none() {
        let what =
            "an address can't move without a program that moves it; allowed: with cluster.address_hook";
        find("cluster.network", what.to_owned());
    }
    let records = configuration.has(Role::Control) || configuration.has(Role::Console);
    let apart = records && !cluster.listen.ip().is_loopback() && !cluster.join.is_empty();
    if apart && configuration.database.url.starts_with("sqlite:") {
        let what = "nodes on several machines can't share an SQLite file; allowed: postgres://..., or cluster.listen on loopback";
        find("database.url", what.to_owned());
    }
}

/// Better no start than one without the protection that was asked for.
fn unserved(configuration: &Configuration, find: &mut impl FnMut(&str, String)) {
    if configuration.sip.tls.is_some() {
        find("sip.tls", "this version has no SIP over TLS yet; allowed: leave it out".to_owned());
    }
    if configuration.http.tls.as_ref().is_some_and(|tls| tls.cert.is_some() != tls.key.is_some()) {
        let what = "a certificate and its key belong together; allowed: both, or {} for one that the node signs itself";
        find("http.tls", what.to_owned());
    }
}

fn urls(configuration: &Configuration, find: &mut impl FnMut(&str, String)) {
    let begins = |url: &str, schemes: &[&str]| schemes.iter().any(|scheme| url.starts_with(scheme));
    let shown = |url: &str| url.split(':').next().unwrap_or_default().to_owned();
    let database = &configuration.database.url;
    if !begins(database, &["sqlite:", "postgres://", "postgresql://"]) {
        find(
            "database.url",
            format!("`{}:` is no known database; allowed: sqlite:PATH, postgres://...", shown(database)),
        );
    }
    if let Some(otlp) = &configuration.telemetry.otlp
        && !begins(otlp, &["http://", "https://"])
    {
        find("telemetry.otlp", "this is no collector's address; allowed: http://host:4317".to_owned());
    }
    if let Err(error) = tracing_subscriber::EnvFilter::try_new(&configuration.telemetry.level) {
        find(
            "telemetry.level",
            format!("{error}; allowed: error, warn, info, debug, trace, or info,module=debug"),
        );
    }
}

fn objects(objects: &Objects, find: &mut impl FnMut(&str, String)) {
    let cloud = objects.url.split(':').next().unwrap_or_default();
    if ["gs", "az"].contains(&cloud) {
        let what =
            format!("{cloud}:// is not built into this version; allowed: file:PATH, s3://BUCKET/PREFIX");
        find("objects.url", what);
    } else if !mangrove_objects::is_known(&objects.url) {
        let what = format!("`{cloud}:` is no known store; allowed: file:PATH, s3://BUCKET/PREFIX");
        find("objects.url", what);
    }
    let given = [
        ("objects.region", objects.region.is_some()),
        ("objects.endpoint", objects.endpoint.is_some()),
        ("objects.allow_http", objects.allow_http),
        ("objects.credentials", objects.credentials.is_some()),
    ];
    if cloud != "s3" {
        for (key, _) in given.into_iter().filter(|(_, is_given)| *is_given) {
            find(key, "this belongs to S3; allowed: with objects.url = \"s3://BUCKET/PREFIX\"".to_owned());
        }
    }
    let endpoint = objects.endpoint.as_deref().unwrap_or("https://");
    if !(endpoint.starts_with("https://") || endpoint.starts_with("http://") && objects.allow_http) {
        let what =
            "this is no address with TLS; allowed: https://HOST, or http://HOST with objects.allow_http";
        find("objects.endpoint", what.to_owned());
    }
    if objects.spool_mb > 1_000_000 {
        find("objects.spool_mb", "out of bounds; allowed: 0 to 1000000".to_owned());
    }
}

fn turn(turn: &Turn, find: &mut impl FnMut(&str, String)) {
    for server in turn.servers.iter().filter(|server| !is_turn_server(server)) {
        let shown: String = server.chars().take(64).collect();
        let what = format!(
            "`{shown}` is no server; allowed: turn:HOST:PORT?transport=udp (or tcp), turns:HOST:PORT?transport=tcp, stun:HOST:PORT"
        );
        find("turn.servers", what);
    }
    let has_turn = turn.servers.iter().any(|server| server.starts_with("turn"));
    if has_turn && turn.secret_file.is_none() {
        let what = "TURN servers let in who has credentials; allowed: with turn.secret_file, which holds their secret";
        find("turn.servers", what.to_owned());
    }
    if !has_turn && turn.secret_file.is_some() {
        let what = "a secret without a server that knows it; allowed: with turn.servers = [\"turn:...\"]";
        find("turn.secret_file", what.to_owned());
    }
    if !(60..=604_800).contains(&turn.lifetime) {
        find("turn.lifetime", format!("{} s are out of bounds; allowed: 60 to 604800", turn.lifetime));
    }
}

/// By RFC 7064 and RFC 7065, as browsers read them.
fn is_turn_server(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(place, query)| (place, Some(query)));
    let plain = |c: char| c.is_ascii_alphanumeric() || ".:-[]".contains(c);
    let is_place = !place.is_empty() && place.len() <= 253 && place.chars().all(plain);
    let allowed: &[Option<&str>] = match scheme {
        "turn" | "turns" => &[None, Some("transport=udp"), Some("transport=tcp")],
        "stun" | "stuns" => &[None],
        _ => &[],
    };
    is_place && allowed.contains(&query)
}

fn limits(configuration: &Configuration, find: &mut impl FnMut(&str, String)) {
    let limits = &configuration.limits;
    for (key, value, least) in [
        ("limits.connections", limits.connections as u64, 1),
        ("limits.connections_per_source", limits.connections_per_source as u64, 1),
        ("limits.websockets_per_source", limits.websockets_per_source as u64, 1),
        ("limits.unanswered_invites", limits.unanswered_invites as u64, 1),
        ("limits.lag_ms", limits.lag_ms, 1),
        ("limits.requests_per_second", limits.requests_per_second.into(), 1),
        ("limits.failures_per_minute", limits.failures_per_minute.into(), 1),
        ("limits.stop_seconds", limits.stop_seconds, 1),
        ("limits.silent_seconds", limits.silent_seconds, 30),
    ] {
        if value < least || value > 1_000_000 {
            find(key, format!("{value} is out of bounds; allowed: {least} to 1000000"));
        }
    }
}

/// A label of DNS: in Kubernetes a node is named as its pod.
pub(crate) fn is_node_name(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
