//! `;name=value` parameters of URIs, addresses and Via values. Names are compared without case, order is kept.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Error;

/// Parameters in the order of the wire; a flag has no value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params(Vec<(String, Option<String>)>);

impl Params {
    /// The value of a parameter, unquoted; empty for a flag.
    pub fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value.as_deref().map_or("", unquoted))
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets or adds a parameter; `None` makes it a flag. The value is written as given: quote it if it needs quotes.
    pub fn set(&mut self, name: &str, value: Option<String>) {
        match self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values as they are on the wire.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    /// Reads `;a=b;c`: white space around the separators is allowed, an empty parameter is not.
    pub(crate) fn read(text: &str) -> Result<Params, Error> {
        let mut params = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            rest = rest.strip_prefix(';').ok_or(Error::Parameter)?;
            let end = find_outside_quotes(rest, b';')?;
            params.push(read_one(&rest[..end])?);
            rest = &rest[end..];
        }
        Ok(Params(params))
    }
}

fn read_one(text: &str) -> Result<(String, Option<String>), Error> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (text.trim(), None),
    };
    let valid = !name.is_empty()
        && name.bytes().all(|b| b > b' ' && !b"\"<>@,".contains(&b) && b != 0x7f)
        && value.is_none_or(is_value);
    if valid { Ok((name.to_owned(), value.map(str::to_owned))) } else { Err(Error::Parameter) }
}

fn is_value(value: &str) -> bool {
    if value.len() > 1 && value.starts_with('"') {
        return value.ends_with('"');
    }
    !value.is_empty() && !value.bytes().any(|b| b <= b' ' || b"\"<>".contains(&b) || b == 0x7f)
}

fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

/// Where `wanted` first stands outside of quoted strings, or the end of the text.
pub(crate) fn find_outside_quotes(text: &str, wanted: u8) -> Result<usize, Error> {
    let mut bytes = text.bytes().enumerate();
    let mut quoted = false;
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' if quoted => {
                bytes.next();
            }
            _ if byte == wanted && !quoted => return Ok(at),
            _ => {}
        }
    }
    if quoted { Err(Error::Quote) } else { Ok(text.len()) }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            write!(f, ";{name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}
