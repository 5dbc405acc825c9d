//! Golden bytes: what builds have written to disk, kept in the `golden` folder of the crate whose format it is. Included
//! by each of those crates' tests with `#[path]`, for formats are their crates' own business.

use std::{fmt::Debug, fs, path::Path};

/// Sees to it that this build reads all `files` of a format, oldest first, and writes the newest one as it is. Where the
/// newest is not there yet, `MANGROVE_GOLDEN=1` makes it of `first`. Gives what the newest one says.
pub(crate) fn check<T: Debug, E: Debug>(
    files: &[&str],
    first: impl FnOnce() -> T,
    read: impl Fn(&[u8]) -> Result<T, E>,
    write: impl Fn(&T) -> Vec<u8>,
) -> T {
    let (newest, older) = files.split_last().expect("a file");
    for name in older {
        read(&bytes(name).expect("an older file is never removed"))
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    let kept = bytes(newest).unwrap_or_else(|| make(newest, &write(&first())));
    let value = read(&kept).unwrap_or_else(|error| panic!("{newest}: {error:?}"));
    assert!(
        write(&value) == kept,
        "{newest} is read, but written otherwise now: if that is meant, add another file after it"
    );
    value
}

fn bytes(name: &str) -> Option<Vec<u8>> {
    fs::read(folder().join(name)).ok()
}

fn make(name: &str, bytes: &[u8]) -> Vec<u8> {
    let asked = std::env::var_os("MANGROVE_GOLDEN").is_some();
    assert!(
        asked,
        "golden/{name} is missing: run this test with MANGROVE_GOLDEN=1 and commit what it writes"
    );
    fs::create_dir_all(folder()).expect("a folder");
    fs::write(folder().join(name), bytes).expect("written");
    bytes.to_vec()
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}
