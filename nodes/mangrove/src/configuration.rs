//! What `mangrove.toml` and the environment say about this node. Every key has a default and an environment twin
//! (`MANGROVE_SIP__UDP` for `sip.udp`); the environment goes before the file. Nothing is opened or bound here.

mod check;
mod locate;
mod read;
mod smtp;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod value;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use serde::Deserialize;

pub(crate) use check::is_node_name;
pub(crate) use read::{Error, read};
pub(crate) use smtp::{Smtp, SmtpTls};
pub(crate) use value::{LogFormat, Origin, Ports, Public, Role};

/// One node's configuration.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Configuration {
    /// This node's name: unique in the cluster, the same over restarts.
    #[serde(deserialize_with = "value::text")]
    pub(crate) node: String,
    #[serde(deserialize_with = "value::roles")]
    pub(crate) roles: Vec<Role>,
    /// What fails together with this node: replicas of a group are spread over zones.
    pub(crate) zone: String,
    /// Raft log, administrator's token, and what `database` and `objects` put there.
    pub(crate) data_dir: PathBuf,
    pub(crate) sip: Sip,
    pub(crate) rtp: Rtp,
    pub(crate) http: Http,
    pub(crate) turn: Turn,
    pub(crate) cluster: Cluster,
    pub(crate) database: Database,
    pub(crate) objects: Objects,
    /// Without it no message is mailed.
    pub(crate) smtp: Option<Smtp>,
    pub(crate) telemetry: Telemetry,
    pub(crate) limits: Limits,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            node: "a".to_owned(),
            roles: Role::ALL.to_vec(),
            zone: String::new(),
            data_dir: "data".into(),
            sip: Sip::default(),
            rtp: Rtp::default(),
            http: Http::default(),
            turn: Turn::default(),
            cluster: Cluster::default(),
            database: Database::default(),
            objects: Objects::default(),
            smtp: None,
            telemetry: Telemetry::default(),
            limits: Limits::default(),
        }
    }
}

impl Configuration {
    /// Whether the node has this role.
    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Puts what was left out into the data folder.
    pub(crate) fn fill(&mut self) {
        let data_dir = self.data_dir.display();
        if self.database.url.is_empty() {
            self.database.url = format!("sqlite:{data_dir}/mangrove.db");
        }
        if self.objects.url.is_empty() {
            self.objects.url = format!("file:{data_dir}/objects");
        }
    }
}

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// SIP sockets.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sip {
    #[serde(deserialize_with = "value::address")]
    pub(crate) udp: SocketAddr,
    #[serde(deserialize_with = "value::address")]
    pub(crate) tcp: SocketAddr,
    #[serde(deserialize_with = "value::optional_address")]
    pub(crate) tls: Option<SocketAddr>,
    /// What far ends are told instead of the bound address. `auto` is the address of the interface with the default
    /// route: nobody outside is asked, so behind address translation name the outer address.
    pub(crate) public: Option<Public>,
}

impl Default for Sip {
    fn default() -> Self {
        Self { udp: local(5060), tcp: local(5060), tls: None, public: None }
    }
}

/// Media sockets.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rtp {
    #[serde(deserialize_with = "value::host_address")]
    pub(crate) address: IpAddr,
    pub(crate) ports: Ports,
    pub(crate) public: Option<Public>,
}

impl Default for Rtp {
    fn default() -> Self {
        Self { address: local(0).ip(), ports: Ports(20_000..=39_999), public: None }
    }
}

/// Pages, API, SIP over WebSocket.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http {
    #[serde(deserialize_with = "value::address")]
    pub(crate) listen: SocketAddr,
    /// Where browsers find the pages, if that is a proxy in front. With `https://` the session's cookie never travels
    /// without TLS; writes are then taken from pages of this origin.
    pub(crate) public: Option<Origin>,
    /// HTTPS: browsers give their microphone to no plain page off localhost.
    pub(crate) tls: Option<Tls>,
}

impl Http {
    /// Whether browsers speak TLS: to this node, or to a proxy in front of it.
    pub(crate) fn is_secure(&self) -> bool {
        self.tls.is_some() || self.public.as_ref().is_some_and(Origin::is_https)
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: local(8080), public: None, tls: None }
    }
}

/// A certificate chain and its key, PEM files; with neither the node signs a certificate itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tls {
    pub(crate) cert: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

/// Servers that carry the sound of browsers which UDP to media nodes does not reach.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Turn {
    /// What browsers are told, as `turn:turn.example:3478?transport=udp`; empty: nothing.
    #[serde(deserialize_with = "value::texts")]
    pub(crate) servers: Vec<String>,
    /// File with the secret that the servers know, too (coturn's `static-auth-secret`).
    pub(crate) secret_file: Option<PathBuf>,
    /// Seconds for which a browser's credentials are good: a shift, for they are checked all through a call.
    pub(crate) lifetime: u64,
}

impl Default for Turn {
    fn default() -> Self {
        Self { servers: Vec::new(), secret_file: None, lifetime: 43_200 }
    }
}

