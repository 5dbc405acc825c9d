//! A store for tests that counts what is read and can refuse to write.

use std::{
    fmt,
    ops::Range,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use bytes::Bytes;
use futures::{
    StreamExt,
    future::ready,
    stream::{self, BoxStream},
};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};

#[derive(Debug, Default)]
pub(crate) struct Store {
    inner: InMemory,
    pub(crate) gets: AtomicUsize,
    pub(crate) refuses: AtomicBool,
    /// It can't be read either.
    pub(crate) is_away: AtomicBool,
    /// Whoever asks for an object waits for ever.
    pub(crate) hangs: AtomicBool,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a store for tests")
    }
}

impl Store {
    fn check(&self) -> Result<()> {
        if self.refuses.load(Ordering::Relaxed) {
            return Err(Error::Generic { store: "test", source: "no space left on device".into() });
        }
        Ok(())
    }

    fn check_reading(&self) -> Result<()> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(Error::Generic { store: "test", source: "connection refused".into() });
        }
        Ok(())
    }
}

#[async_trait::async_trait]
impl ObjectStore for Store {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.check()?;
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.check()?;
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.gets.fetch_add(1, Ordering::Relaxed);
        self.check_reading()?;
        if self.hangs.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.check_reading() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => stream::once(ready(Err(error))).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
