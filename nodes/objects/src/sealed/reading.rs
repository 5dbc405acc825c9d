//! Reads sealed objects, whole or in ranges: of the store's bytes only the chunks that hold the range are fetched, and each
//! is checked before anything of it is passed on.

use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use object_store::{
    Attributes, Error as StoreError, Extensions, GetOptions, GetRange, GetResult, GetResultPayload,
    ObjectMeta, ObjectStore, Result, path::Path,
};

use crate::{
    Error,
    chunks::{self, CHUNK, HEADER, Opening, SEALED_CHUNK},
    error::refused,
    place,
    vault::Vault,
};

/// The sealed object of this path, opened. `NotFound` where there is none.
pub(super) async fn get(
    store: &dyn ObjectStore,
    vault: &Vault,
    path: &Path,
    options: &GetOptions,
) -> Result<GetResult> {
    let sealed = place::sealed(path)?;
    let Some(range) = options.range.as_ref().filter(|_| !options.head) else {
        let found = store.get_opts(&sealed, GetOptions { range: None, ..options.clone() }).await?;
        return match options.head {
            true => About::of(&found, path)?.with(0..0, stream::empty().boxed()),
            false => whole(vault, path, found).await,
        };
    };
    part(store, vault, path, &sealed, range, options).await
}

async fn whole(vault: &Vault, path: &Path, found: GetResult) -> Result<GetResult> {
    let about = About::of(&found, path)?;
    let key = vault.to_open(path).await?;
    let mut source = Source { stream: found.into_stream(), buffer: BytesMut::new() };
    let header = source.take(HEADER).await?.unwrap_or_default();
    let opening = Opening::begin(&key, path.as_ref(), &header, 0, about.sealed);
    let opening = opening.map_err(|error| refused(path, error))?;
    let range = 0..about.meta.size;
    about.with(range.clone(), opened(source, opening, path, range))
}

async fn part(
    store: &dyn ObjectStore,
    vault: &Vault,
    path: &Path,
    sealed: &Path,
    range: &GetRange,
    options: &GetOptions,
) -> Result<GetResult> {
    let header = Some(GetRange::Bounded(0..HEADER as u64));
    let found = store.get_opts(sealed, GetOptions { range: header, ..options.clone() }).await?;
    let about = About::of(&found, path)?;
    let range = range
        .as_range(about.meta.size)
        .map_err(|error| StoreError::Generic { store: "sealed", source: Box::new(error) })?;
    let key = vault.to_open(path).await?;
    let first = range.start / CHUNK as u64;
    let opening = Opening::begin(&key, path.as_ref(), &found.bytes().await?, first, about.sealed);
    let opening = opening.map_err(|error| refused(path, error))?;
    let chunks = GetRange::Bounded(chunks_of(&range, about.sealed));
    // Of the same object as the header.
    let options =
        GetOptions { range: Some(chunks), if_match: about.meta.e_tag.clone(), ..GetOptions::default() };
    let stream = store.get_opts(sealed, options).await?.into_stream();
    let source = Source { stream, buffer: BytesMut::new() };
    about.with(range.clone(), opened(source, opening, path, range))
}

/// The sealed bytes that hold a range of plain ones, of an object of `size` sealed bytes.
fn chunks_of(plain: &Range<u64>, size: u64) -> Range<u64> {
    let sealed = |chunk: u64| HEADER as u64 + chunk * SEALED_CHUNK as u64;
    let last = plain.end.saturating_sub(1).max(plain.start) / CHUNK as u64;
    sealed(plain.start / CHUNK as u64)..sealed(last + 1).min(size)
}

/// What the store says of an object, as of the plain one.
struct About {
    meta: ObjectMeta,
    /// Sealed bytes.
    sealed: u64,
    attributes: Attributes,
    extensions: Extensions,
}

impl About {
    fn of(found: &GetResult, path: &Path) -> Result<Self> {
        let sealed = found.meta.size;
        let damaged = || refused(path, Error::Damaged { what: path.to_string() });
        let size = chunks::plain_size(sealed).ok_or_else(damaged)?;
        let meta = ObjectMeta { location: path.clone(), size, ..found.meta.clone() };
        let (attributes, extensions) = (found.attributes.clone(), found.extensions.clone());
        Ok(Self { meta, sealed, attributes, extensions })
    }

    fn with(self, range: Range<u64>, stream: BoxStream<'static, Result<Bytes>>) -> Result<GetResult> {
        let Self { meta, attributes, extensions, .. } = self;
        Ok(GetResult { payload: GetResultPayload::Stream(stream), meta, range, attributes, extensions })
    }
}

/// The range's plain bytes, from a source that begins with its first chunk.
fn opened(
    source: Source,
    opening: Opening,
    path: &Path,
    range: Range<u64>,
) -> BoxStream<'static, Result<Bytes>> {
    let skip = (range.start % CHUNK as u64) as usize;
    let left = range.end - range.start;
    let plain = Plain { source, opening, path: path.clone(), skip, left, is_begun: false };
    let next = |mut plain: Plain| async move {
        let piece = plain.piece().await?;
        Ok::<_, StoreError>(piece.map(|piece| (piece, plain)))
    };
    stream::try_unfold(plain, next).boxed()
}

/// Sealed bytes as they come from the store.
struct Source {
    stream: BoxStream<'static, Result<Bytes>>,
    buffer: BytesMut,
}

impl Source {
    /// The next so many; None where there are fewer.
    async fn take(&mut self, length: usize) -> Result<Option<Vec<u8>>> {
        while self.buffer.len() < length {
            match self.stream.next().await {
                Some(bytes) => self.buffer.extend_from_slice(&bytes?),
                None => return Ok(None),
            }
        }
        Ok(Some(self.buffer.split_to(length).to_vec()))
    }
}

struct Plain {
    source: Source,
    opening: Opening,
    path: Path,
    /// Of the first chunk.
    skip: usize,
    left: u64,
    is_begun: bool,
}

impl Plain {
    /// The next plain bytes; none at the end.
    async fn piece(&mut self) -> Result<Option<Bytes>> {
        while let Some(length) = self.coming() {
            let Some(chunk) = self.source.take(length).await? else {
                return Err(refused(&self.path, self.opening.damaged()));
            };
            self.is_begun = true;
            let plain = self.opening.open(chunk).map_err(|error| refused(&self.path, error))?;
            let plain = self.cut(plain.into());
            if !plain.is_empty() {
                return Ok(Some(plain));
            }
        }
        Ok(None)
    }

    /// Sealed bytes of the next chunk that is wanted. The first one is in any case: an empty object is checked, too.
    fn coming(&self) -> Option<usize> {
        self.opening.coming().filter(|_| self.left > 0 || !self.is_begun)
    }

    /// What of a chunk was asked for.
    fn cut(&mut self, mut plain: Bytes) -> Bytes {
        plain.advance(std::mem::take(&mut self.skip).min(plain.len()));
        plain.truncate(plain.len().min(usize::try_from(self.left).unwrap_or(usize::MAX)));
        self.left -= plain.len() as u64;
        plain
    }
}
