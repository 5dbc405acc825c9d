//! Reads the file and the environment into a [`Configuration`], or says where the mistake is.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    error::Kind,
    providers::{Env, Format, Toml},
};
use serde::Serialize;

use super::{Configuration, check::check, locate::Lines};

/// Taken when no file is named and it is there.
const USUAL: &str = "mangrove.toml";
const PREFIX: &str = "MANGROVE_";

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("can't read {}: {source}; name another file with -c", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    /// One mistake a line.
    #[error("{}", lines(.0))]
    Wrong(Vec<Mistake>),
}

impl Error {
    /// What is wrong in the file and the environment, if the file could be read at all.
    pub(crate) fn mistakes(&self) -> Option<&[Mistake]> {
        match self {
            Self::Wrong(mistakes) => Some(mistakes),
            Self::Unreadable { .. } => None,
        }
    }
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Mistake {
    /// `mangrove.toml`, or `environment variable MANGROVE_SIP__UDP`.
    pub(crate) file: String,
    /// From 1; none where no line says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<usize>,
    /// `sip.udp`.
    pub(crate) key: String,
    /// What is wrong and what is allowed.
    pub(crate) message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n")
}

/// Reads `file` (by default `mangrove.toml` where it exists) and the environment.
pub(crate) fn read(file: Option<&Path>) -> Result<Configuration, Error> {
    let path = file.map_or_else(|| PathBuf::from(USUAL), Path::to_owned);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_none() => String::new(),
        Err(source) => return Err(Error::Unreadable { file: path, source }),
    };
    let places = Places { lines: Lines::of(&text), file: &path };
    if let Some((line, message)) = places.lines.broken() {
        let (file, line) = (path.display().to_string(), Some(line));
        let mistake = Mistake { file, line, key: String::new(), message: message.to_owned() };
        return Err(Error::Wrong(vec![mistake]));
    }
    let figment = Figment::from(Toml::string(&text)).merge(environment());
    let mut configuration: Configuration = figment
        .extract()
        .map_err(|error| Error::Wrong(error.into_iter().map(|e| places.mistake(&e)).collect()))?;
    configuration.fill();
    let mistakes = check(&configuration);
    if mistakes.is_empty() {
        return Ok(configuration);
    }
    Err(Error::Wrong(mistakes.into_iter().map(|(key, message)| places.at(key, message)).collect()))
}

/// Twins of keys only: `MANGROVE_NODE` and what has a double underscore. Kubernetes sets variables of the same
/// prefix for a service of this name, and `MANGROVE_TOKEN` is the command line's.
fn environment() -> Env {
    Env::prefixed(PREFIX)
        .filter(|key| {
            key.as_str().contains("__") || ["node", "roles", "zone", "data_dir"].iter().any(|top| key == *top)
        })
        .split("__")
}

/// Where keys stand.
struct Places<'a> {
    lines: Lines,
    file: &'a Path,
}

impl Places<'_> {
    fn mistake(&self, error: &figment::Error) -> Mistake {
        let mut path = error.path.clone();
        let message = match &error.kind {
            Kind::UnknownField(name, allowed) => {
                if path.last() != Some(name) {
                    path.push(name.clone());
                }
                format!("unknown key `{name}`; allowed: {}", allowed.join(", "))
            }
            Kind::UnknownVariant(name, allowed) => {
                format!("unknown value `{name}`; allowed: {}", allowed.join(", "))
            }
            Kind::InvalidType(found, wanted) | Kind::InvalidValue(found, wanted) => {
                format!("{found} can't be used here; allowed: {wanted}")
            }
            Kind::MissingField(name) => format!("`{name}` is missing"),
            other => other.to_string(),
        };
        self.at(path.join("."), message)
    }

    fn at(&self, key: String, message: String) -> Mistake {
        let variable = format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"));
        let from_environment = std::env::var_os(&variable).is_some();
        let (file, line) = match self.lines.of_key(&key) {
            _ if from_environment => (format!("environment variable {variable}"), None),
            line => (self.file.display().to_string(), line),
        };
        Mistake { file, line, key, message }
    }
}
