//! Why a store cannot be opened. Failures after that are told to openraft and to `Store::watch_failure`.

use std::path::PathBuf;

use crate::Owner;
use crate::types::GroupId;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has it open.
    #[error("the log in {path} is in use by another process; stop that one first")]
    InUse { path: PathBuf },
    /// The disk belongs to another node or another cluster.
    #[error(
        "the log in {path} belongs to {found}, not to {wanted}; use that node's identity or an empty folder"
    )]
    Foreign { path: PathBuf, found: Owner, wanted: Owner },
    /// The operating system or the database refused.
    #[error("cannot open the log in {path}: {reason}")]
    Open { path: PathBuf, reason: String },
    /// What is stored contradicts itself.
    #[error(
        "the log of group {group} is damaged: {reason}; the node does not start with it: give it up with `mangrove \
         replace` on another node and let it join with an empty folder, or restore a backup"
    )]
    Damaged { group: GroupId, reason: String },
    /// Bits have changed in a file of the database.
    #[error(
        "{path} is damaged: {what}; the node does not start with it: give it up with `mangrove replace` on another node \
         and let it join with an empty folder, or restore a backup"
    )]
    Corrupt { path: PathBuf, what: String },
}
