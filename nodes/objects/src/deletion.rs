//! How a call's recordings are deleted: all that there is of them, for good, and never while they are held.
//!
//! A store knows no transaction, so whoever deletes says so first, in a tombstone of each recording's own, and looks for a hold
//! after that; whoever holds makes the hold first, which only a release takes away, and looks for tombstones after that. So of
//! two at the same time one sees the other, and who is told that recordings are held has them. A tombstone that stays says that
//! nobody is to write the recording once more: a node may come back with some of it on its disk.

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{Error, ObjectStore, ObjectStoreExt, Result, path::Path};

use crate::held;

fn tombstone(tenant: &str, id: &str) -> Path {
    Path::from_iter(["recordings-deleted", tenant, &format!("{id}.json")])
}

/// Whether a recording was deleted, or is being.
pub async fn is_deleted(objects: &dyn ObjectStore, tenant: &str, id: &str) -> Result<bool> {
    is_there(objects, &tombstone(tenant, id)).await
}

/// Deletes recordings of a call, by id and object, and leaves their tombstones. False: they are held; what was
/// deleted before that was seen is gone, and the others stay. What failed on its way can be repeated.
pub async fn delete(
    objects: &dyn ObjectStore,
    call: (&str, &str),
    recordings: &[(&str, &str)],
) -> Result<bool> {
    if held::held(objects, call).await?.is_some() {
        return Ok(false);
    }
    for (id, _) in recordings {
        objects.put(&tombstone(call.0, id), Bytes::new().into()).await?;
    }
    let (_, left) = recordings.split_at(remove_all(objects, call, &mut recordings.iter().copied()).await?);
    forget(objects, call.0, left).await?;
    Ok(left.is_empty())
}

/// Takes the tombstones away, where no record names the recordings any more.
pub async fn forget(objects: &dyn ObjectStore, tenant: &str, recordings: &[(&str, &str)]) -> Result<()> {
    for (id, _) in recordings {
        gone(objects.delete(&tombstone(tenant, id)).await)?;
    }
    Ok(())
}

