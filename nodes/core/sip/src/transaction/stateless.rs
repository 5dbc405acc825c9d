//! What needs no transaction: our Via on requests, answers to what cannot be worked with.

use bytes::Bytes;

use super::Output;
use crate::message::Message;
use crate::screen::Verdict;
use crate::{Destination, Source};

/// Puts our Via behind the start line. `rport` is asked for always (RFC 3581).
pub(super) fn with_via(request: &[u8], destination: &Destination, sent_by: &str, branch: &str) -> Bytes {
    let transport = destination.transport.via_name();
    let via = format!("Via: SIP/2.0/{transport} {sent_by};branch={branch};rport\r\n");
    let start = memchr::memchr(b'\n', request).map_or(request.len(), |end| end + 1);
    [&request[..start], via.as_bytes(), &request[start..]].concat().into()
}

/// The answer to a malformed request; nothing is kept, so each repetition gets it again.
pub(super) fn answer(verdict: &Verdict, request: &Message, source: &Source) -> Option<Output> {
    let answer = verdict.answer(request, "malformed")?;
    Some(transmit(&answer, request, source)).filter(|_| request.header("Via").is_some())
}

pub(super) fn refuse(status: u16, request: &Message, source: &Source) -> Option<Output> {
    let mut answer = Message::reply_to(request, status);
    answer.set_to_tag("merged");
    Some(transmit(&answer, request, source))
}

fn transmit(answer: &Message, request: &Message, source: &Source) -> Output {
    Output::Transmit { destination: request.response_destination(source), bytes: answer.to_bytes().into() }
}
