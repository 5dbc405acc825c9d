//! Recordings that must stay: while a call's hold lies in the store, beside its sound, neither retention nor a person deletes
//! its recordings. What of two at the same time comes of a hold and a deletion is told in [`crate::deletion`].

use bytes::Bytes;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, Result, path::Path};
use serde::{Deserialize, Serialize};

use crate::deletion::{self, gone};

/// Why the recordings of a call must stay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who said so.
    pub author: String,
    /// When, Unix milliseconds.
    pub at: u64,
    /// Why.
    pub reason: String,
}

fn place(tenant: &str, call: &str) -> Path {
    Path::from_iter(["recordings-held", tenant, &format!("{call}.json")])
}

/// Holds the recordings of a call, which has these by id and object. Those that are held already stay so as it was said first.
/// False: some of them are deleted, or were being just now; what is left of them is held.
pub async fn hold(
    objects: &dyn ObjectStore,
    (tenant, call): (&str, &str),
    hold: &Hold,
    recordings: &[(&str, &str)],
) -> Result<bool> {
    let bytes = serde_json::to_vec(hold).map_err(strange)?;
    match objects.put_opts(&place(tenant, call), Bytes::from(bytes).into(), PutMode::Create.into()).await {
        Ok(_) | Err(Error::AlreadyExists { .. }) => {}
        Err(error) => return Err(error),
    }
    deletion::is_none_deleted(objects, tenant, recordings).await
}

/// The hold on a call's recordings, if there is one. What can't be read holds all the same: it is an error.
pub async fn held(objects: &dyn ObjectStore, (tenant, call): (&str, &str)) -> Result<Option<Hold>> {
    match objects.get(&place(tenant, call)).await {
        Ok(found) => serde_json::from_slice(&found.bytes().await?).map(Some).map_err(strange),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lets a call's recordings go: from now on they may be deleted. Done where they were not held.
pub async fn release(objects: &dyn ObjectStore, (tenant, call): (&str, &str)) -> Result<()> {
    gone(objects.delete(&place(tenant, call)).await)
}

fn strange(error: serde_json::Error) -> Error {
    Error::Generic { store: "holds", source: error.into() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    const CALL: (&str, &str) = ("acme", "call_17");

    #[tokio::test]
    async fn a_hold_stays_as_it_was_said_first_until_it_is_released() {
        let store = InMemory::new();
        let said = |author: &str| Hold { author: author.into(), at: 5, reason: "a claim".into() };
        assert_eq!(held(&store, CALL).await.unwrap(), None);
        for author in ["olga", "vera"] {
            assert!(hold(&store, CALL, &said(author), &[]).await.unwrap());
        }
        assert_eq!(held(&store, CALL).await.unwrap(), Some(said("olga")));
        assert_eq!(held(&store, ("other", CALL.1)).await.unwrap(), None);
        for _ in 0..2 {
            release(&store, CALL).await.unwrap();
            assert_eq!(held(&store, CALL).await.unwrap(), None);
        }
    }

    #[tokio::test]
    async fn what_cant_be_read_does_not_let_go() {
        let store = InMemory::new();
        store.put(&place(CALL.0, CALL.1), "torn".into()).await.unwrap();
        assert!(held(&store, CALL).await.is_err());
    }
}
