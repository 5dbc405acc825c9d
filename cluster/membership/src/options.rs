//! What a node is told before it starts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use mangrove_raft::Tuning;
use mangrove_transport::Settings;

/// A node's place in the world. `Options::new` fills in what fits one node.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the identity, the logs and the snapshots are.
    pub data_dir: PathBuf,
    /// This node's name; no other member has it.
    pub node: String,
    /// `edge`, `control`, `media`, `console`.
    pub roles: BTreeSet<String>,
    /// What fails together with this node; replicas are spread over zones.
    pub zone: String,
    /// The build, as shown to operators.
    pub version: String,
    /// Where to serve; `None` leaves it to the caller to serve `Cluster::routes`.
    pub listen: Option<SocketAddr>,
    /// host:port at which other nodes reach this one; the listening address if `None`.
    pub advertise: Option<String>,
    /// Other addresses to show to members, by kind.
    pub addresses: BTreeMap<String, String>,
    /// Members to ask for admission. Empty: found a cluster, or go on with the one on disk.
    pub join: Vec<String>,
    /// How many shard groups a new cluster has. Fixed at its founding.
    pub shard_groups: u32,
    /// Times and sizes of Raft.
    pub raft: Tuning,
    /// Times and limits of connections between nodes.
    pub transport: Settings,
    /// How often a member says that it is alive; each time is an entry of group 0.
    pub heartbeat: Duration,
}

impl Options {
    /// A node with defaults: no listener, no roles, 16 shard groups.
    pub fn new(data_dir: impl Into<PathBuf>, node: impl Into<String>) -> Self {
        Self {
            data_dir: data_dir.into(),
            node: node.into(),
            roles: BTreeSet::new(),
            zone: String::new(),
            version: env!("CARGO_PKG_VERSION").into(),
            listen: None,
            advertise: None,
            addresses: BTreeMap::new(),
            join: Vec::new(),
            shard_groups: 16,
            raft: Tuning::default(),
            transport: Settings::default(),
            heartbeat: Duration::from_secs(10),
        }
    }
}
