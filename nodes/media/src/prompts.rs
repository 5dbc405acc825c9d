//! Sounds by their keys: `prompt/<name>` and `music/<name>`. A tenant's own come first (object store, then folder),
//! then the node's folder, then what is built in. Each is read and encoded once and shared by all who hear it; a
//! changed file is noticed within a minute.

mod builtin;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use mangrove_rtp::{prompt::Prompt, resample, wav};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};
use parking_lot::Mutex;

use crate::clock::now_us;

/// The largest file that is read: ten minutes at 16 kHz.
const LARGEST: u64 = 20 << 20;
/// Prompts kept at once.
const KEPT: usize = 1000;
/// After this long a file is looked at again.
const FRESH_US: u64 = 60_000_000;
/// The object store must answer within this.
const DEADLINE: Duration = Duration::from_secs(2);

/// Why a sound can't be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "there is no sound `{key}`: upload it, or use a built-in one (prompt/default-greeting, music/default)"
    )]
    Unknown { key: String },
    #[error(
        "`{key}` is no key of a sound: use prompt/<name> or music/<name> with letters, digits, `-`, `_` and `.`"
    )]
    Key { key: String },
    #[error("the file of `{key}` can't be played: {error}")]
    Malformed { key: String, error: wav::Error },
    #[error("the file of `{key}` has {bytes} bytes; the most is {LARGEST}")]
    TooLarge { key: String, bytes: u64 },
}

/// All sounds of a node.
#[derive(Debug)]
pub(crate) struct Prompts {
    folder: Option<PathBuf>,
    objects: Arc<dyn ObjectStore>,
    builtin: BTreeMap<&'static str, Arc<Prompt>>,
    kept: Mutex<BTreeMap<(String, String), Kept>>,
}

#[derive(Debug, Clone)]
struct Kept {
    prompt: Arc<Prompt>,
    fresh_until_us: u64,
}

impl Prompts {
    pub(crate) fn new(folder: Option<PathBuf>, objects: Arc<dyn ObjectStore>) -> Arc<Self> {
        Arc::new(Self { folder, objects, builtin: builtin::all(), kept: Mutex::default() })
    }

    /// The sound, if it was used before. One that may have changed is read again behind the listener's back.
    pub(crate) fn kept(self: &Arc<Self>, tenant: &str, key: &str) -> Option<Arc<Prompt>> {
        let mut kept = self.kept.lock();
        let entry = kept.get_mut(&(tenant.to_owned(), key.to_owned()))?;
        if entry.fresh_until_us <= now_us() {
            entry.fresh_until_us = now_us() + FRESH_US;
            let (prompts, tenant, key) = (self.clone(), tenant.to_owned(), key.to_owned());
            tokio::spawn(async move {
                if let Err(error) = prompts.load(&tenant, &key).await {
                    tracing::warn!(%tenant, %error, "a changed sound was refused, the former one stays");
                }
            });
        }
        Some(entry.prompt.clone())
    }

    /// Reads the sound and keeps it.
    pub(crate) async fn load(&self, tenant: &str, key: &str) -> Result<Arc<Prompt>, Error> {
        check(tenant, key)?;
        let prompt = match self.read(tenant, key).await? {
            Some(file) => Arc::new(encoded(key, &file)?),
            None => {
                let builtin = self.builtin.get(key).cloned();
                builtin.ok_or_else(|| Error::Unknown { key: key.to_owned() })?
            }
        };
        self.keep(tenant, key, prompt.clone());
        Ok(prompt)
    }

    fn keep(&self, tenant: &str, key: &str, prompt: Arc<Prompt>) {
        let mut kept = self.kept.lock();
        if kept.len() >= KEPT
            && let Some(oldest) = kept.iter().min_by_key(|(_, k)| k.fresh_until_us).map(|(k, _)| k.clone())
        {
            kept.remove(&oldest);
        }
        let entry = Kept { prompt, fresh_until_us: now_us() + FRESH_US };
        kept.insert((tenant.to_owned(), key.to_owned()), entry);
    }

