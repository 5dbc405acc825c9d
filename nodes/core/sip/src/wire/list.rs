//! Comma lists: where one element ends and the next begins.

/// The elements of a list, trimmed. Commas within quotes and angle brackets part nothing; an empty list is one empty
/// element, so that a header without value is not lost.
pub(super) struct Elements<'a>(Option<&'a str>);

pub(super) fn elements(value: &str) -> Elements<'_> {
    Elements(Some(value))
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0?;
        match end_of_first(rest) {
            Some(end) => {
                self.0 = Some(&rest[end + 1..]);
                Some(trim(&rest[..end]))
            }
            None => {
                self.0 = None;
                Some(trim(rest))
            }
        }
    }
}

fn end_of_first(text: &str) -> Option<usize> {
    memchr::memchr(b',', text.as_bytes())?;
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'<' if !quoted => bracketed = true,
            b'>' if !quoted => bracketed = false,
            b',' if !quoted && !bracketed => return Some(at),
            _ => {}
        }
    }
    None
}

/// Without the spaces and tabs around it.
pub(super) fn trim(text: &str) -> &str {
    let blanks = text.bytes().take_while(is_blank).count();
    trim_end(&text[blanks..])
}

/// Without the spaces and tabs behind it.
pub(super) fn trim_end(text: &str) -> &str {
    let blanks = text.bytes().rev().take_while(is_blank).count();
    &text[..text.len() - blanks]
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}
