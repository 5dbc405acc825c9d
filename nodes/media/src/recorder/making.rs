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

/// Waits until this node has a processor for the encoding of a whole recording. Nothing to wait for where there is none.
pub(super) async fn turn(form: Form) -> Option<SemaphorePermit<'static>> {
    if form.opus { TURNS.acquire().await.ok() } else { None }
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
