//! How nodes trust one another: not at all asked (`Plain`), or by certificates of the cluster's own authority (`Mutual`).
//!
//! `files` are what the operator puts on disk, `material` what connections are made of, `verify` whom to believe,
//! `renew` the watch over the files, `ending` when an operator is told of a certificate's end, `accept` and `connect` the
//! two sides of a handshake, `reason` and `refusals` how a failure is told.

mod accept;
mod connect;
mod ending;
mod files;
mod material;
mod reason;
mod refusals;
mod renew;
mod verify;

use std::fmt;
use std::sync::Arc;

use rustls::pki_types::UnixTime;
use tokio::sync::watch;

use files::Contents;
use material::Material;
use refusals::Refusals;

pub use files::Files;
pub use material::Error;

/// How nodes trust one another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Security {
    /// Anybody who reaches the port is believed: for one node, or a network of its own.
    #[default]
    Plain,
    /// Both sides show a certificate of the cluster's authority, or there is no connection.
    Mutual(Mutual),
}

impl Security {
    /// Unix seconds when the certificate in use ends; none without one.
    pub fn expires_at(&self) -> Option<u64> {
        match self {
            Self::Plain => None,
            Self::Mutual(mutual) => Some(mutual.expires_at()),
        }
    }

    /// As `Mutual::seconds_left`; none without a certificate.
    pub fn seconds_left(&self) -> Option<i64> {
        match self {
            Self::Plain => None,
            Self::Mutual(mutual) => Some(mutual.seconds_left()),
        }
    }

    /// As `Mutual::alarm`.
    pub fn alarm(&self) -> Option<String> {
        match self {
            Self::Plain => None,
            Self::Mutual(mutual) => mutual.alarm(),
        }
    }
}

/// A node's certificate, its key, and the authority whose certificates it believes. Clones share them.
///
/// The files are read again when they change: new connections use the new ones, connections that stand stay. Files that
/// can't be used leave the old ones in use, with a warning each minute.
#[derive(Clone)]
pub struct Mutual(Arc<Shared>);

struct Shared {
    files: Files,
    node: String,
    current: watch::Sender<Arc<Material>>,
    accepting: Refusals,
    connecting: Refusals,
}

impl Mutual {
    /// Reads the files of `node`, and watches them from a task that ends with the last clone.
    ///
    /// An error is of a file that is missing, no PEM, or that others would refuse: not of this authority, expired, of
    /// another node, for one side only.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn open(files: Files, node: impl Into<String>) -> Result<Self, Error> {
        let node = node.into();
        let contents = Contents::read(&files);
        let material = Material::load(&files, &contents, &node, UnixTime::now())?;
        let (current, _) = watch::channel(Arc::new(material));
        let shared =
            Shared { files, node, current, accepting: Refusals::default(), connecting: Refusals::default() };
        let shared = Arc::new(shared);
        tokio::spawn(renew::keep(Arc::downgrade(&shared), contents));
        Ok(Self(shared))
    }

    /// Unix seconds when the certificate in use ends.
    pub fn expires_at(&self) -> u64 {
        self.0.material().life.ends
    }
}

impl Shared {
    fn material(&self) -> Arc<Material> {
        self.current.borrow().clone()
    }
}

impl fmt::Debug for Mutual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutual")
            .field("node", &self.0.node)
            .field("files", &self.0.files)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Mutual {
    /// The same certificate in the same process.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Mutual {}

#[cfg(test)]
mod tests;