    async fn read(&self, tenant: &str, key: &str) -> Result<Option<Vec<u8>>, Error> {
        if let Some(file) = self.read_object(tenant, key).await? {
            return Ok(Some(file));
        }
        let Some(folder) = &self.folder else { return Ok(None) };
        for path in [folder.join(tenant).join(format!("{key}.wav")), folder.join(format!("{key}.wav"))] {
            if let Some(file) = read_file(&path, key).await? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// A store that fails is one without the object: calls go on with the other places.
    async fn read_object(&self, tenant: &str, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let path = Path::from(format!("prompts/{tenant}/{key}.wav"));
        let read = async {
            let found = self.objects.get(&path).await?;
            if found.meta.size > LARGEST {
                return Ok(Err(found.meta.size));
            }
            found.bytes().await.map(Ok)
        };
        match tokio::time::timeout(DEADLINE, read).await {
            Ok(Ok(Ok(bytes))) => Ok(Some(bytes.into())),
            Ok(Ok(Err(bytes))) => Err(Error::TooLarge { key: key.to_owned(), bytes }),
            Ok(Err(object_store::Error::NotFound { .. })) => Ok(None),
            Ok(Err(error)) => {
                tracing::warn!(key, %error, "the object store did not give a sound");
                Ok(None)
            }
            Err(_) => {
                tracing::warn!(key, "the object store did not give a sound in time");
                Ok(None)
            }
        }
    }
}

async fn read_file(path: &std::path::Path, key: &str) -> Result<Option<Vec<u8>>, Error> {
    let Ok(about) = tokio::fs::metadata(path).await else { return Ok(None) };
    if about.len() > LARGEST {
        return Err(Error::TooLarge { key: key.to_owned(), bytes: about.len() });
    }
    Ok(tokio::fs::read(path).await.ok())
}

fn encoded(key: &str, file: &[u8]) -> Result<Prompt, Error> {
    let sound = wav::read(file).map_err(|error| Error::Malformed { key: key.to_owned(), error })?;
    Ok(Prompt::new(&resample::to_8k(&sound.samples, sound.rate)))
}

/// Nothing in a key or tenant leads out of its folder.
fn check(tenant: &str, key: &str) -> Result<(), Error> {
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with('.')
            && name.len() <= 128
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '))
    };
    match key.split_once('/') {
        Some(("prompt" | "music", name)) if is_name(name) && is_name(tenant) => Ok(()),
        _ => Err(Error::Key { key: key.chars().take(64).collect() }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_rtp::g711::Law;
    use object_store::memory::InMemory;

    use super::*;

    fn file(samples: &[i16]) -> Vec<u8> {
        let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        [&wav::header(1, 8000, data.len() as u64)[..], &data].concat()
    }

    struct Places {
        prompts: Arc<Prompts>,
        objects: Arc<InMemory>,
        folder: tempfile::TempDir,
    }

    fn places() -> Places {
        let folder = tempfile::tempdir().unwrap();
        let objects = Arc::new(InMemory::new());
        let prompts = Prompts::new(Some(folder.path().to_owned()), objects.clone());
        Places { prompts, objects, folder }
    }

    impl Places {
        fn write(&self, path: &str, bytes: &[u8]) {
            let path = self.folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }

        async fn frames(&self, tenant: &str, key: &str) -> usize {
            self.prompts.load(tenant, key).await.unwrap().frames()
        }
    }

    #[tokio::test]
    async fn the_nearest_place_wins() {
        let places = places();
        let builtin = places.frames("acme", "music/default").await;
        assert!(builtin > 250, "at least five seconds of music");
        places.write("music/default.wav", &file(&[0; 160]));
        assert_eq!(places.frames("acme", "music/default").await, 1);
        places.write("acme/music/default.wav", &file(&[0; 320]));
        assert_eq!(places.frames("acme", "music/default").await, 2);
        let path = Path::from("prompts/acme/music/default.wav");
        places.objects.put(&path, file(&[0; 480]).into()).await.unwrap();
        assert_eq!(places.frames("acme", "music/default").await, 3);
        assert_eq!(places.frames("other", "music/default").await, 1, "tenants have their own");
        assert!(places.prompts.kept("other", "music/default").is_some());
    }

    #[tokio::test]
    async fn built_in_sounds_are_heard() {
        let places = places();
        for key in ["prompt/default-greeting", "music/default"] {
            let prompt = places.prompts.load("acme", key).await.unwrap();
            let silence = [Law::A.silence(); 160];
            let loud = (0..prompt.frames()).filter(|i| prompt.frame(Law::A, *i) != Some(&silence)).count();
            assert!(loud * 2 > prompt.frames(), "{key}");
        }
    }

    #[tokio::test]
    async fn each_fault_is_named() {
        let places = places();
        places.write("prompt/bad.wav", b"GIF89a");
        let error = async |key: &str| places.prompts.load("acme", key).await.unwrap_err();
        assert_eq!(
            error("prompt/bad").await,
            Error::Malformed { key: "prompt/bad".into(), error: wav::Error::NotWav }
        );
        assert_eq!(error("prompt/none").await, Error::Unknown { key: "prompt/none".into() });
        for key in
            ["prompt/../../etc/passwd", "prompt/..", "etc/passwd", "prompt/", "prompt", "prompt/a/b", ""]
        {
            assert_eq!(error(key).await, Error::Key { key: key.into() });
        }
        let large = std::fs::File::create(places.folder.path().join("prompt/large.wav")).unwrap();
        large.set_len(LARGEST + 1).unwrap();
        assert!(matches!(error("prompt/large").await, Error::TooLarge { .. }));
    }
}