/// Whether all of a call's recordings are there, and nobody deletes them.
pub(crate) async fn is_none_deleted(
    objects: &dyn ObjectStore,
    tenant: &str,
    recordings: &[(&str, &str)],
) -> Result<bool> {
    for (id, object) in recordings {
        // In this order: a tombstone goes only after the file.
        if is_deleted(objects, tenant, id).await? || !is_there(objects, &Path::from(*object)).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Before each it is looked for a hold, which may have come since the last. How many are gone.
async fn remove_all<'a>(
    objects: &dyn ObjectStore,
    call: (&str, &str),
    recordings: &mut (dyn Iterator<Item = (&'a str, &'a str)> + Send),
) -> Result<usize> {
    let mut count = 0;
    for recording in recordings {
        if held::held(objects, call).await?.is_some() {
            break;
        }
        remove(objects, call.0, recording).await?;
        count += 1;
    }
    Ok(count)
}

/// The parts of a recording first, for those of a writer that was cut off may have come after the file; the store takes the key
/// with the file; last the note of it, if it was left open.
async fn remove(objects: &dyn ObjectStore, tenant: &str, (id, object): (&str, &str)) -> Result<()> {
    let parts: Vec<_> = objects.list(Some(&Path::from(format!("{object}.part")))).try_collect().await?;
    for part in parts {
        gone(objects.delete(&part.location).await)?;
    }
    gone(objects.delete(&Path::from(object)).await)?;
    gone(objects.delete(&Path::from_iter(["recordings-open", tenant, &format!("{id}.json")])).await)
}

async fn is_there(objects: &dyn ObjectStore, path: &Path) -> Result<bool> {
    match objects.head(path).await {
        Ok(_) => Ok(true),
        Err(Error::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// What was gone already is deleted, too.
pub(crate) fn gone(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(Error::NotFound { .. }) => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::FutureExt as _;
    use object_store::memory::InMemory;

    use super::*;
    use crate::held::Hold;

    const CALL: (&str, &str) = ("acme", "call_17");
    const RECORDING: (&str, &str) = ("rec", "recordings/acme/1.wav");

    async fn paths(store: &InMemory) -> Vec<String> {
        let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
        let mut paths: Vec<_> = listed.into_iter().map(|meta| meta.location.to_string()).collect();
        paths.sort();
        paths
    }

    #[tokio::test]
    async fn file_parts_and_note_go_and_nothing_else_and_a_tombstone_stays() {
        let store = InMemory::new();
        for path in [
            "recordings/acme/1.wav",
            "recordings/acme/1.wav.part/000009.pcm",
            "recordings-open/acme/rec.json",
            "recordings/acme/2.wav",
        ] {
            store.put(&path.into(), "wave".into()).await.unwrap();
        }
        for _ in 0..2 {
            assert!(delete(&store, CALL, &[RECORDING]).await.unwrap());
            assert_eq!(paths(&store).await, ["recordings-deleted/acme/rec.json", "recordings/acme/2.wav"]);
        }
        assert!(is_deleted(&store, "acme", "rec").await.unwrap());
        assert!(!is_deleted(&store, "other", "rec").await.unwrap());
        for _ in 0..2 {
            forget(&store, "acme", &[RECORDING]).await.unwrap();
            assert_eq!(paths(&store).await, ["recordings/acme/2.wav"]);
        }
    }

    #[tokio::test]
    async fn what_is_held_stays_and_gets_no_tombstone() {
        let store = InMemory::new();
        store.put(&RECORDING.1.into(), "wave".into()).await.unwrap();
        let hold = Hold { author: "olga".into(), at: 5, reason: "a claim".into() };
        assert!(held::hold(&store, CALL, &hold, &[RECORDING]).await.unwrap());
        assert!(!delete(&store, CALL, &[RECORDING]).await.unwrap());
        assert!(!is_deleted(&store, "acme", "rec").await.unwrap());
        assert!(is_there(&store, &RECORDING.1.into()).await.unwrap());
    }

    #[tokio::test]
    async fn a_hold_that_comes_meanwhile_keeps_what_is_left() {
        let store = InMemory::new();
        let recordings = [("rec_1", "recordings/acme/1.wav"), ("rec_2", "recordings/acme/2.wav")];
        for (_, object) in recordings {
            store.put(&object.into(), "wave".into()).await.unwrap();
        }
        let said = Hold { author: "olga".into(), at: 5, reason: String::new() };
        let mut one_by_one = recordings.into_iter().inspect(|(id, _)| {
            if *id == "rec_2" {
                held::hold(&store, CALL, &said, &[]).now_or_never().unwrap().unwrap();
            }
        });
        assert_eq!(remove_all(&store, CALL, &mut one_by_one).await.unwrap(), 1);
        assert!(store.head(&recordings[0].1.into()).await.is_err());
        assert!(store.head(&recordings[1].1.into()).await.is_ok());
        held::release(&store, CALL).await.unwrap();
        assert!(delete(&store, CALL, &recordings).await.unwrap());
        assert!(store.head(&recordings[1].1.into()).await.is_err());
    }

    /// The deletion may have failed half-way, or be under way.
    #[tokio::test]
    async fn who_holds_what_is_being_deleted_or_is_gone_is_told() {
        let hold = Hold { author: "olga".into(), at: 5, reason: String::new() };
        for (has_tombstone, is_there) in [(true, true), (true, false), (false, false)] {
            let store = InMemory::new();
            if has_tombstone {
                store.put(&tombstone(CALL.0, RECORDING.0), "".into()).await.unwrap();
            }
            if is_there {
                store.put(&RECORDING.1.into(), "wave".into()).await.unwrap();
            }
            assert!(!held::hold(&store, CALL, &hold, &[RECORDING]).await.unwrap());
            assert_eq!(held::held(&store, CALL).await.unwrap().as_ref(), Some(&hold), "the rest stays");
        }
    }
}
