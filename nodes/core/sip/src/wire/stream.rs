//! Framing of TCP and TLS by Content-Length, and the CRLF keep-alive of RFC 5626 section 3.5.1.
//!
//! A message without Content-Length breaks RFC 3261 section 18.3; old elements send them. Its body is then what came
//! together with its headers if it has a Content-Type, else nothing.

use super::read::{Head, end_of_head, read_head, skip_line_breaks};
use super::{BODY_LIMIT, Error, Fault, HEAD_LIMIT};
use crate::Message;

/// One thing found in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Message(Box<Message>),
    /// CRLF CRLF: answer with one CRLF.
    Ping,
    /// CRLF: the answer to our ping.
    Pong,
}

/// The empty line that ends the headers, at its longest: it may still be under way.
const LONGEST_END: usize = 3;

/// Cuts a stream into frames. Push what was read, then take frames until there is none. After an error with
/// `framing_lost` it gives nothing more: answer, then close the connection. No byte is scanned twice, however small
/// the pieces it comes in.
#[derive(Debug, Default)]
pub struct StreamFramer {
    buffer: Vec<u8>,
    /// Bytes of the buffer already given away. All other offsets count from here.
    taken: usize,
    /// Bytes already searched for the end of the headers.
    searched: usize,
    /// Headers already read, and where their body begins.
    head: Option<(Head, usize)>,
    /// A single CRLF was reported as a pong; a second one right behind makes it a ping.
    after_line_break: bool,
    lost: bool,
}

impl StreamFramer {
    pub fn new() -> Self {
        StreamFramer::default()
    }

    /// Adds bytes as they were read.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.lost {
            return;
        }
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a message has begun and not ended: bound the time this may last.
    pub fn is_partial(&self) -> bool {
        self.taken < self.buffer.len()
    }

    /// The next frame, an error that cost one message, or None until more bytes come.
    #[expect(clippy::should_implement_trait, reason = "None is not the end: more bytes may follow")]
    pub fn next(&mut self) -> Option<Result<Frame, Error>> {
        if let Some((head, body)) = self.head.take() {
            return self.with_head(head, body);
        }
        if let Some(frame) = self.line_break() {
            return Some(Ok(frame));
        }
        self.skip_stray_breaks();
        let pending = &self.buffer[self.taken..];
        let from = self.searched.saturating_sub(3).min(pending.len());
        match end_of_head(&pending[from..]) {
            Some((end, body)) if from + end <= HEAD_LIMIT => {
                let head = read_head(&pending[..from + end]);
                self.with_head(head, from + body)
            }
            None if pending.len() < HEAD_LIMIT + LONGEST_END => {
                self.searched = pending.len();
                None
            }
            _ => {
                let head = read_head(&pending[..HEAD_LIMIT]);
                Some(Err(self.lose(head, Fault::TooLong)))
            }
        }
    }

    fn line_break(&mut self) -> Option<Frame> {
        let (length, frame) = match &self.buffer[self.taken..] {
            [b'\r', b'\n', ..] if self.after_line_break => (2, Frame::Ping),
            [b'\r', b'\n', b'\r', b'\n', ..] => (4, Frame::Ping),
            [b'\r', b'\n', ..] => (2, Frame::Pong),
            _ => return None,
        };
        self.consume(length);
        self.after_line_break = frame == Frame::Pong && !self.is_partial();
        Some(frame)
    }

    /// Other line breaks before a start line mean nothing (RFC 3261 section 7.5); a CR may be half of one.
    fn skip_stray_breaks(&mut self) {
        let pending = &self.buffer[self.taken..];
        if pending.is_empty() || pending == [b'\r'] {
            return;
        }
        let breaks = pending.len() - skip_line_breaks(pending).len();
        self.after_line_break = false;
        if breaks > 0 {
            self.consume(breaks);
        }
    }

    fn consume(&mut self, length: usize) {
        self.taken += length;
        self.searched = 0;
    }

    fn with_head(&mut self, head: Head, body: usize) -> Option<Result<Frame, Error>> {
        let arrived = self.buffer.len() - self.taken - body;
        let has_body = head.message.header("Content-Type").is_some();
        let length = head.length.unwrap_or(if has_body { arrived } else { 0 });
        if let Some(fault) = fatal(&head, length) {
            return Some(Err(self.lose(head, fault)));
        }
        if length > arrived {
            self.head = Some((head, body));
            return None;
        }
        Some(self.take(head, body, length))
    }

    fn take(&mut self, mut head: Head, body: usize, length: usize) -> Result<Frame, Error> {
        let start = self.taken + body;
        head.message.body = self.buffer[start..start + length].to_vec();
        self.consume(body + length);
        match head.fault {
            Some(fault) => Err(head.into_error(fault, false)),
            None => Ok(Frame::Message(Box::new(head.message))),
        }
    }

    fn lose(&mut self, head: Head, fault: Fault) -> Error {
        self.lost = true;
        self.buffer.clear();
        self.taken = 0;
        head.into_error(fault, true)
    }
}

/// What makes the next message's beginning unknown.
fn fatal(head: &Head, length: usize) -> Option<Fault> {
    match head.fault {
        Some(fault @ (Fault::ContentLength | Fault::ContentLengthTwice)) => Some(fault),
        Some(fault @ (Fault::StartLine | Fault::HeaderLine)) if head.length.is_none() => Some(fault),
        _ => (length > BODY_LIMIT).then_some(Fault::TooLong),
    }
}
