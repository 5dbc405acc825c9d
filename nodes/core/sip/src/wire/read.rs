//! The reader: start line, headers, body of one message.

use std::borrow::Cow;

use super::list::{elements, trim, trim_end};
use super::{Error, Fault, HEAD_LIMIT};
use crate::Message;
use crate::message::{Method, Name, Start, lookup};

/// Start line and headers, with what was found wrong in them.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) message: Message,
    pub(super) length: Option<usize>,
    pub(super) fault: Option<Fault>,
}

impl Head {
    fn blame(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }

    pub(super) fn into_error(self, fault: Fault, framing_lost: bool) -> Error {
        Error { fault, partial: Some(Box::new(self.message)), framing_lost }
    }
}

pub(crate) fn read_datagram(datagram: &[u8]) -> Result<Message, Error> {
    let datagram = skip_line_breaks(datagram);
    let (end, body) = end_of_head(datagram).unwrap_or((datagram.len(), datagram.len()));
    let mut head = read_head(&datagram[..end.min(HEAD_LIMIT)]);
    if end > HEAD_LIMIT {
        head.blame(Fault::TooLong);
    }
    let rest = &datagram[body..];
    let length = head.length.unwrap_or(rest.len());
    if length > rest.len() {
        head.blame(Fault::Truncated);
    }
    if let Some(fault) = head.fault {
        return Err(head.into_error(fault, false));
    }
    head.message.body = rest[..length].to_vec();
    Ok(head.message)
}

/// Line breaks before the start line are ignored (RFC 3261 section 7.5).
pub(super) fn skip_line_breaks(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| *b != b'\r' && *b != b'\n').unwrap_or(bytes.len());
    &bytes[start..]
}

/// Where the headers end and where the body begins.
pub(super) fn end_of_head(bytes: &[u8]) -> Option<(usize, usize)> {
    for at in memchr::memchr_iter(b'\n', bytes) {
        match &bytes[at + 1..] {
            [b'\r', b'\n', ..] => return Some((at + 1, at + 3)),
            [b'\n', ..] => return Some((at + 1, at + 2)),
            _ => {}
        }
    }
    None
}

pub(super) fn read_head(bytes: &[u8]) -> Head {
    let text = text_of(bytes);
    let mut lines = Lines(&text);
    let first = lines.next().unwrap_or_default();
    let (start, fault) = read_start(&first);
    let headers = Vec::with_capacity(24);
    let mut head = Head { message: Message { start, headers, body: Vec::new() }, length: None, fault };
    for line in lines {
        if let Err(fault) = read_header(&line, &mut head) {
            head.blame(fault);
        }
    }
    head
}

/// Bytes that are no UTF-8 become U+FFFD: some phones send display names in their own code page.
fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// Lines with their continuations joined by one space (RFC 3261 section 7.3.1).
struct Lines<'a>(&'a str);

impl<'a> Iterator for Lines<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Cow<'a, str>> {
        let mut line = Cow::Borrowed(self.take_line()?);
        while matches!(self.0.as_bytes().first(), Some(b' ' | b'\t')) {
            let Some(more) = self.take_line() else { break };
            let joined = line.to_mut();
            joined.truncate(trim_end(joined).len());
            joined.push(' ');
            joined.push_str(trim(more));
        }
        Some(line)
    }
}

impl<'a> Lines<'a> {
    fn take_line(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.0.as_bytes());
        let (line, rest) = match end {
            Some(end) => (&self.0[..end], &self.0[end + 1..]),
            None => (self.0, ""),
        };
        self.0 = rest;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

fn read_start(line: &str) -> (Start, Option<Fault>) {
    if line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("SIP/")) {
        return read_status_line(line);
    }
    let (method, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (uri, version) = rest.rsplit_once(' ').unwrap_or((rest, ""));
    let fault = match version {
        _ if !is_token(method) || uri.is_empty() || uri.contains([' ', '\t', '\r']) => Some(Fault::StartLine),
        "SIP/2.0" => None,
        other if is_version(other) => Some(Fault::Version).filter(|_| !other.eq_ignore_ascii_case("SIP/2.0")),
        _ => Some(Fault::StartLine),
    };
    (Start::Request { method: Method::read(method), uri: uri.to_owned() }, fault)
}

fn read_status_line(line: &str) -> (Start, Option<Fault>) {
    let (version, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let status = code.parse().ok().filter(|status| code.len() == 3 && (100..700).contains(status));
    let fault = match status {
        _ if !version.eq_ignore_ascii_case("SIP/2.0") => Some(Fault::Version),
        None => Some(Fault::Status),
        Some(_) if reason.contains('\r') => Some(Fault::StartLine),
        Some(_) => None,
    };
    (Start::Response { status: status.unwrap_or(0), reason: reason.to_owned() }, fault)
}

fn is_version(text: &str) -> bool {
    let Some((name, number)) = text.split_once('/') else { return false };
    let Some((major, minor)) = number.split_once('.') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    name.eq_ignore_ascii_case("SIP") && digits(major) && digits(minor)
}

/// A token of RFC 3261 section 25.1.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b))
}

fn read_header(line: &str, head: &mut Head) -> Result<(), Fault> {
    let colon = memchr::memchr(b':', line.as_bytes()).ok_or(Fault::HeaderLine)?;
    let name = trim_end(&line[..colon]);
    let value = trim(&line[colon + 1..]);
    if memchr::memchr(b'\r', value.as_bytes()).is_some() {
        return Err(Fault::HeaderLine);
    }
    let headers = &mut head.message.headers;
    match lookup(name) {
        Some(("Content-Length", _)) => read_length(value, head)?,
        Some((canonical, true)) => {
            let name = Name::known(canonical);
            headers.extend(elements(value).map(|element| (name.clone(), element.to_owned())));
        }
        Some((canonical, false)) => headers.push((Name::known(canonical), value.to_owned())),
        None if is_token(name) => headers.push((Name::from(name), value.to_owned())),
        None => return Err(Fault::HeaderLine),
    }
    Ok(())
}

fn read_length(value: &str, head: &mut Head) -> Result<(), Fault> {
    if head.length.is_some() {
        return Err(Fault::ContentLengthTwice);
    }
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let length = value.parse().ok().filter(|_| digits).ok_or(Fault::ContentLength)?;
    head.length = Some(length);
    Ok(())
}
