//! What is wrong with bytes that are no message, and what to answer.

use crate::Message;
use crate::message::{Method, Start};

/// The first fault found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("start line is malformed")]
    StartLine,
    #[error("version is not SIP/2.0")]
    Version,
    #[error("status code is not between 100 and 699")]
    Status,
    #[error("header line has no colon or a malformed name")]
    HeaderLine,
    #[error("Content-Length is malformed")]
    ContentLength,
    #[error("Content-Length stands more than once")]
    ContentLengthTwice,
    #[error("body is shorter than Content-Length")]
    Truncated,
    #[error("headers or body are longer than this element takes")]
    TooLong,
}

impl Fault {
    fn status(self) -> u16 {
        match self {
            Fault::Version => 505,
            Fault::TooLong => 513,
            _ => 400,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Fault::StartLine | Fault::Status => "Malformed Start Line",
            Fault::HeaderLine => "Malformed Header Line",
            Fault::ContentLength | Fault::ContentLengthTwice => "Malformed Content-Length",
            Fault::Truncated => "Body Shorter Than Content-Length",
            other => crate::cause::reason_phrase(other.status()),
        }
    }
}

/// Bytes that are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct Error {
    pub fault: Fault,
    /// What could be read nevertheless; for answering and telling, not for acting.
    pub partial: Option<Box<Message>>,
    /// Over a stream: nobody knows where the next message begins, so answer and close.
    pub framing_lost: bool,
}

impl Error {
    /// The answer the sender gets, to its source: only for a request that names a Via, and never for ACK
    /// (RFC 3261 section 8.2.6). None means silence.
    pub fn answer(&self) -> Option<Message> {
        let request = self.partial.as_deref()?;
        let Start::Request { method, .. } = &request.start else { return None };
        if *method == Method::ACK || request.header("Via").is_none() {
            return None;
        }
        let mut answer = Message::reply_to(request, self.fault.status()).with_reason(self.fault.words());
        answer.set_to_tag("malformed");
        Some(answer)
    }
}
