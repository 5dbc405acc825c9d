//! Where a tenant's sounds lie in the object store: `prompts/<tenant>/<kind>/<name>.wav`, as media nodes look for them.
//! They are all of the form that `mangrove_sound::wav` writes.

use std::{fmt, sync::Arc};

use axum::body::Bytes;
use futures::{TryStreamExt as _, stream::BoxStream};
use mangrove_proto::id::TenantId;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt as _, path::Path as Key};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{api::pieces, app::App, refusal::Refusal};

const KINDS: [&str; 2] = ["prompt", "music"];
const ENDING: &str = ".wav";
/// Bytes of a file before its sound.
const HEAD: u64 = 44;

/// An uploaded prompt or piece of music.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sound {
    /// `prompt` or `music`.
    pub kind: String,
    pub name: String,
    /// Of the file that callers hear.
    pub bytes: u64,
    pub duration_ms: u64,
    /// When it was uploaded, Unix milliseconds.
    pub changed: u64,
}

impl Sound {
    pub(super) fn of(place: &Place, bytes: u64, changed: u64) -> Self {
        let samples = bytes.saturating_sub(HEAD) / 2;
        let duration_ms = mangrove_sound::duration_ms(usize::try_from(samples).unwrap_or_default());
        Self { kind: place.kind.to_owned(), name: place.name.clone(), bytes, duration_ms, changed }
    }
}

/// Kind and name, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    kind: &'static str,
    name: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl Place {
    /// Of one that is to be there.
    pub(super) fn new(kind: &str, name: &str) -> Result<Self, Refusal> {
        let kind = KINDS.into_iter().find(|known| *known == kind);
        let kind = kind.ok_or_else(|| Refusal::missing("such kind of sound: use prompt or music"))?;
        if !is_name(name) {
            let shown: String = name.chars().take(64).collect();
            let action = "use 1 to 64 letters a-z and A-Z, digits, hyphens and underscores";
            return Err(Refusal::bad(format!("`{shown}` can't be the name of a sound"), action));
        }
        Ok(Self { kind, name: name.to_owned() })
    }

    /// Of one that is asked for: no other name is there.
    pub(super) fn read(kind: &str, name: &str) -> Result<Self, Refusal> {
        Self::new(kind, name).map_err(|_| Refusal::missing("such sound"))
    }

    pub(super) fn is(&self, sound: &Sound) -> bool {
        sound.kind == self.kind && sound.name == self.name
    }

    fn of_key(key: &Key) -> Option<Self> {
        let key = key.to_string();
        let parts: Vec<&str> = key.split('/').collect();
        let [_, _, kind, file] = parts[..] else { return None };
        Self::new(kind, file.strip_suffix(ENDING)?).ok()
    }
}

/// Nothing that a key would write otherwise, so that what is listed is what was uploaded.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=64).contains(&name.len()) && name.chars().all(fits)
}

/// One tenant's.
#[derive(Debug)]
pub(super) struct Shelf {
    objects: Arc<dyn ObjectStore>,
    folder: Key,
}

impl Shelf {
    pub(super) fn of(app: &App, tenant: &TenantId) -> Self {
        // Part by part: whatever the tenant is called, it is one of them.
        let folder = Key::from_iter(["prompts", tenant.as_str()]);
        Self { objects: app.objects.clone(), folder }
    }

    fn key(&self, place: &Place) -> Key {
        self.folder.clone().join(place.kind).join(format!("{}{ENDING}", place.name))
    }

    async fn objects(&self) -> Result<Vec<ObjectMeta>, Refusal> {
        self.objects.list(Some(&self.folder)).try_collect().await.map_err(refuse)
    }

    /// All, by kind and name.
    pub(super) async fn all(&self) -> Result<Vec<Sound>, Refusal> {
        let objects = self.objects().await?;
        let sound = |object: &ObjectMeta| {
            let changed = u64::try_from(object.last_modified.timestamp_millis()).unwrap_or_default();
            Some(Sound::of(&Place::of_key(&object.location)?, object.size, changed))
        };
        let mut all: Vec<Sound> = objects.iter().filter_map(sound).collect();
        all.sort_by(|a, b| (&a.kind, &a.name).cmp(&(&b.kind, &b.name)));
        Ok(all)
    }

    /// The size of one, and its bytes, for a listener who takes his time.
    pub(super) async fn read(
        &self,
        place: &Place,
    ) -> Result<(u64, BoxStream<'static, object_store::Result<Bytes>>), Refusal> {
        let about = self.objects.head(&self.key(place)).await.map_err(refuse)?;
        let pieces = pieces::opened(self.objects.clone(), &about, 0..about.size).await.map_err(refuse)?;
        Ok((about.size, pieces))
    }

    pub(super) async fn put(&self, place: &Place, file: Vec<u8>) -> Result<(), Refusal> {
        self.objects.put(&self.key(place), file.into()).await.map(drop).map_err(refuse)
    }

    pub(super) async fn delete(&self, place: &Place) -> Result<(), Refusal> {
        self.objects.delete(&self.key(place)).await.map_err(refuse)
    }

    /// Takes all away.
    pub(super) async fn clear(&self) -> Result<(), Refusal> {
        // Without a tenant's name it would be everybody's.
        if self.folder.parts_count() != 2 {
            return Ok(());
        }
        for object in self.objects().await? {
            self.objects.delete(&object.location).await.map_err(refuse)?;
        }
        Ok(())
    }
}

fn refuse(error: object_store::Error) -> Refusal {
    match error {
        object_store::Error::NotFound { .. } => Refusal::missing("such sound"),
        other => {
            tracing::warn!(error = %other, "object store does not answer");
            Refusal::unavailable("uploaded sounds are not available now")
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::StreamExt as _;
    use object_store::memory::InMemory;

    use super::*;

    /// One request for all of it would have a deadline.
    #[tokio::test]
    async fn a_long_sound_is_asked_of_the_store_piece_by_piece() {
        let shelf = Shelf { objects: Arc::new(InMemory::new()), folder: Key::from("prompts/acme") };
        let place = Place::new("music", "rain").unwrap();
        shelf.put(&place, vec![7; 9 << 20]).await.unwrap();
        let (size, mut bytes) = shelf.read(&place).await.unwrap();
        let mut read = bytes.next().await.unwrap().unwrap().len();
        assert!(size == 9 << 20 && read < 9 << 20, "{read} of {size} at once");
        while let Some(piece) = bytes.next().await {
            read += piece.unwrap().len();
        }
        assert_eq!(read, 9 << 20);
    }
}
