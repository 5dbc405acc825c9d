//! One recording's folder in the spool. What is put there is on the disk when that returns, survives the process, and is taken
//! away piece by piece as the object store has it.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use mangrove_objects::{DataKey, Wrapped, open, seal};
use serde::{Deserialize, Serialize};

use super::{Spool, names, piece};
use crate::recorder::{
    open::Ticket,
    piece::{Piece, Place},
};

const ABOUT: &str = "about.json";
const BEGUN: &str = "begun";
const PIECE: &str = ".piece";

/// What is known of a recording that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::recorder) struct About {
    pub(in crate::recorder) ticket: Ticket,
    /// Who was to write it.
    pub(in crate::recorder) writer: String,
    /// When its writer began, milliseconds since 1970.
    pub(in crate::recorder) began_ms: u64,
    /// How long before that it should have begun.
    pub(in crate::recorder) ran_ms: u64,
    /// Of the pieces, where recordings are sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Wrapped>,
}

impl About {
    pub(in crate::recorder) fn new(ticket: Ticket, writer: String, began_ms: u64, ran_ms: u64) -> Self {
        Self { ticket, writer, began_ms, ran_ms, key: None }
    }
}

/// A recording that a former run left.
#[derive(Debug)]
pub(in crate::recorder) struct Left {
    pub(in crate::recorder) about: About,
    pub(in crate::recorder) shelf: Shelf,
    /// Place and size, in order.
    pub(in crate::recorder) pieces: Vec<(Place, u64)>,
    /// What its writer had of the recording before its own sound, if its note was in the object store then.
    pub(in crate::recorder) base: Option<u64>,
}

/// Clones are the same folder. The last one that goes leaves what lies there to whoever looks for it.
#[derive(Debug, Clone)]
pub(in crate::recorder) struct Shelf {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    spool: Spool,
    name: String,
    key: Option<DataKey>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.spool.inner.taken.lock().remove(&self.name);
    }
}

impl Shelf {
    /// A new one.
    pub(in crate::recorder) async fn make(spool: &Spool, about: About) -> io::Result<Self> {
        let (name, of) = (spool.new_name(), spool.clone());
        spool.inner.taken.lock().insert(name.clone());
        spool.on_disk(move || Self::begin(&of, name, about)).await
    }

    fn begin(spool: &Spool, name: String, mut about: About) -> io::Result<Self> {
        let masters = spool.inner.masters.as_ref();
        let key = masters.map(|masters| masters.new_key(&name)).transpose().map_err(io::Error::other)?;
        let (key, wrapped) = key.unzip();
        about.key = wrapped;
        let shelf = Self { inner: Arc::new(Inner { spool: spool.clone(), name, key }) };
        let folder = shelf.folder();
        // What people said is for nobody else on this machine.
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        write(&folder, ABOUT, &serde_json::to_vec(&about)?)?;
        File::open(&spool.inner.folder)?.sync_all()?;
        Ok(shelf)
    }

    /// What lies in the folder of this name, which is the caller's already; None where there are no pieces. What names its pieces
    /// otherwise stays there: it is sound that nobody else has.
    pub(super) fn of_former_run(spool: &Spool, name: &str) -> io::Result<Option<Left>> {
        let folder = spool.inner.folder.join(name);
        let pieces = pieces(&folder)?;
        if pieces.is_empty() {
            if names(&folder)?.iter().any(|name| name.ends_with(PIECE)) {
                return Err(io::Error::other("another build wrote it: start that one to have it written"));
            }
            return match fs::remove_dir_all(&folder) {
                // Who worked on it was done just now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                removed => removed.map(|()| None),
            };
        }
        let about: About = serde_json::from_slice(&fs::read(folder.join(ABOUT))?)?;
        let key = about.key.as_ref().map(|wrapped| unwrap(spool, wrapped, name)).transpose()?;
        let shelf = Self { inner: Arc::new(Inner { spool: spool.clone(), name: name.to_owned(), key }) };
        Ok(Some(Left { about, shelf, pieces, base: base(&folder)? }))
    }

    /// Puts a piece there; gives its size. None when there is no room.
    pub(in crate::recorder) async fn put(&self, place: Place, piece: &Piece) -> io::Result<Option<u64>> {
        let Some(bytes) = piece::encode(piece) else { return Ok(None) };
        let shelf = self.clone();
        self.inner.spool.on_disk(move || shelf.put_bytes(place, bytes)).await
    }

