//! The name of a sound, and the places where it may lie, nearest first.
//!
//! `prompt/<language>/<name>` asks in a language, `prompt/<name>` and `music/<name>` in none. A tenant's own files are
//! in its one language, so only the node's folder and what is built in tell languages apart.

use std::path::{Path, PathBuf};

use super::Error;

/// What is built in for a language that has nothing built in.
const FALLBACK: &str = "en";

/// A key that was checked: nothing in it leads out of its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    kind: String,
    language: Option<String>,
    name: String,
}

impl Key {
    /// Reads a tenant's key.
    pub(super) fn parse(tenant: &str, text: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = text.split('/').collect();
        let (kind, language, name) = match parts[..] {
            ["prompt", language, name] => ("prompt", Some(language), name),
            [kind @ ("prompt" | "music"), name] => (kind, None, name),
            _ => return Err(wrong(text)),
        };
        if ![tenant, name, language.unwrap_or(name)].into_iter().all(is_name) {
            return Err(wrong(text));
        }
        Ok(Self { kind: kind.to_owned(), language: language.map(str::to_owned), name: name.to_owned() })
    }

    /// The tenant's own in the object store.
    pub(super) fn object(&self, tenant: &str) -> object_store::path::Path {
        object_store::path::Path::from(format!("prompts/{tenant}/{}.wav", self.plain()))
    }

    /// Files in the node's folder: the tenant's, the language's, everybody's.
    pub(super) fn files(&self, tenant: &str, folder: &Path) -> Vec<PathBuf> {
        let file = |key: String| folder.join(format!("{key}.wav"));
        let mut files = vec![file(format!("{tenant}/{}", self.plain()))];
        if let Some(language) = &self.language {
            files.push(file(format!("{}/{language}/{}", self.kind, self.name)));
        }
        files.push(file(self.plain()));
        files
    }

    /// Names of what may be built in.
    pub(super) fn built_in(&self) -> [String; 2] {
        let language = self.language.as_deref().unwrap_or(FALLBACK);
        [format!("{}/{language}/{}", self.kind, self.name), format!("{}/{FALLBACK}/{}", self.kind, self.name)]
    }

    /// The key without a language.
    fn plain(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

fn wrong(text: &str) -> Error {
    Error::Key { key: text.chars().take(64).collect() }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.len() <= 128
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' '))
}
