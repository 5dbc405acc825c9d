//! What a node is told before it starts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mangrove_raft::Tuning;
use mangrove_raft::disk::Medium;
use mangrove_transport::Settings;

use crate::directory::{Database, Member};

/// What this build speaks with other nodes, the formats of logs and snapshots included. 2: tenants move. 3: addresses
/// are handed over. 4: what people ask for is numbered, members are lost together. 5: databases are compared, calls leave a
/// media node whose addresses stay. 6: groups commit the version of the rules by which they decide.
pub const PROTOCOL: u32 = 6;

/// A node's place in the world. `Options::new` fills in what fits one node.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the identity, the logs and the snapshots are.
    pub data_dir: PathBuf,
    /// Where logs and snapshots are instead, when they are simulated.
    pub medium: Option<Arc<dyn Medium>>,
    /// This node's name; no other member has it.
    pub node: String,
    /// `edge`, `control`, `media`, `console`. Only nodes with `control` hold replicas and vote.
    pub roles: BTreeSet<String>,
    /// What fails together with this node; replicas are spread over zones.
    pub zone: String,
    /// The build, as shown to operators.
    pub version: String,
    /// What the build speaks with other nodes. Nodes of a protocol and the next one work together.
    pub protocol: u32,
    /// Where to serve; `None` leaves it to the caller to serve `Cluster::routes`.
    pub listen: Option<SocketAddr>,
    /// host:port at which other nodes reach this one; the listening address if `None`.
    pub advertise: Option<String>,
    /// Other addresses to show to members, by kind.
    pub addresses: BTreeMap<String, String>,
    /// Where history goes. Told to members if this node has the role `control`, which writes it.
    pub database: Option<Database>,
    /// Members to ask for admission. Empty: found a cluster, or go on with the one on disk.
    pub join: Vec<String>,
    /// Whether this node founds the cluster when its folder is empty and none of `join` answers. One node of a cluster at
    /// most may have this.
    pub founds: bool,
    /// How many shard groups a new cluster has. Fixed at its founding.
    pub shard_groups: u32,
    /// Times and sizes of Raft.
    pub raft: Tuning,
    /// Times and limits of connections between nodes.
    pub transport: Settings,
    /// How often a member says that it is alive; each time is an entry of group 0. A label for operators and for
    /// clocks: `pulse` tells who answers.
    pub heartbeat: Duration,
    /// How group 0's leader finds out who answers.
    pub pulse: Pulse,
    /// Replicas a group should have: 3 or 5. Group 0's leader's word counts.
    pub replicas: usize,
    /// How long the replicas of a node that does not answer are kept for it. Shorter restores redundancy sooner,
    /// longer spares the copying when it was only restarted.
    pub grace: Duration,
    /// How long a member without work (a console) is remembered that does not answer. When it comes back later than that, it
    /// has to join as a new one.
    pub forget: Duration,
}

/// How group 0's leader finds out who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// Between two pings of a member.
    pub every: Duration,
    /// Silence after which a member is lost. Smaller finds a death sooner and takes a pause for one.
    pub lost_after: Duration,
    /// Answers in a row that bring a lost member back.
    pub back_after: u32,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { every: Duration::from_millis(100), lost_after: Duration::from_millis(900), back_after: 3 }
    }
}

impl Pulse {
    /// For nodes up to 150 ms from one another.
    pub fn wan() -> Self {
        Self { lost_after: Duration::from_millis(2_000), ..Self::default() }
    }
}

impl Options {
    /// A node with defaults: no listener, all roles, 16 shard groups, 3 replicas of each.
    pub fn new(data_dir: impl Into<PathBuf>, node: impl Into<String>) -> Self {
        Self {
            data_dir: data_dir.into(),
            medium: None,
            node: node.into(),
            roles: ["edge", Member::CONTROL, "media", "console"].map(String::from).into(),
            zone: String::new(),
            version: env!("CARGO_PKG_VERSION").into(),
            protocol: PROTOCOL,
            listen: None,
            advertise: None,
            addresses: BTreeMap::new(),
            database: None,
            join: Vec::new(),
            founds: false,
            shard_groups: 16,
            raft: Tuning::default(),
            transport: Settings::default(),
            heartbeat: Duration::from_secs(10),
            pulse: Pulse::default(),
            replicas: 3,
            grace: Duration::from_secs(300),
            forget: Duration::from_secs(24 * 60 * 60),
        }
    }

    /// Where the history goes that this node writes; none without the role that writes it.
    pub(crate) fn history(&self) -> Option<Database> {
        self.database.clone().filter(|_| self.roles.contains(Member::CONTROL))
    }
}
