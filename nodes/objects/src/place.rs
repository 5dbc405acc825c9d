//! What is sealed, and under which names. `recordings/acme/r.wav` lies there as `r.wav.sealed`, its parts as
//! `r.wav.part/000001.pcm.sealed`, and their one key as `r.wav.key`. A name says what a file is: what was written before
//! there were keys goes on being read as it is.

use object_store::{Result, path::Path};

use crate::chunks;

/// Where the sound of calls lies.
pub(crate) const SOUND: &str = "recordings";
const SEALED: &str = ".sealed";
const KEY: &str = ".key";
const PARTS: &str = ".part/";

/// Whether what lies there is the sound of a call.
pub(crate) fn is_sound(path: &Path) -> bool {
    path.as_ref().strip_prefix(SOUND).is_some_and(|rest| rest.starts_with('/'))
}

/// The name under which it is sealed.
pub(crate) fn sealed(path: &Path) -> Result<Path> {
    Ok(Path::parse(format!("{path}{SEALED}"))?)
}

/// Where its recording's key is.
pub(crate) fn key(path: &Path) -> Result<Path> {
    Ok(Path::parse(format!("{}{KEY}", recording(path)))?)
}

/// The sealed file of the recording whose key this is; None for other files.
pub(crate) fn file_of_key(path: &Path) -> Option<Result<Path>> {
    let recording = path.as_ref().strip_suffix(KEY)?;
    Some(Path::parse(format!("{recording}{SEALED}")).map_err(Into::into))
}

/// All that may be there of one object.
pub(crate) fn all(path: &Path) -> Result<Vec<Path>> {
    let mut names = vec![path.clone()];
    if is_sound(path) {
        names.push(sealed(path)?);
        // A part's key is the recording's, which is longer there.
        if recording(path) == path.as_ref() {
            names.push(key(path)?);
        }
    }
    Ok(names)
}

/// What the store lists, as whoever asks should see it. Keys are nobody's business.
pub(crate) fn listed(mut meta: object_store::ObjectMeta) -> Option<object_store::ObjectMeta> {
    if !is_sound(&meta.location) {
        return Some(meta);
    }
    if meta.location.as_ref().ends_with(KEY) {
        return None;
    }
    if let Some(plain) = meta.location.as_ref().strip_suffix(SEALED) {
        meta.location = Path::parse(plain).ok()?;
        meta.size = chunks::plain_size(meta.size).unwrap_or(0);
    }
    Some(meta)
}

fn recording(path: &Path) -> &str {
    let path = path.as_ref();
    path.find(PARTS).map_or(path, |end| &path[..end])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_file_of_a_recording_share_its_key() {
        let (file, part) = ("recordings/a/r.wav".into(), "recordings/a/r.wav.part/000001.pcm".into());
        assert_eq!(key(&file).unwrap().as_ref(), "recordings/a/r.wav.key");
        assert_eq!(key(&part).unwrap(), key(&file).unwrap());
        assert_eq!(file_of_key(&key(&part).unwrap()).unwrap().unwrap(), sealed(&file).unwrap());
        assert_eq!((all(&file).unwrap().len(), all(&part).unwrap().len()), (3, 2));
    }

    #[test]
    fn only_the_sound_of_calls_is_sealed() {
        for (path, wanted) in
            [("recordings/a/r.wav", true), ("recordings-open/a/1.json", false), ("prompts/a/x.wav", false)]
        {
            assert_eq!(is_sound(&path.into()), wanted, "{path}");
        }
    }
}
