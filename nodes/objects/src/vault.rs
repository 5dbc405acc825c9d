//! The data keys of recordings: found in the store, or made there by whoever writes first, and kept in memory while they are
//! used. They lie there durably before anything is sealed with them.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use object_store::{Error as StoreError, ObjectStore, ObjectStoreExt, PutMode, Result, path::Path};
use parking_lot::Mutex;

use crate::{
    Error,
    chunks::DataKey,
    error::{discreet, refused},
    masters::{Masters, Wrapped},
    place,
};

/// Keys in memory: twice as many at most, and those used last stay.
const KEPT: usize = 4_096;

/// Clones share what is kept.
#[derive(Debug, Clone)]
pub(crate) struct Vault {
    /// Where keys lie: what is put there is on the disk.
    store: Arc<dyn ObjectStore>,
    masters: Option<Arc<Masters>>,
    kept: Arc<Mutex<Kept>>,
}

/// By the key's path.
#[derive(Debug, Default)]
struct Kept {
    young: BTreeMap<Path, DataKey>,
    old: BTreeMap<Path, DataKey>,
}

impl Vault {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, masters: Option<Arc<Masters>>) -> Self {
        Self { store, masters, kept: Arc::default() }
    }

    /// Whether what is written is to be sealed.
    pub(crate) fn seals(&self) -> bool {
        self.masters.is_some()
    }

    /// The key that the sealed object at `path` opens with.
    pub(crate) async fn to_open(&self, path: &Path) -> Result<DataKey> {
        let place = place::key(path)?;
        match self.find(&place).await? {
            Some(key) => Ok(key),
            None => Err(refused(path, Error::NoKey { key: place.to_string() })),
        }
    }

    /// The key to seal with what goes to `path`, made now if its recording has none yet. Of two who make one at the same time
    /// both get the same.
    pub(crate) async fn to_seal(&self, path: &Path) -> Result<DataKey> {
        let place = place::key(path)?;
        if let Some(key) = self.find(&place).await? {
            return Ok(key);
        }
        match self.make(&place).await {
            Err(StoreError::AlreadyExists { .. }) => self.to_open(path).await,
            outcome => outcome,
        }
    }

    /// The recording is gone.
    pub(crate) fn forget(&self, path: &Path) {
        if let Ok(place) = place::key(path) {
            self.kept.lock().forget(&place);
        }
    }

    async fn find(&self, place: &Path) -> Result<Option<DataKey>> {
        if let Some(key) = self.kept.lock().get(place) {
            return Ok(Some(key));
        }
        let Some(wrapped) = read(self.store.as_ref(), place).await? else { return Ok(None) };
        let no_master = || Error::NoMaster { master: wrapped.master.clone() };
        let masters = self.masters.as_ref().ok_or_else(|| refused(place, no_master()))?;
        let key = masters.unwrap(&wrapped, place.as_ref()).map_err(|error| refused(place, error))?;
        self.kept.lock().put(place, &key);
        Ok(Some(key))
    }

    async fn make(&self, place: &Path) -> Result<DataKey> {
        let masters = self.masters.as_ref().ok_or_else(|| refused(place, Error::Crypto))?;
        let (key, wrapped) = masters.new_key(place.as_ref()).map_err(|error| refused(place, error))?;
        let create = self.store.put_opts(place, text(&wrapped).into(), PutMode::Create.into());
        create.await.map_err(discreet)?;
        self.kept.lock().put(place, &key);
        Ok(key)
    }
}

/// The wrapped key at this place, if there is one.
pub(crate) async fn read(store: &dyn ObjectStore, place: &Path) -> Result<Option<Wrapped>> {
    let read = async { store.get(place).await?.bytes().await };
    let bytes = match read.await {
        Ok(bytes) => bytes,
        Err(StoreError::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(discreet(error)),
    };
    let damaged = |_| refused(place, Error::DamagedKey { key: place.to_string() });
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

/// As it lies in the store.
pub(crate) fn text(wrapped: &Wrapped) -> Bytes {
    serde_json::to_vec(wrapped).unwrap_or_default().into()
}

impl Kept {
    fn get(&mut self, place: &Path) -> Option<DataKey> {
        if let Some(key) = self.young.get(place) {
            return Some(key.clone());
        }
        let key = self.old.remove(place)?;
        self.put(place, &key);
        Some(key)
    }

    fn put(&mut self, place: &Path, key: &DataKey) {
        if self.young.len() >= KEPT {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(place.clone(), key.clone());
    }

    fn forget(&mut self, place: &Path) {
        self.young.remove(place);
        self.old.remove(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_use_stay_and_others_go() {
        let (mut kept, used) = (Kept::default(), Path::from("used.key"));
        let key = DataKey::new([1; 32]);
        kept.put(&used, &key);
        for number in 0..5 * KEPT {
            kept.put(&Path::from(format!("{number}.key")), &key);
            assert!(kept.get(&used).is_some(), "after {number}");
        }
        assert!(kept.get(&Path::from("0.key")).is_none());
        assert!(kept.young.len() + kept.old.len() <= 2 * KEPT);
    }
}