/// gRPC between nodes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Cluster {
    #[serde(deserialize_with = "value::address")]
    pub(crate) listen: SocketAddr,
    /// Other nodes' addresses; empty starts a new cluster, or goes on with the one on disk.
    #[serde(deserialize_with = "value::texts")]
    pub(crate) join: Vec<String>,
    /// The node that begins the cluster when its folder is empty and none of `join` answers: for deployments that give
    /// every node the same `join`.
    pub(crate) founder: Option<String>,
    /// Groups over which tenants are spread. Only the founder's word counts.
    pub(crate) shard_groups: u32,
    /// Control nodes that hold each group: 3 outlive the loss of one, 5 of two. The same on all nodes.
    pub(crate) replicas: usize,
    /// host:port at which other nodes reach this one; the listening address when left out.
    pub(crate) advertise: Option<String>,
    /// How far the nodes are from one another; the same on all of them.
    pub(crate) profile: Profile,
    /// The network in which this node's SIP and RTP addresses can move: an heir in the same one takes them when this
    /// node dies. Needs `address_hook`.
    pub(crate) network: Option<String>,
    /// Program that brings an address to this machine (`acquire ADDRESS`) or takes it off (`release ADDRESS`).
    pub(crate) address_hook: Option<PathBuf>,
    /// Mutual TLS with other nodes. Without it `listen` must be a loopback address.
    pub(crate) tls: Option<ClusterTls>,
}

/// What times between nodes are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Profile {
    /// One network: a new leader within a second.
    Lan,
    /// Up to 150 ms from node to node: a new leader within three.
    Wan,
}

impl Profile {
    /// What a decision takes longer than in one network: its way to the leader and back, then the leader's to a follower, and
    /// the same of the decision before it.
    pub(crate) fn extra(self) -> Duration {
        match self {
            Self::Lan => Duration::ZERO,
            Self::Wan => Duration::from_millis(1_500),
        }
    }
}

/// The cluster's authority, and this node's certificate of it; PEM files, read again when they change.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClusterTls {
    /// May hold several authorities, so that one can follow another.
    pub(crate) ca: PathBuf,
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            listen: local(7400),
            join: Vec::new(),
            founder: None,
            shard_groups: 16,
            replicas: 3,
            advertise: None,
            profile: Profile::Lan,
            network: None,
            address_hook: None,
            tls: None,
        }
    }
}

/// Call records, audit and stories.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Database {
    /// Filled in when read: SQLite in `data_dir`.
    pub(crate) url: String,
}

/// Recordings and prompts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Objects {
    /// Filled in when read: a folder in `data_dir`. Or `s3://BUCKET/PREFIX`.
    pub(crate) url: String,
    /// Of S3; else the environment's (`AWS_REGION`).
    pub(crate) region: Option<String>,
    /// An S3 server that is not Amazon's.
    pub(crate) endpoint: Option<String>,
    /// Takes an endpoint without TLS: recordings and what is signed travel readable.
    pub(crate) allow_http: bool,
    /// File with the keys of S3, as Amazon's tools write it. Without it: `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY`, or what the machine or pod is allowed.
    pub(crate) credentials: Option<PathBuf>,
    /// File with master keys: recordings are encrypted from then on. The last line's key seals, all open.
    pub(crate) keys: Option<PathBuf>,
    /// Megabytes of recordings that may wait in `data_dir` while the store is away.
    pub(crate) spool_mb: u64,
}

impl Default for Objects {
    fn default() -> Self {
        Self {
            url: String::new(),
            region: None,
            endpoint: None,
            allow_http: false,
            credentials: None,
            keys: None,
            spool_mb: 4_096,
        }
    }
}

/// Logs and traces. Metrics are always at `/metrics`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Telemetry {
    /// gRPC endpoint of a collector; absent: no traces leave the node.
    pub(crate) otlp: Option<String>,
    pub(crate) format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or per module: `info,mangrove_edge=debug`.
    pub(crate) level: String,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            otlp: None,
            format: LogFormat::Text,
            level: "info,openraft=warn,openraft::core::heartbeat=error,fjall=warn,lsm_tree=warn".to_owned(),
        }
    }
}

/// How much this node takes before it refuses.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// SIP connections, both ways: TCP and WebSockets.
    pub(crate) connections: usize,
    /// TCP connections from one address.
    pub(crate) connections_per_source: usize,
    /// WebSockets from one address: behind a proxy that is the address of all pages.
    pub(crate) websockets_per_source: usize,
    /// New calls given to control and not answered by anything yet; more get 503.
    pub(crate) unanswered_invites: usize,
    /// Milliseconds that control may be behind before new calls get 503.
    pub(crate) lag_ms: u64,
    /// Requests a second from one address that is no trunk's; more are dropped.
    pub(crate) requests_per_second: u32,
    /// Wrong passwords a minute from one address; more are refused unchecked.
    pub(crate) failures_per_minute: u32,
    /// Seconds that a stopping node takes at most: half of them for others to take over, half for its roles to finish.
    pub(crate) stop_seconds: u64,
    /// Seconds without a packet from somebody who talks, after which the phone counts as dead and the call ends; 30 at
    /// least. Those who are held, hold or wait may be silent.
    pub(crate) silent_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_source: 2_000,
            websockets_per_source: 5_000,
            unanswered_invites: 2_000,
            lag_ms: 500,
            requests_per_second: 2_000,
            failures_per_minute: 20,
            stop_seconds: 15,
            silent_seconds: 30,
        }
    }
}
