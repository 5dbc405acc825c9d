//! Where recordings and prompts lie: the object store that a node's configuration names, a folder or S3, and the sealing of
//! what lies there. Whoever holds the store of [`Opened`] reads and writes plain bytes; with master keys, everything under
//! `recordings/` is encrypted on its way out and checked on its way back.
//!
//! ```text
//! master key (a file of the operator's) wraps
//!   data key, one a recording, in RECORDING.key: rewrapped without touching the sound
//!     object key, one an object, from the object's own salt and its path
//!       chunks of 64 KiB, AES-256-GCM, each bound to its number and to whether it is the last
//! ```

mod chunks;
mod create;
pub mod deletion;
mod error;
mod folder;
pub mod held;
mod masters;
mod place;
mod rewrap;
mod s3;
mod sealed;
mod vault;

use std::{path::PathBuf, sync::Arc};

use object_store::{ObjectStore, local::LocalFileSystem, prefix::PrefixStore};

pub use chunks::{DataKey, open, seal};
pub use create::creates_only_once;
pub use error::{Error, of_sealing};
pub use masters::{Masters, Wrapped};
pub use rewrap::{Rewrapped, rewrap};

use sealed::Sealed;
use vault::Vault;

/// Which store, and how it is reached.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `file:PATH`, or `s3://BUCKET/PREFIX`.
    pub url: String,
    /// S3 only.
    pub region: Option<String>,
    /// Another S3 server than Amazon's.
    pub endpoint: Option<String>,
    /// Whether the endpoint may be plain http.
    pub allow_http: bool,
    /// A file with the keys of S3, as Amazon's tools write it; without it they come from the environment, or from the
    /// machine or pod that the process runs on.
    pub credentials: Option<PathBuf>,
}

/// A store that was opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Plain bytes in and out.
    pub objects: Arc<dyn ObjectStore>,
    /// The same place without waiting for the disk, for the parts of running recordings: they come every two seconds from
    /// each call, survive a killed process all the same, and the finished file is written anew. None where `objects`
    /// does as well.
    pub parts: Option<Arc<dyn ObjectStore>>,
}

/// Opens the store. Nothing is asked of it: one that is away is opened all the same. Without `masters` what is written
/// stays plain, and what is sealed is refused.
pub fn connect(settings: &Settings, masters: Option<Arc<Masters>>) -> Result<Opened, Error> {
    let (durable, hasty) = bare(settings)?;
    let vault = Vault::new(durable.clone(), masters);
    let sealed = |store| Arc::new(Sealed::new(store, vault.clone())) as Arc<dyn ObjectStore>;
    Ok(Opened { objects: sealed(durable), parts: hasty.map(sealed) })
}

/// The store as it is, sealed objects and all.
pub fn connect_bare(settings: &Settings) -> Result<Arc<dyn ObjectStore>, Error> {
    Ok(bare(settings)?.0)
}

type Store = Arc<dyn ObjectStore>;

fn bare(settings: &Settings) -> Result<(Store, Option<Store>), Error> {
    if let Some(folder) = folder::of(&settings.url) {
        let durable = folder::open(folder)?.with_fsync(true);
        let hasty: LocalFileSystem = folder::open(folder)?;
        return Ok((Arc::new(durable), Some(Arc::new(hasty))));
    }
    let (bucket, prefix) = s3::split(&settings.url).ok_or(Error::Url)?;
    let store = s3::open(settings, bucket)?;
    Ok(match prefix {
        "" => (Arc::new(store), None),
        prefix => (Arc::new(PrefixStore::new(store, prefix)), None),
    })
}

/// Whether such a URL names a store, as far as its text tells.
pub fn is_known(url: &str) -> bool {
    folder::of(url).is_some() || s3::split(url).is_some()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
