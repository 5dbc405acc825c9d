//! Why a node cannot start, or the directory cannot do what was asked.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::directory::Refusal;

/// What went wrong, and for whom.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory's rules forbid it; nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Group 0 did not answer as it should.
    #[error(transparent)]
    Raft(#[from] mangrove_raft::Error),
    /// The data folder belongs to another node.
    #[error(
        "{path} belongs to node {found:?} of cluster {incarnation:016x}, not to {wanted:?}; \
             set that name or use an empty folder"
    )]
    ForeignDisk { path: PathBuf, found: String, wanted: String, incarnation: u64 },
    /// The identity is there and the log is not: its votes are lost, so the node must not come back under its id.
    #[error(
        "{path} has the identity of a node but no log; restore the log, or empty the folder and join as a new node"
    )]
    LogMissing { path: PathBuf },
    /// There is something in the folder already.
    #[error("{path} is not empty; a backup is restored into a new or empty folder only")]
    NotEmpty { path: PathBuf },
    /// A group's first state can't be put on disk.
    #[error(transparent)]
    Seed(#[from] mangrove_raft::SeedError),
    /// The identity file cannot be read or written.
    #[error("cannot use {path}: {reason}")]
    Disk { path: PathBuf, reason: String },
    /// The store cannot be opened.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The port cannot be bound.
    #[error("cannot listen on {address}: {reason}")]
    Listen { address: SocketAddr, reason: String },
    /// None of the nodes to join answered.
    #[error("none of the nodes to join answers; last: {0}")]
    Nobody(String),
    /// None of the members asked took this node in.
    #[error("no member took this node in; last: {0}")]
    Join(String),
    /// The disk belongs to another cluster, or this node may not come back.
    #[error("the cluster does not take this node back: {0}")]
    NotTakenBack(String),
    /// No member told what is in the directory.
    #[error(
        "no member told this node of the cluster in {seconds} s; is one of these running: {}?", asked.join(", ")
    )]
    NoDirectory { seconds: u64, asked: Vec<String> },
    /// No member has this name.
    #[error("there is no node {0} in the cluster; `mangrove nodes` lists them")]
    UnknownNode(String),
    /// A group did not find a leader in time.
    #[error("group {group} has no leader after {seconds} s")]
    NoLeader { group: u32, seconds: u64 },
    /// Another build's command or answer.
    #[error("cannot read what another node says: {0}")]
    Malformed(String),
}

pub(crate) use mangrove_raft::StoreError as LogError;
