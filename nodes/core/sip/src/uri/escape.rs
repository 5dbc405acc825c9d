//! Percent escapes of URIs (RFC 3261 section 19.1.2).

use std::borrow::Cow;

/// Undoes `%XX`. A percent sign that starts no escape is kept; bytes that are no UTF-8 become U+FFFD; `%00` becomes a
/// NUL character and shortens nothing.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match escaped_byte(&bytes[at..]) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&plain).into_owned())
}

fn escaped_byte(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

/// Escapes what may not stand in a user part.
pub fn escape_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for byte in user.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_strays_kept() {
        for (text, plain) in [
            ("%75se%72", "user"),
            ("100%", "100%"),
            ("%Z%45", "%ZE"),
            ("%00%00", "\0\0"),
            ("%ff", "\u{fffd}"),
        ] {
            assert_eq!(unescape(text), plain, "{text}");
        }
    }

    #[test]
    fn escaping_is_undone_by_unescaping() {
        for user in ["mary", "I have spaces", "sips:user@example.com", "мама", "100%", "#7"] {
            assert_eq!(unescape(&escape_user(user)), user);
        }
    }
}
