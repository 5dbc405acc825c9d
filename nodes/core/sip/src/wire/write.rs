//! The writer.

use std::io::Write;

use crate::Message;
use crate::message::Start;

pub(crate) fn write(message: &Message) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size_of_head(message) + message.body.len());
    match &message.start {
        Start::Request { method, uri } => {
            put(&mut bytes, &[method.as_str(), " ", uri, " SIP/2.0\r\n"]);
        }
        Start::Response { status, reason } => {
            // Writing to a Vec cannot fail.
            let _ = write!(bytes, "SIP/2.0 {status:03} ");
            put(&mut bytes, &[reason, "\r\n"]);
        }
    }
    for (name, value) in &message.headers {
        put(&mut bytes, &[name.as_str(), ": ", value, "\r\n"]);
    }
    let _ = write!(bytes, "Content-Length: {}\r\n\r\n", message.body.len());
    bytes.extend_from_slice(&message.body);
    bytes
}

/// The Call-ID of a message that was written here, without reading the rest.
pub fn call_id_of(written: &[u8]) -> Option<&str> {
    const NAME: &[u8] = b"\r\nCall-ID: ";
    let start = memchr::memmem::find(written, NAME)? + NAME.len();
    let length = memchr::memchr(b'\r', &written[start..])?;
    std::str::from_utf8(&written[start..start + length]).ok()
}

fn put(bytes: &mut Vec<u8>, pieces: &[&str]) {
    for piece in pieces {
        bytes.extend_from_slice(piece.as_bytes());
    }
}

fn size_of_head(message: &Message) -> usize {
    let headers: usize =
        message.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    headers + 128
}
