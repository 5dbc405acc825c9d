//! The three files, as they are on disk.

use std::path::{Path, PathBuf};

/// Where a node's certificate is, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The authority's certificate. While the authority is replaced by a new one: both.
    pub ca: PathBuf,
    /// The node's certificate, then those between it and the authority, if any.
    pub cert: PathBuf,
    /// The key of the node's certificate.
    pub key: PathBuf,
}

/// The bytes of a file, or why it can't be read.
pub(super) type Content = Result<Vec<u8>, String>;

/// All three at one moment. Compared whole: times of files lie when they are copied or swapped by a link.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Contents {
    pub(super) ca: Content,
    pub(super) cert: Content,
    pub(super) key: Content,
}

impl Contents {
    /// Blocks for as long as the disk does.
    pub(super) fn read(files: &Files) -> Self {
        Self { ca: read(&files.ca), cert: read(&files.cert), key: read(&files.key) }
    }
}

fn read(file: &Path) -> Content {
    std::fs::read(file).map_err(|error| error.to_string())
}
