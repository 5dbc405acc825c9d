//! From the sound of a recording to the bytes of its file. Sound that goes into the file as it is passes through; the rest is
//! made on threads that may block, a piece at a time, so that no call's work waits for it.

use std::{sync::LazyLock, thread::available_parallelism};

use bytes::Bytes;
use mangrove_sound::kept::{Form, Maker};
use object_store::Result;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::spawn_blocking,
};

/// Files that are encoded at the same time: the other half of the processors is the calls'.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| {
    Semaphore::new(available_parallelism().map_or(1, |processors| processors.get().div_ceil(2)))
});

/// Files that are not encoded and are put together at the same time: on its way into the store each has up to 25 MB in memory,
/// and calls end by the thousand where a site goes down. The others lie in the store as parts meanwhile.
pub(super) const AT_ONCE: usize = 16;
static PLAIN_TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// A file in the making.
#[derive(Debug)]
pub(super) enum Making {
    /// What is to stand before the sound.
    Plain(Bytes),
    Made(Box<Maker>),
}

impl Making {
    /// Of a recording of so many bytes of sound.
    pub(super) fn new(form: Form, bytes: u64) -> Result<Self> {
        if form.is_plain() {
            return Ok(Self::Plain(Bytes::copy_from_slice(&form.header(bytes))));
        }
        Ok(Self::Made(Box::new(Maker::new(form, bytes).map_err(failed)?)))
    }

    /// Takes the next piece of the sound, and gives what comes into the file now.
    pub(super) async fn add(self, sound: Bytes) -> Result<(Self, Bytes)> {
        match self {
            Self::Plain(before) if before.is_empty() => Ok((Self::Plain(before), sound)),
            Self::Plain(before) => Ok((Self::Plain(Bytes::new()), [before, sound].concat().into())),
            Self::Made(mut maker) => {
                let add = spawn_blocking(move || maker.add(&sound).map(|made| (maker, made)));
                let (maker, made) = add.await.map_err(failed)?.map_err(failed)?;
                Ok((Self::Made(maker), made.into()))
            }
        }
    }

    /// What comes last.
    pub(super) async fn finish(self) -> Result<Bytes> {
        match self {
            Self::Plain(before) => Ok(before),
            Self::Made(maker) => {
                let made = spawn_blocking(move || maker.finish()).await.map_err(failed)?;
                Ok(made.map_err(failed)?.into())
            }
        }
    }
}

/// Waits until this node has memory for one more file, and a processor if it is to be encoded. Goes on without where nobody
/// gives turns any more.
pub(super) async fn turn(form: Form) -> Option<SemaphorePermit<'static>> {
    let turns = if form.opus { LazyLock::force(&TURNS) } else { &PLAIN_TURNS };
    turns.acquire().await.ok()
}

/// The whole file of a recording whose sound is at hand: it is shorter than a part.
pub(super) async fn whole(form: Form, sound: Bytes) -> Result<Bytes> {
    let making = Making::new(form, sound.len() as u64)?;
    let (making, beginning) = making.add(sound).await?;
    let end = making.finish().await?;
    Ok(if end.is_empty() { beginning } else { [beginning, end].concat().into() })
}

/// In the store's words: it is tried again as a failure of the store is.
fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> object_store::Error {
    object_store::Error::Generic { store: "recordings", source: error.into() }
}
