//! Answers that the edge gives by itself, without a transaction (RFC 3261 section 8.2.7): the To tag follows from
//! the request, so a retransmission gets the same one, and a refusal costs no memory.

use std::hash::{DefaultHasher, Hash, Hasher};

use mangrove_sip::{Message, Source, screen, wire};

use super::Signalling;
use crate::metrics::{ANSWERED, DROPPED};

impl Signalling {
    /// Sends an answer to where the request came from. The request's top Via was filled by `note_source`.
    pub(super) fn reply(&self, request: &Message, source: &Source, mut answer: Message) {
        answer.set_to_tag(&tag_for(request));
        answer.push("Server", &self.user_agent);
        let status = answer.status().unwrap_or_default();
        metrics::counter!(ANSWERED, "status" => status.to_string()).increment(1);
        // A refusal that gets lost is asked for again, so its failure matters to nobody.
        let _ = self.outlet.send(&request.response_destination(source), answer.to_bytes().into());
    }

    /// Takes what is no message: answers it if it can be answered and its sender behaves.
    pub(crate) fn unreadable(&self, error: &wire::Error, source: &Source) {
        tracing::debug!(%error, remote = %source.remote, "message is malformed");
        if !self.is_welcome(source) {
            return drop_silently("rate");
        }
        let Some(request) = &error.partial else { return drop_silently("malformed") };
        let mut noted = error.clone();
        let request = noted.partial.insert(request.clone());
        request.note_source(source);
        let request = Message::clone(request);
        match noted.answer() {
            Some(answer) => self.reply(&request, source, answer),
            None => drop_silently("malformed"),
        }
    }

    /// 200 to OPTIONS: what we can do (RFC 3261 section 11.2).
    pub(super) fn capabilities(&self, request: &Message) -> Message {
        Message::reply_to(request, 200)
            .with("Allow", self.screen.allow())
            .with("Accept", self.screen.accept())
            .with("Supported", self.screen.supported())
    }
}

/// Counts a message that gets no answer.
pub(super) fn drop_silently(reason: &'static str) {
    metrics::counter!(DROPPED, "reason" => reason).increment(1);
}

/// The answer of a screen; its tag is set by `reply`.
pub(super) fn refusal(request: &Message, verdict: &screen::Verdict) -> Option<Message> {
    verdict.answer(request, &tag_for(request))
}

/// A To tag that follows from the request.
pub(super) fn tag_for(request: &Message) -> String {
    let mut hasher = DefaultHasher::new();
    (request.call_id(), request.from_tag(), request.header("CSeq"), request.branch()).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
