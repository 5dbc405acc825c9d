//! `"Display" <uri>;params` as in From, To, Contact and Route, and the bare form without brackets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::params::find_outside_quotes;
use super::{Error, Params, Uri};

/// An address with its display name and the parameters of its header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameAddr {
    /// Without quotes and escapes.
    pub display: Option<String>,
    pub uri: Uri,
    /// Parameters of the header, not of the URI.
    pub params: Params,
}

impl NameAddr {
    pub fn new(uri: Uri) -> Self {
        NameAddr { display: None, uri, params: Params::default() }
    }

    /// Reads either form. Display names need not be tokens: many phones leave the quotes out. In the bare form
    /// everything after a semicolon belongs to the header (RFC 3261 section 20.10), and a `?` is refused.
    pub fn parse(text: &str) -> Result<NameAddr, Error> {
        let text = text.trim();
        let parts = Parts::split(text)?;
        if !parts.bracketed && parts.uri.contains([',', '?']) {
            return Err(Error::NeedsBrackets);
        }
        Ok(NameAddr {
            display: display(parts.display)?,
            uri: Uri::parse(parts.uri)?,
            params: Params::read(parts.params)?,
        })
    }

    /// The same address with this tag.
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", Some(tag.to_owned()));
        self
    }

    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }
}

/// An address cut into its pieces, none of them read.
struct Parts<'a> {
    display: &'a str,
    uri: &'a str,
    params: &'a str,
    bracketed: bool,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Result<Parts<'a>, Error> {
        let open = find_outside_quotes(text, b'<')?;
        if open == text.len() {
            let end = text.find(';').unwrap_or(text.len());
            let uri = text[..end].trim_end();
            return Ok(Parts { display: "", uri, params: &text[end..], bracketed: false });
        }
        let close = text[open..].find('>').ok_or(Error::Bracket)? + open;
        let params = text[close + 1..].trim();
        if !params.is_empty() && !params.starts_with(';') {
            return Err(Error::Bracket);
        }
        Ok(Parts { display: text[..open].trim(), uri: &text[open + 1..close], params, bracketed: true })
    }
}

fn display(text: &str) -> Result<Option<String>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let Some(quoted) = text.strip_prefix('"') else {
        return if text.contains('"') { Err(Error::Quote) } else { Ok(Some(text.to_owned())) };
    };
    let mut plain = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => plain.extend(characters.next()),
            other => plain.push(other),
        }
    }
    if characters.as_str().is_empty() { Ok(Some(plain)) } else { Err(Error::Quote) }
}

/// The parameters of an address's header, without reading the address.
pub(crate) fn address_params(text: &str) -> &str {
    Parts::split(text.trim()).map_or("", |parts| parts.params)
}

/// The tag of a From or To value, without reading the rest.
pub(crate) fn tag_of(text: &str) -> Option<&str> {
    address_params(text).split(';').find_map(|param| {
        let (name, value) = param.split_once('=')?;
        let value = value.trim();
        (name.trim().eq_ignore_ascii_case("tag") && !value.is_empty()).then_some(value)
    })
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            f.write_str("\"")?;
            for character in display.chars() {
                if matches!(character, '"' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{}", if matches!(character, '\r' | '\n') { ' ' } else { character })?;
            }
            f.write_str("\" ")?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

impl FromStr for NameAddr {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        NameAddr::parse(text)
    }
}
