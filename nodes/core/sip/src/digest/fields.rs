//! `Digest name=value, name="value"`: the fields of challenges and credentials.

use std::collections::BTreeMap;

/// Fields by lower-case name, unquoted. None for another scheme, a malformed value or a field that stands twice.
pub(super) fn digest_fields(value: &str) -> Option<BTreeMap<String, String>> {
    let (scheme, mut rest) = value.trim().split_once([' ', '\t'])?;
    if !scheme.eq_ignore_ascii_case("Digest") {
        return None;
    }
    let mut fields = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return Some(fields);
        }
        let (name, after) = rest.split_once('=')?;
        let (text, after) = field_value(after.trim_start())?;
        if fields.insert(name.trim().to_ascii_lowercase(), text).is_some() {
            return None;
        }
        rest = after;
    }
}

fn field_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        return Some((text[..end].trim().to_owned(), &text[end..]));
    };
    let mut plain = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some((plain, characters.as_str())),
            '\\' => plain.push(characters.next()?),
            other => plain.push(other),
        }
    }
}

/// A value with what must be escaped escaped, in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
