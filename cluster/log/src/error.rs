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
    #[error("the log of group {group} is damaged: {reason}; restore this node from its peers or a backup")]
    Damaged { group: GroupId, reason: String },
}
