//! Which node this data folder is: `node.json`, written when the node founds or joins a cluster.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use mangrove_raft::{NodeId, Owner};
use serde::{Deserialize, Serialize};

use crate::error::Error;

const FORMAT: u32 = 1;
const FILE: &str = "node.json";

/// A node's identity. The node must never run with less than this and its log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Of the folder's layout.
    pub(crate) format: u32,
    /// Of the cluster.
    pub(crate) incarnation: u64,
    pub(crate) node: NodeId,
    pub(crate) name: String,
    /// How often the node was started.
    pub(crate) boot: u64,
    /// This node is founding the cluster and has not finished.
    pub(crate) founding: bool,
    /// A replica of group 0 runs here, or did when the node stopped. Earlier builds ran one everywhere.
    #[serde(default = "yes")]
    pub(crate) holds_directory: bool,
}

fn yes() -> bool {
    true
}

impl Identity {
    pub(crate) fn new(incarnation: u64, node: NodeId, name: &str, founding: bool) -> Self {
        let name = name.into();
        Self { format: FORMAT, incarnation, node, name, boot: 0, founding, holds_directory: founding }
    }

    /// The same, once the founding is finished.
    pub(crate) fn founded(&self) -> Self {
        Self { founding: false, ..self.clone() }
    }

    /// The same, with or without a replica of group 0.
    pub(crate) fn holding_directory(&self, holds: bool) -> Self {
        Self { holds_directory: holds, ..self.founded() }
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner { incarnation: self.incarnation, node: self.node }
    }

    /// The identity in `folder`, if there is one; refused if it is of another name, or its log is gone.
    pub(crate) fn load(folder: &Path, name: &str) -> Result<Option<Self>, Error> {
        let path = folder.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(&path, error)),
        };
        let identity: Self = serde_json::from_slice(&text).map_err(|error| unusable(&path, error))?;
        if identity.format != FORMAT {
            return Err(unusable(&path, format!("format {} is unknown to this build", identity.format)));
        }
        if identity.name != name {
            let Self { name: found, incarnation, .. } = identity;
            return Err(Error::ForeignDisk { path: folder.into(), found, wanted: name.into(), incarnation });
        }
        if identity.boot > 0 && !log_folder(folder).exists() {
            return Err(Error::LogMissing { path: folder.into() });
        }
        Ok(Some(identity))
    }

    /// Puts the identity in place, whole.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(FILE);
        let written = || -> std::io::Result<()> {
            // The log's folder first: an identity without it is one whose log was lost.
            fs::create_dir_all(log_folder(folder))?;
            let partial = path.with_extension("partial");
            let mut file = File::create(&partial)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            fs::rename(&partial, &path)?;
            File::open(folder)?.sync_all()
        };
        written().map_err(|error| unusable(&path, error))
    }
}

/// Where the node's logs and snapshots are.
pub(crate) fn log_folder(folder: &Path) -> PathBuf {
    folder.join("raft")
}

fn unusable(path: &Path, reason: impl ToString) -> Error {
    Error::Disk { path: path.into(), reason: reason.to_string() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_comes_back_and_counts_its_starts() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Identity::load(folder.path(), "a").unwrap(), None);
        let identity = Identity::new(9, 1, "a", true);
        identity.save(folder.path()).unwrap();
        assert_eq!(Identity::load(folder.path(), "a").unwrap(), Some(identity));
    }

    #[test]
    fn another_nodes_folder_is_refused_by_both_names() {
        let folder = tempfile::tempdir().unwrap();
        Identity::new(9, 1, "a", false).save(folder.path()).unwrap();
        let error = Identity::load(folder.path(), "b").unwrap_err();
        assert!(matches!(error, Error::ForeignDisk { .. }));
        assert!(
            error.to_string().contains(r#"node "a""#) && error.to_string().contains(r#"not to "b""#),
            "{error}"
        );
    }

    #[test]
    fn a_node_without_its_log_may_not_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let identity = Identity { boot: 3, ..Identity::new(9, 1, "a", false) };
        identity.save(folder.path()).unwrap();
        assert_eq!(Identity::load(folder.path(), "a").unwrap(), Some(identity));
        fs::remove_dir_all(log_folder(folder.path())).unwrap();
        assert!(matches!(Identity::load(folder.path(), "a").unwrap_err(), Error::LogMissing { .. }));
    }

    #[test]
    fn damage_and_later_formats_are_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{").unwrap();
        assert!(matches!(Identity::load(folder.path(), "a").unwrap_err(), Error::Disk { .. }));
        Identity { format: 2, ..Identity::new(9, 1, "a", false) }.save(folder.path()).unwrap();
        assert!(Identity::load(folder.path(), "a").unwrap_err().to_string().contains("format 2"));
    }
}
