//! A data folder made of a backup: a node that starts on it founds a new cluster with what the old one had.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mangrove_raft::{GroupId, Store, seed};

use crate::directory::{Directory, Member};
use crate::error::Error;
use crate::identity::{Identity, log_folder};
use crate::options::Options;
use crate::{DIRECTORY, machine};

/// A shard group's first state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// The position in its log that it stands for.
    pub index: u64,
    pub state: Vec<u8>,
}

impl Directory {
    /// As group 0's snapshots and backups have it.
    pub fn to_bytes(&self) -> Vec<u8> {
        machine::encode(self)
    }

    /// What [`Directory::to_bytes`] wrote, in this build or an earlier one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        machine::decode(bytes)
    }
}

/// Makes `options.data_dir`, which must not be there or be empty, the folder of a founding node, with this directory and
/// these groups' states; the new cluster's incarnation. The folder is there whole or not at all.
pub fn refound(
    options: &Options,
    directory: Directory,
    groups: &BTreeMap<GroupId, Seed>,
) -> Result<u64, Error> {
    let target = &options.data_dir;
    must_be_free(target)?;
    let before = directory.founding.as_ref().map_or(0, |founding| founding.incarnation);
    let incarnation = before.wrapping_add(1 + u64::from(rand::random::<u32>()));
    let (directory, id) = directory.refounded(incarnation, member(options))?;
    let partial = beside(target);
    let unusable = |error: std::io::Error| Error::Disk { path: partial.clone(), reason: error.to_string() };
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(unusable)?;
    }
    fs::create_dir_all(&partial).map_err(unusable)?;
    let identity = Identity { holds_directory: true, ..Identity::new(incarnation, id, &options.node, false) };
    fill(&partial, &identity, &directory, groups)?;
    fs::rename(&partial, target).map_err(unusable)?;
    Ok(incarnation)
}

fn member(options: &Options) -> Member {
    Member {
        name: options.node.clone(),
        roles: options.roles.clone(),
        zone: options.zone.clone(),
        version: options.version.clone(),
        protocol: options.protocol,
        database: options.history(),
        ..Member::default()
    }
}

/// The identity comes last: a folder without it is no node's.
fn fill(
    folder: &Path,
    identity: &Identity,
    directory: &Directory,
    groups: &BTreeMap<GroupId, Seed>,
) -> Result<(), Error> {
    let store = Store::open(&log_folder(folder), identity.owner())?;
    seed(&store, DIRECTORY, identity.node, directory.version, &directory.to_bytes())?;
    for (group, Seed { index, state }) in groups {
        seed(&store, *group, identity.node, *index, state)?;
    }
    drop(store);
    identity.save(folder)
}

fn must_be_free(folder: &Path) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(Error::Disk { path: folder.into(), reason: error.to_string() }),
    };
    if entries { Err(Error::NotEmpty { path: folder.into() }) } else { Ok(()) }
}

fn beside(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".restoring");
    folder.with_file_name(name)
}

#[cfg(test)]
mod tests;
