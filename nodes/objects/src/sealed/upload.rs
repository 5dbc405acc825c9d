//! Seals a large object while it is uploaded. What goes to the store are pieces of one size, which some stores ask for,
//! whatever the pieces that come.

use std::fmt;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{FutureExt, future::try_join_all};
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart, path::Path};

use crate::{
    Error,
    chunks::{DataKey, Sealing},
    error::{discreet, refused},
};

/// Of each piece but the last; no store takes less than 5 MiB.
const PIECE: usize = 8 << 20;

pub(super) struct Upload {
    inner: Box<dyn MultipartUpload>,
    sealing: Sealing,
    /// Sealed and not sent.
    sealed: BytesMut,
    path: Path,
    /// A piece could not be sealed.
    is_broken: bool,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("inner", &self.inner).field("path", &self.path).finish_non_exhaustive()
    }
}

impl Upload {
    pub(super) fn begin(inner: Box<dyn MultipartUpload>, key: &DataKey, path: &Path) -> Result<Self> {
        let begun = Sealing::begin(key, path.as_ref()).map_err(|error| refused(path, error));
        let (sealing, header) = begun?;
        let sealed = BytesMut::from(&header[..]);
        Ok(Self { inner, sealing, sealed, path: path.clone(), is_broken: false })
    }

    fn seal(&mut self, data: &PutPayload) -> Result<(), Error> {
        let mut sealed = Vec::with_capacity(data.content_length() + 1024);
        for plain in data {
            self.sealing.push(plain, &mut sealed)?;
        }
        self.sealed.extend_from_slice(&sealed);
        Ok(())
    }

    /// Puts pieces on their way while there are so many bytes.
    fn send(&mut self, least: usize) -> Vec<UploadPart> {
        let mut parts = Vec::new();
        while self.sealed.len() >= least {
            let piece: Bytes = self.sealed.split_to(self.sealed.len().min(PIECE)).freeze();
            parts.push(self.inner.put_part(piece.into()));
        }
        parts
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        if let Err(error) = self.seal(&data) {
            self.is_broken = true;
            return std::future::ready(Err(refused(&self.path, error))).boxed();
        }
        let parts = self.send(PIECE);
        async move { try_join_all(parts).await.map(drop).map_err(discreet) }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        if self.is_broken {
            return Err(refused(&self.path, Error::Crypto));
        }
        let mut last = Vec::new();
        self.sealing.finish(&mut last).map_err(|error| refused(&self.path, error))?;
        self.sealed.extend_from_slice(&last);
        let parts = self.send(1);
        try_join_all(parts).await.map_err(discreet)?;
        self.inner.complete().await.map_err(discreet)
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await.map_err(discreet)
    }
}
