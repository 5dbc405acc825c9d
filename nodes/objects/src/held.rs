//! Recordings that must stay: while a call's hold lies in the store, beside its sound, neither retention nor a person deletes
//! its recordings. And how one is deleted: all that there is of it.

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, Result, path::Path};
use serde::{Deserialize, Serialize};

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

/// Holds the recordings of a call. False: they were held already, and stay so as it was said first.
pub async fn hold(objects: &dyn ObjectStore, (tenant, call): (&str, &str), hold: &Hold) -> Result<bool> {
    let bytes = serde_json::to_vec(hold).map_err(strange)?;
    match objects.put_opts(&place(tenant, call), Bytes::from(bytes).into(), PutMode::Create.into()).await {
        Ok(_) => Ok(true),
        Err(Error::AlreadyExists { .. }) => Ok(false),
        Err(error) => Err(error),
    }
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

/// Deletes a recording: its parts first, for those of a writer that was cut off may have come after the file; the store takes
/// the key with the file; last the note of it, if it was left open.
pub async fn delete(objects: &dyn ObjectStore, tenant: &str, (id, object): (&str, &str)) -> Result<()> {
    let parts: Vec<_> = objects.list(Some(&Path::from(format!("{object}.part")))).try_collect().await?;
    for part in parts {
        gone(objects.delete(&part.location).await)?;
    }
    gone(objects.delete(&Path::from(object)).await)?;
    gone(objects.delete(&Path::from_iter(["recordings-open", tenant, &format!("{id}.json")])).await)
}

/// Deletes recordings of a call, ids and objects. Before each it is looked for a hold, which may have come since the last.
/// False: they are held now; what was deleted before is gone, and the others stay.
pub async fn delete_all<'a>(
    objects: &dyn ObjectStore,
    (tenant, call): (&str, &str),
    recordings: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<bool> {
    for recording in recordings {
        if held(objects, (tenant, call)).await?.is_some() {
            return Ok(false);
        }
        delete(objects, tenant, recording).await?;
    }
    Ok(true)
}

fn gone(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(Error::NotFound { .. }) => Ok(()),
        outcome => outcome,
    }
}

fn strange(error: serde_json::Error) -> Error {
    Error::Generic { store: "holds", source: error.into() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::FutureExt as _;
    use object_store::memory::InMemory;

    use super::*;

    const CALL: (&str, &str) = ("acme", "call_17");

    #[tokio::test]
    async fn a_hold_stays_as_it_was_said_first_until_it_is_released() {
        let store = InMemory::new();
        let said = |author: &str| Hold { author: author.into(), at: 5, reason: "a claim".into() };
        assert_eq!(held(&store, CALL).await.unwrap(), None);
        assert!(hold(&store, CALL, &said("olga")).await.unwrap());
        assert!(!hold(&store, CALL, &said("vera")).await.unwrap());
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

    #[tokio::test]
    async fn a_hold_that_comes_meanwhile_keeps_what_is_left() {
        let store = InMemory::new();
        let recordings = [("rec_1", "recordings/acme/1.wav"), ("rec_2", "recordings/acme/2.wav")];
        for (_, object) in recordings {
            store.put(&object.into(), "wave".into()).await.unwrap();
        }
        let said = Hold { author: "olga".into(), at: 5, reason: String::new() };
        let one_by_one = recordings.into_iter().inspect(|(id, _)| {
            if *id == "rec_2" {
                assert!(hold(&store, CALL, &said).now_or_never().unwrap().unwrap());
            }
        });
        assert!(!delete_all(&store, CALL, one_by_one).await.unwrap());
        assert!(store.head(&recordings[0].1.into()).await.is_err());
        assert!(store.head(&recordings[1].1.into()).await.is_ok());
        release(&store, CALL).await.unwrap();
        assert!(delete_all(&store, CALL, recordings).await.unwrap());
        assert!(store.head(&recordings[1].1.into()).await.is_err());
    }

    #[tokio::test]
    async fn file_parts_and_note_go_and_nothing_else() {
        let store = InMemory::new();
        let kept = Path::from("recordings/acme/2.wav");
        for path in [
            "recordings/acme/1.wav",
            "recordings/acme/1.wav.part/000009.pcm",
            "recordings-open/acme/rec.json",
        ] {
            store.put(&path.into(), "wave".into()).await.unwrap();
        }
        store.put(&kept, "wave".into()).await.unwrap();
        for _ in 0..2 {
            delete(&store, "acme", ("rec", "recordings/acme/1.wav")).await.unwrap();
            let left: Vec<_> = store.list(None).try_collect().await.unwrap();
            assert_eq!(
                left.into_iter().map(|meta| meta.location).collect::<Vec<_>>(),
                std::slice::from_ref(&kept)
            );
        }
    }
}
