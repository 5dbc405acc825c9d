//! Where other members were last: `peers.json` in the data folder, so that a node that holds no directory of its own
//! finds the cluster again after a restart, also when the addresses that it once joined by are gone.

use std::fs;
use std::path::{Path, PathBuf};

const FILE: &str = "peers.json";

fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// The addresses of control nodes as last kept; none if there are none to be read, for they are a help only.
pub(crate) fn load(folder: &Path) -> Vec<String> {
    fs::read(file(folder)).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Keeps the addresses, whole.
pub(crate) fn save(folder: &Path, addresses: &[String]) -> std::io::Result<()> {
    let partial = file(folder).with_extension("partial");
    fs::write(&partial, serde_json::to_vec(addresses)?)?;
    fs::rename(partial, file(folder))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_and_damage_is_no_address() {
        let folder = tempfile::tempdir().unwrap();
        assert!(load(folder.path()).is_empty());
        save(folder.path(), &["a:1".into(), "b:2".into()]).unwrap();
        assert_eq!(load(folder.path()), ["a:1", "b:2"]);
        fs::write(file(folder.path()), "[").unwrap();
        assert!(load(folder.path()).is_empty());
    }
}
