//! The administrator's token: made by the first start of a node, in a file that only its owner can read.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rand::Rng;

const VARIABLE: &str = "MANGROVE_TOKEN";
const FILE: &str = "admin.token";

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no administrator's token: set {VARIABLE}, or name with -c the configuration whose data_dir holds {FILE} (looked for {})", .0.display())]
    Missing(PathBuf),
    #[error("can't read the administrator's token in {}: {source}", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    #[error("can't write the administrator's token to {}: {source}", file.display())]
    Unwritable { file: PathBuf, source: io::Error },
}

/// The token and where it is from.
#[derive(Clone)]
pub(crate) struct Token {
    secret: String,
    origin: String,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Token {
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// The variable or file it is from.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// For the command line: the variable, else the file.
    pub(crate) fn find(data_dir: &Path) -> Result<Self, Error> {
        if let Some(secret) = from_environment() {
            return Ok(Self { secret, origin: VARIABLE.to_owned() });
        }
        let file = data_dir.join(FILE);
        match present(&file) {
            Ok(Some(secret)) => Ok(Self { secret, origin: file.display().to_string() }),
            Ok(None) => Err(Error::Missing(file)),
            Err(source) => Err(Error::Unreadable { file, source }),
        }
    }

    /// For a node: the file, made when it is not there. The variable goes before it and is not written down.
    pub(crate) fn find_or_create(data_dir: &Path) -> Result<Self, Error> {
        match Self::find(data_dir) {
            Err(Error::Missing(file)) => {
                let secret = create(data_dir, &file)
                    .map_err(|source| Error::Unwritable { file: file.clone(), source })?;
                Ok(Self { secret, origin: file.display().to_string() })
            }
            found => found,
        }
    }
}

fn from_environment() -> Option<String> {
    std::env::var(VARIABLE).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// An empty file is one whose writing was cut off: it counts as missing.
fn present(file: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn create(data_dir: &Path, file: &Path) -> io::Result<String> {
    fs::create_dir_all(data_dir)?;
    let secret: String = rand::rng().random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut handle = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    handle.set_permissions(fs::Permissions::from_mode(0o600))?;
    writeln!(handle, "{secret}")?;
    handle.sync_all()?;
    Ok(secret)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_makes_it_and_later_ones_keep_it() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().join("data");
        assert!(matches!(Token::find(&data_dir), Err(Error::Missing(_))));
        let made = Token::find_or_create(&data_dir).unwrap();
        assert_eq!(made.secret().len(), 64);
        let mode = fs::metadata(data_dir.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Token::find_or_create(&data_dir).unwrap().secret(), made.secret());
        assert_eq!(Token::find(&data_dir).unwrap().secret(), made.secret());
        assert!(!format!("{made:?}").contains(made.secret()));
    }

    #[test]
    fn a_cut_off_file_is_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "").unwrap();
        assert_eq!(Token::find_or_create(folder.path()).unwrap().secret().len(), 64);
    }
}
