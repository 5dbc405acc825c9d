//! On which line of a TOML text a key stands.

use std::collections::BTreeMap;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The lines of all keys of one text.
#[derive(Debug)]
pub(super) struct Lines {
    /// Dotted key to line, from 1.
    keys: BTreeMap<String, usize>,
    broken: Option<(usize, String)>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let mut keys = BTreeMap::new();
        let broken = match DeTable::parse(text) {
            Ok(table) => {
                walk(table.get_ref(), "", text, &mut keys);
                None
            }
            Err(error) => {
                Some((line(text, error.span().map_or(0, |span| span.start)), error.message().to_owned()))
            }
        };
        Self { keys, broken }
    }

    /// The line and message where the text is no TOML.
    pub(super) fn broken(&self) -> Option<(usize, &str)> {
        self.broken.as_ref().map(|(line, message)| (*line, message.as_str()))
    }

    /// The line of a key, or of the nearest table around it.
    pub(super) fn of_key(&self, key: &str) -> Option<usize> {
        self.keys.get(key).copied().or_else(|| self.of_key(key.rsplit_once('.')?.0))
    }
}

fn walk(table: &DeTable<'_>, prefix: &str, text: &str, keys: &mut BTreeMap<String, usize>) {
    for (key, value) in table {
        let path =
            if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        keys.insert(path.clone(), line(text, key.span().start));
        descend(value, &path, text, keys);
    }
}

fn descend(value: &Spanned<DeValue<'_>>, path: &str, text: &str, keys: &mut BTreeMap<String, usize>) {
    if let DeValue::Table(table) = value.get_ref() {
        walk(table, path, text, keys);
    }
}

fn line(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
