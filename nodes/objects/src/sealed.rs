//! A store whose recordings are sealed. Whoever uses it sees plain bytes under plain names: sizes, ranges and lists are those
//! of the plain objects.

mod reading;
mod upload;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt,
    future::ready,
    stream::{self, BoxStream},
};
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, path::Path,
};

use crate::{
    chunks,
    error::{discreet, refused},
    place,
    vault::Vault,
};
use upload::Upload;

/// Objects that are deleted at once.
const BITE: usize = 300;

/// Clones are the same store.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    inner: Arc<dyn ObjectStore>,
    vault: Vault,
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.inner)
    }
}

impl Sealed {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, vault: Vault) -> Self {
        Self { inner, vault }
    }

    fn seals(&self, path: &Path) -> bool {
        self.vault.seals() && place::is_sound(path)
    }

    /// Writes under one of an object's two names. What is to be created is not where another wrote it under the other, as nodes do
    /// whose keys are switched on one by one: of two at the same time none creates it, and both try again.
    async fn put_as(
        &self,
        name: &Path,
        other: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let creates = matches!(options.mode, PutMode::Create);
        let put = self.inner.put_opts(name, payload, options).await.map_err(discreet)?;
        if !creates {
            return Ok(put);
        }
        match self.inner.head(other).await {
            Err(Error::NotFound { .. }) => Ok(put),
            Err(error) => Err(discreet(error)),
            Ok(_) => {
                self.inner.delete(name).await.map_err(discreet)?;
                Err(Error::AlreadyExists { path: other.to_string(), source: "it is there already".into() })
            }
        }
    }

    /// An outcome for each, in order. Which of them an error is about, it says itself.
    async fn delete_all(&self, paths: Vec<Result<Path>>) -> Vec<Result<Path>> {
        let names: Vec<Result<Path>> = paths.iter().flatten().flat_map(names).collect();
        let outcomes = self.inner.delete_stream(stream::iter(names).boxed());
        let failed = |outcome| match outcome {
            // Of its names an object has one or two.
            Ok(_) | Err(Error::NotFound { .. }) => None,
            Err(error) => Some(discreet(error)),
        };
        let failures = outcomes.filter_map(|outcome| ready(failed(outcome)));
        let mut failures = failures.collect::<Vec<_>>().await.into_iter();
        let outcome = |path: Result<Path>| match path {
            Ok(path) => failures.next().map_or(Ok(path), Err),
            Err(error) => Err(error),
        };
        paths.into_iter().map(outcome).collect()
    }
}

/// All that may lie in the store of one object.
fn names(path: &Path) -> Vec<Result<Path>> {
    match place::all(path) {
        Ok(names) => names.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}

#[async_trait]
impl ObjectStore for Sealed {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        if !place::is_sound(location) {
            return self.inner.put_opts(location, payload, options).await.map_err(discreet);
        }
        let name = place::sealed(location)?;
        if !self.vault.seals() {
            return self.put_as(location, &name, payload, options).await;
        }
        let key = self.vault.to_seal(location).await?;
        let sealed = chunks::seal(&key, location.as_ref(), &Bytes::from(payload));
        let sealed = sealed.map_err(|error| refused(location, error))?;
        self.put_as(&name, location, sealed.into(), options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        if !self.seals(location) {
            return self.inner.put_multipart_opts(location, options).await.map_err(discreet);
        }
        let key = self.vault.to_seal(location).await?;
        let inner = self.inner.put_multipart_opts(&place::sealed(location)?, options).await;
        Ok(Box::new(Upload::begin(inner.map_err(discreet)?, &key, location)?))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if place::is_sound(location) {
            match reading::get(self.inner.as_ref(), &self.vault, location, &options).await {
                // From before there were keys.
                Err(Error::NotFound { .. }) => {}
                outcome => return outcome.map_err(discreet),
            }
        }
        self.inner.get_opts(location, options).await.map_err(discreet)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let bites = locations.chunks(BITE).then(move |paths| {
            let store = store.clone();
            async move {
                paths.iter().flatten().for_each(|path| store.vault.forget(path));
                stream::iter(store.delete_all(paths).await)
            }
        });
        bites.flatten().boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let listed = |meta| match meta {
            Ok(meta) => place::listed(meta).map(Ok),
            Err(error) => Some(Err(discreet(error))),
        };
        self.inner.list(prefix).filter_map(move |meta| ready(listed(meta))).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let found = self.inner.list_with_delimiter(prefix).await.map_err(discreet)?;
        let objects = found.objects.into_iter().filter_map(place::listed).collect();
        Ok(ListResult { objects, ..found })
    }

    /// Of what is not sealed: a sealed object opens at its own path only.
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        if place::is_sound(from) || place::is_sound(to) {
            return Err(Error::NotSupported { source: "recordings are bound to their paths".into() });
        }
        self.inner.copy_opts(from, to, options).await.map_err(discreet)
    }
}
