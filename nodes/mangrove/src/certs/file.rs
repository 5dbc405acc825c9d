//! Files of certificates and keys.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use rustls::pki_types::{CertificateDer, pem::PemObject};

/// A certificate: anybody may read it.
pub(crate) const PUBLIC: u32 = 0o644;
/// A key: its owner alone.
pub(crate) const SECRET: u32 = 0o600;

/// Makes the folder, and says so if one of the files is there already.
pub(super) fn prepare(folder: &Path, files: &[&Path]) -> Result<()> {
    for file in files {
        ensure!(
            !file.exists(),
            "{} exists and is not written over: move it away, or name another folder with --out",
            file.display()
        );
    }
    fs::create_dir_all(folder).with_context(|| format!("the folder {} can't be made", folder.display()))
}

/// Writes a file that does not exist yet, to the disk.
pub(crate) fn write(file: &Path, text: &str, mode: u32) -> Result<()> {
    let create = || {
        let mut handle = OpenOptions::new().write(true).create_new(true).mode(mode).open(file)?;
        handle.write_all(text.as_bytes())?;
        handle.sync_all()
    };
    create().with_context(|| format!("can't write {}", file.display()))
}

/// The text of a file; `hint` says what to do where there is none.
pub(super) fn read(file: &Path, hint: &str) -> Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("there is no {}: {hint}", file.display())
        }
        read => read.with_context(|| format!("can't read {}", file.display())),
    }
}

/// All certificates of a text; there is at least one.
pub(super) fn certificates(file: &Path, pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let read = read.with_context(|| format!("{} is no file of certificates in PEM", file.display()))?;
    ensure!(!read.is_empty(), "there is no certificate in {}", file.display());
    Ok(read)
}
