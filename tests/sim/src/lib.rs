//! The cluster in one thread: the product's Raft rooms, control and rules run unchanged over simulated time, chance,
//! disks and connections, while nodes are killed, paused and cut off. One seed is one run.
//!
//! | module | what it is |
//! |---|---|
//! | [`run`] | one seed: the phases of a run, and what must hold at its end |
//! | [`batch`] | many seeds, each in a process of its own |
//! | `time` | the clocks and the chance that the operating system would give |
//! | `wire`, `disk` | what `cluster/transport` dials, what `cluster/log` writes to |
//! | `node` | a node: runtime, `Cluster` and `Control`, its state machines under watch |
//! | `post`, `outside` | edges, media nodes, phones, database, agents, a supervisor; the ways to them |
//! | `faults` | what goes wrong when |
//! | [`plant`] | bugs put in on purpose, to see that they are found |
//!
//! Nodes take turns. In one turn all run through the same few milliseconds, which is shorter than any message takes: so
//! none can hear of what another does in the same turn, and their order does not matter.

pub mod batch;
mod chronicle;
mod company;
mod disk;
mod faults;
mod node;
mod outside;
pub mod plant;
mod post;
pub mod run;
mod time;
mod wire;

/// Which node.
type NodeIndex = usize;

/// Nodes of the cluster.
const NODES: usize = 3;
const EDGES: usize = 2;
const MEDIAS: usize = 2;
/// One turn, and the least that a message takes, milliseconds.
const STEP: u64 = 4;
