//! Sounds by their keys: `prompt/<language>/<name>`, `prompt/<name>` and `music/<name>`. A tenant's own come first
//! (what it has uploaded, in the object store; then folder), then the node's folder, then what is built in. Each is read
//! and encoded once, however many ask at the same time, and shared by all who hear it; that one was changed or deleted
//! is noticed within two minutes, by those who hear it anew.

mod builtin;
mod kept;
mod key;
mod read;
mod tones;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use mangrove_rtp::{prompt::Prompt, wav};
use object_store::ObjectStore;
use parking_lot::Mutex;

use crate::clock::now_us;
use kept::{Entry, FRESH_US, Kept, Place};
use key::Key;
use read::{Found, Objects};

/// Why a sound can't be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "there is no sound `{key}`: upload it, or use a built-in one (prompt/default-greeting, music/default)"
    )]
    Unknown { key: String },
    #[error(
        "`{key}` is no key of a sound: use prompt/<name>, prompt/<language>/<name> or music/<name> with letters, \
         digits, `-`, `_` and `.`"
    )]
    Key { key: String },
    #[error("the file of `{key}` can't be played: {error}")]
    Malformed { key: String, error: wav::Error },
    #[error("the file of `{key}` has {bytes} bytes; the most is {}", read::LARGEST)]
    TooLarge { key: String, bytes: u64 },
    #[error("the file of `{key}` could not be decoded")]
    Broken { key: String },
}

type Loading = Shared<BoxFuture<'static, Result<Arc<Prompt>, Error>>>;

/// All sounds of a node.
#[derive(Debug)]
pub(crate) struct Prompts {
    folder: Option<PathBuf>,
    objects: Objects,
    builtin: BTreeMap<String, Arc<Prompt>>,
    kept: Mutex<Kept>,
    /// What is being read now: whoever else wants it waits for the same.
    loading: Mutex<BTreeMap<Place, Loading>>,
}

impl Prompts {
    pub(crate) fn new(folder: Option<PathBuf>, objects: Arc<dyn ObjectStore>) -> Arc<Self> {
        let (kept, loading) = (Mutex::default(), Mutex::default());
        Arc::new(Self { folder, objects: Objects::new(objects), builtin: builtin::all(), kept, loading })
    }

    /// The sound, if it was used before and not too long ago. One that may have changed is read again behind the listener's
    /// back.
    pub(crate) fn kept(self: &Arc<Self>, tenant: &str, key: &str) -> Option<Arc<Prompt>> {
        let mut kept = self.kept.lock();
        let entry = kept.get_mut(&(tenant.to_owned(), key.to_owned()))?;
        // Nobody has asked since: whoever does now must not hear what was replaced long ago.
        if entry.is_forgotten(now_us()) {
            return None;
        }
        if entry.fresh_until_us <= now_us() {
            entry.fresh_until_us = now_us() + FRESH_US;
            let (prompts, tenant, key) = (self.clone(), tenant.to_owned(), key.to_owned());
            tokio::spawn(async move {
                match prompts.reload(&tenant, &key).await {
                    Ok(_) => {}
                    Err(error @ Error::Unknown { .. }) => {
                        tracing::info!(%tenant, %error, "a sound was deleted")
                    }
                    Err(error) => {
                        tracing::warn!(%tenant, %error, "a changed sound was refused, the former one stays");
                    }
                }
            });
        }
        Some(entry.prompt.clone())
    }

    /// The sound; it is read now if it was not used before, once for all who ask meanwhile.
    pub(crate) async fn load(self: &Arc<Self>, tenant: &str, key: &str) -> Result<Arc<Prompt>, Error> {
        match self.kept(tenant, key) {
            Some(prompt) => Ok(prompt),
            None => self.reload(tenant, key).await,
        }
    }

    /// Reads the sound and keeps it.
    async fn reload(self: &Arc<Self>, tenant: &str, key: &str) -> Result<Arc<Prompt>, Error> {
        let place = (tenant.to_owned(), key.to_owned());
        let loading = self.loading.lock().entry(place.clone()).or_insert_with(|| self.begin(place)).clone();
        loading.await
    }

    fn begin(self: &Arc<Self>, place: Place) -> Loading {
        let prompts = self.clone();
        let load = async move {
            let read = prompts.read(&place.0, &place.1).await;
            let outcome = read.map(|prompt| prompts.keep(&place, prompt));
            if let Err(Error::Unknown { .. }) = &outcome {
                prompts.kept.lock().remove(&place);
            }
            prompts.loading.lock().remove(&place);
            outcome
        };
        load.boxed().shared()
    }

    /// Keeps the sound; gives the one that was kept already when it is the same, so that memory holds it once.
    fn keep(&self, place: &Place, prompt: Arc<Prompt>) -> Arc<Prompt> {
        let mut kept = self.kept.lock();
        let former = kept.remove(place).map(|entry| entry.prompt);
        let prompt = former.filter(|former| *former == prompt).unwrap_or(prompt);
        let is_built_in = self.builtin.values().any(|built_in| Arc::ptr_eq(built_in, &prompt));
        kept.put(place.clone(), Entry::new(prompt.clone(), is_built_in, now_us()));
        prompt
    }

    async fn read(&self, tenant: &str, text: &str) -> Result<Arc<Prompt>, Error> {
        let key = Key::parse(tenant, text)?;
        let file = match self.objects.find(&key.object(tenant), text).await? {
            Found::File(file) => Some(file),
            Found::Nothing => self.file(tenant, &key, text).await?,
            Found::Unanswered => match self.former(tenant, text) {
                Some(former) => return Ok(former),
                None => self.file(tenant, &key, text).await?,
            },
        };
        if let Some(file) = file {
            return read::encoded(text, file).await;
        }
        let built_in = key.built_in().into_iter().find_map(|name| self.builtin.get(&name).cloned());
        built_in.ok_or_else(|| Error::Unknown { key: text.to_owned() })
    }

    /// What was heard under this key last.
    fn former(&self, tenant: &str, text: &str) -> Option<Arc<Prompt>> {
        let place = (tenant.to_owned(), text.to_owned());
        self.kept.lock().get_mut(&place).map(|entry| entry.prompt.clone())
    }

    async fn file(&self, tenant: &str, key: &Key, text: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(folder) = &self.folder else { return Ok(None) };
        for path in key.files(tenant, folder) {
            if let Some(file) = read::file(&path, text).await? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
