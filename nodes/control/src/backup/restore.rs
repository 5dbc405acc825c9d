//! A data folder made of a backup: whoever starts on it founds a new cluster with all that the old one had. Calls that
//! were going on when the backup was made have ended, with a record each.

use std::{collections::BTreeMap, path::PathBuf};

use mangrove_membership::{self as membership, Directory, PROTOCOL, Seed, refound};

use super::archive::{self, Archive};
use crate::machine;

/// Why a backup is not restored. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{} {source}", path.display())]
    Archive { path: PathBuf, source: archive::Error },
    #[error(
        "the backup was made by build {version}, which speaks protocol {protocol}; this build speaks {PROTOCOL}: \
         restore it with that build or a newer one"
    )]
    Newer { version: String, protocol: u32 },
    #[error("the backup has no state of group {0}; use another one")]
    Incomplete(u32),
    #[error("group {group}'s state in the backup can't be read: {why}")]
    Unreadable { group: u32, why: String },
    #[error(transparent)]
    Cluster(#[from] membership::Error),
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Of the new cluster.
    pub incarnation: u64,
    pub tenants: usize,
    /// Calls that were going on.
    pub calls: usize,
    /// When the backup was made, Unix milliseconds.
    pub made_at: u64,
}

/// Makes `options.data_dir` of the backup in `path`. Refused, with nothing changed, over a folder that is not empty.
pub fn restore(path: &std::path::Path, options: &membership::Options) -> Result<Restored, Error> {
    let unreadable = |source| Error::Archive { path: path.into(), source };
    let Archive { header, directory, groups } = archive::read(path).map_err(unreadable)?;
    if header.protocol > PROTOCOL {
        return Err(Error::Newer { version: header.version, protocol: header.protocol });
    }
    let directory = Directory::from_bytes(&directory)?;
    let before = directory.founding.as_ref().map_or(0, |founding| founding.incarnation);
    let (mut calls, mut seeds) = (0, BTreeMap::new());
    for group in 1..=header.shard_groups {
        let seed = groups.get(&group).ok_or(Error::Incomplete(group))?;
        let current = machine::from_bytes(&seed.state);
        let mut current = current.map_err(|error| Error::Unreadable { group, why: error.to_string() })?;
        calls += crate::shard::call_count(&current.state);
        current.state = current.state.refounded(before, group, current.now, current.wall);
        let state = machine::to_bytes(&current);
        let state = state.map_err(|error| Error::Unreadable { group, why: error.to_string() })?;
        seeds.insert(group, Seed { index: seed.index, state });
    }
    let tenants = directory.tenants.len();
    let incarnation = refound(options, directory, &seeds)?;
    Ok(Restored { incarnation, tenants, calls, made_at: header.made_at })
}