    fn put_bytes(&self, place: Place, bytes: Vec<u8>) -> io::Result<Option<u64>> {
        let Inner { spool, key, .. } = self.inner.as_ref();
        let bytes = match key {
            Some(key) => seal(key, &self.bound(place), &bytes).map_err(io::Error::other)?,
            None => bytes,
        };
        let size = bytes.len() as u64;
        if !spool.reserve(size) {
            return Ok(None);
        }
        let written = write(&self.folder(), &file(place), &bytes);
        written.inspect_err(|_| spool.release(size)).map(|()| Some(size))
    }

    /// The piece of this place.
    pub(in crate::recorder) async fn get(&self, place: Place) -> io::Result<Piece> {
        let shelf = self.clone();
        self.inner.spool.on_disk(move || shelf.get_now(place)).await
    }

    fn get_now(&self, place: Place) -> io::Result<Piece> {
        let bytes = fs::read(self.folder().join(file(place)))?;
        let bytes = match &self.inner.key {
            Some(key) => open(key, &self.bound(place), &bytes).map_err(damaged)?,
            None => bytes,
        };
        piece::decode(bytes).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
    }

    /// Takes a piece of this size away. One that stays all the same is found to be written when it is taken up.
    pub(in crate::recorder) async fn forget(&self, place: Place, size: u64) {
        let shelf = self.clone();
        if let Err(error) = self.inner.spool.on_disk(move || shelf.forget_now(place, size)).await {
            tracing::warn!(%error, ?place, "a written piece stays on the disk");
        }
    }

    /// Gone for good: one that came back with the machine's power would be written once more.
    fn forget_now(&self, place: Place, size: u64) -> io::Result<()> {
        let folder = self.folder();
        fs::remove_file(folder.join(file(place)))?;
        self.inner.spool.release(size);
        File::open(folder)?.sync_all()
    }

    /// The recording's note is in the object store from now on, with so many bytes before its writer's own sound.
    pub(in crate::recorder) async fn mark_begun(&self, base: u64) {
        let shelf = self.clone();
        let mark = move || write(&shelf.folder(), BEGUN, base.to_string().as_bytes());
        if let Err(error) = self.inner.spool.on_disk(mark).await {
            tracing::warn!(%error, "that a recording has begun can't be noted on the disk");
        }
    }

    /// Nothing of it is needed any more.
    pub(in crate::recorder) async fn remove(self) {
        let shelf = self.clone();
        let gone = self.inner.spool.on_disk(move || shelf.remove_now()).await;
        if let Err(error) = gone {
            tracing::warn!(%error, "a folder of the spool stays");
        }
    }

    fn remove_now(&self) -> io::Result<()> {
        let left = pieces(&self.folder())?;
        fs::remove_dir_all(self.folder())?;
        self.inner.spool.release(left.into_iter().map(|(_, size)| size).sum());
        Ok(())
    }

    fn folder(&self) -> PathBuf {
        self.inner.spool.inner.folder.join(&self.inner.name)
    }

    /// What a sealed piece is bound to.
    fn bound(&self, Place { number, at }: Place) -> String {
        format!("{}/{number}/{at}", self.inner.name)
    }
}

fn unwrap(spool: &Spool, wrapped: &Wrapped, name: &str) -> io::Result<DataKey> {
    let masters = spool.inner.masters.as_ref();
    let masters = masters.ok_or_else(|| io::Error::other("it is sealed, and objects.keys is not set"))?;
    masters.unwrap(wrapped, name).map_err(io::Error::other)
}

/// It will not be better when it is read again.
fn damaged(error: mangrove_objects::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn file(Place { number, at }: Place) -> String {
    format!("{number:08}-{at:012}{PIECE}")
}

/// None for other files.
fn place(name: &str) -> Option<Place> {
    let (number, at) = name.strip_suffix(PIECE)?.split_once('-')?;
    Some(Place { number: number.parse().ok()?, at: at.parse().ok()? })
}

/// Places and sizes of a shelf's pieces, in order.
pub(super) fn pieces(folder: &Path) -> io::Result<Vec<(Place, u64)>> {
    let mut pieces = Vec::new();
    for name in names(folder)? {
        let Some(place) = place(&name) else { continue };
        pieces.push((place, fs::metadata(folder.join(name))?.len()));
    }
    pieces.sort_unstable();
    Ok(pieces)
}

/// What was marked when the recording's note was in the object store.
fn base(folder: &Path) -> io::Result<Option<u64>> {
    match fs::read_to_string(folder.join(BEGUN)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        marked => Ok(marked?.parse().ok()),
    }
}

/// Writes a file whole, name and all, or not at all.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let draft = folder.join(format!("{name}.draft"));
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, folder.join(name))?;
    File::open(folder)?.sync_all()
}
