//! Where recordings wait while the object store is away: a folder of this machine, so that neither the length of an outage nor
//! the end of the process costs sound. Each recording that waits has a folder of its own there, a [`Shelf`].
//!
//! ```text
//! spool/00001796083200000000-0/about.json                  whose it is, and its wrapped key
//!                              begun                       its note was in the store, so many bytes before its sound
//!                              00000003-000000128000.piece sound, or what is known of lost sound, in order; bytes of
//!                                                          sound before it
//! ```

mod piece;
mod shelf;

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use mangrove_objects::Masters;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, oneshot};

pub(super) use shelf::{About, Left, Shelf};

use crate::{
    clock::{now_us, unix_at},
    metrics::RECORDING_SPOOLED,
    sys,
};

/// What a disk keeps free in any case: others live on it, the cluster's log among them.
const RESERVE: u64 = 1 << 30;
/// Files that are written at the same time.
const AT_ONCE: usize = 8;

/// The spool of one process. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Spool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    limit: u64,
    /// Without them pieces lie there plain, as the recordings do.
    masters: Option<Arc<Masters>>,
    used: AtomicU64,
    next: AtomicU64,
    /// Shelves that somebody in this process works on.
    taken: Mutex<BTreeSet<String>>,
    /// Why a shelf that a former run left can't be read.
    trouble: Mutex<Option<String>>,
    slots: Arc<Semaphore>,
}

impl Spool {
    /// In this folder, which is made when it is needed, of at most so many bytes.
    pub fn open(folder: &Path, limit: u64, masters: Option<Arc<Masters>>) -> io::Result<Self> {
        let used = AtomicU64::new(size(folder)?);
        let inner = Inner {
            folder: folder.to_owned(),
            limit,
            masters,
            used,
            next: AtomicU64::new(0),
            taken: Mutex::default(),
            trouble: Mutex::default(),
            slots: Arc::new(Semaphore::new(AT_ONCE)),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// How full it is, as part of a sentence.
    pub(super) fn level(&self) -> String {
        let megabytes = |bytes: u64| bytes.div_ceil(1 << 20);
        let used = megabytes(self.inner.used.load(Ordering::Relaxed));
        format!("on this node's disk ({used} of {} MB)", megabytes(self.inner.limit))
    }

    /// What an operator should see to.
    pub(super) fn alarm(&self) -> Option<String> {
        self.inner.trouble.lock().clone()
    }

    /// What former runs left and nobody here works on, the oldest first.
    pub(super) async fn left(&self) -> Vec<Left> {
        let spool = self.clone();
        let found = self.on_disk(move || spool.find_left()).await;
        found.unwrap_or_else(|error| {
            self.tell(Some(format!("recordings that wait on this node's disk can't be listed: {error}")));
            Vec::new()
        })
    }

    fn find_left(&self) -> io::Result<Vec<Left>> {
        let (mut left, mut trouble) = (Vec::new(), None);
        for name in shelves(&self.inner.folder)? {
            let is_free = self.inner.taken.lock().insert(name.clone());
            if !is_free {
                continue;
            }
            match Shelf::of_former_run(self, &name) {
                Ok(Some(found)) => {
                    left.push(found);
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    let folder = self.inner.folder.join(&name);
                    let what =
                        format!("a recording waits in {} and can't be read: {error}", folder.display());
                    trouble.get_or_insert(what);
                }
            }
            self.inner.taken.lock().remove(&name);
        }
        self.tell(trouble);
        Ok(left)
    }

    /// What is wrong with what lies there now; said once in the log.
    fn tell(&self, trouble: Option<String>) {
        let mut told = self.inner.trouble.lock();
        if let Some(what) = trouble.as_ref().filter(|_| *told != trouble) {
            tracing::error!("{what}");
        }
        *told = trouble;
    }

    /// A name that no shelf had before.
    fn new_name(&self) -> String {
        format!("{:020}-{}", unix_at(now_us()), self.inner.next.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether so many bytes more may lie there; they are counted then.
    fn reserve(&self, bytes: u64) -> bool {
        let before = self.inner.used.fetch_add(bytes, Ordering::Relaxed);
        let is_free = sys::free_bytes(&self.inner.folder).is_ok_and(|free| free >= RESERVE + bytes);
        let fits = before + bytes <= self.inner.limit && is_free;
        if !fits {
            self.release(bytes);
        }
        self.publish();
        fits
    }

    fn release(&self, bytes: u64) {
        self.inner.used.fetch_sub(bytes, Ordering::Relaxed);
        self.publish();
    }

    fn publish(&self) {
        metrics::gauge!(RECORDING_SPOOLED).set(self.inner.used.load(Ordering::Relaxed) as f64);
    }

    /// Work that waits for the disk, on a thread of its own: the runtime's may all hang in a folder that is the object store.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let slot = self.inner.slots.clone().acquire_owned().await.map_err(io::Error::other)?;
        let (tell, told) = oneshot::channel();
        let run = move || {
            let _slot = slot;
            // Whoever asked may not wait any more.
            let _ = tell.send(work());
        };
        thread::Builder::new().name("spool".into()).spawn(run)?;
        told.await.map_err(io::Error::other)?
    }
}

/// Names in a folder, in order; none where there is no folder.
fn names(folder: &Path) -> io::Result<BTreeSet<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        entries => entries?,
    };
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// Names of the shelves in the spool's folder, in order. What else lies there is not the spool's.
fn shelves(folder: &Path) -> io::Result<BTreeSet<String>> {
    Ok(names(folder)?.into_iter().filter(|name| is_shelf(name)).collect())
}

/// Whether [`Spool::new_name`] makes such names.
fn is_shelf(name: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.split_once('-').is_some_and(|(at, number)| at.len() == 20 && is_number(at) && is_number(number))
}

/// Bytes of all pieces.
fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for shelf in shelves(folder)? {
        for (_, size) in shelf::pieces(&folder.join(shelf))? {
            bytes += size;
        }
    }
    Ok(bytes)
}
