//! What is refused before any state is looked at, in the order of RFC 3261 section 8.2.
//!
//! [`form`] finds messages that are malformed beyond their framing; the transaction layer runs it, since nothing
//! malformed can be matched. [`policy`] finds what is well-formed but not offered here. Who the sender is, and whether
//! the target exists, is for others.

mod form;
mod policy;

#[cfg(test)]
mod tests;

use crate::Message;
use crate::message::Method;

pub use form::form;
pub use policy::policy;

/// What this element offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// Methods answered here: `Allow`.
    pub methods: Vec<Method>,
    /// Option tags: `Supported`.
    pub extensions: Vec<String>,
    /// Media types of bodies understood: `Accept`.
    pub bodies: Vec<String>,
}

impl Default for Screen {
    /// What the user agent and the registrar of this crate handle.
    fn default() -> Self {
        let text = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
        Screen {
            methods: vec![
                Method::INVITE,
                Method::ACK,
                Method::BYE,
                Method::CANCEL,
                Method::OPTIONS,
                Method::PRACK,
                Method::UPDATE,
                Method::INFO,
                Method::REFER,
                Method::NOTIFY,
                Method::REGISTER,
            ],
            extensions: text(&["100rel", "timer", "replaces", "path", "outbound"]),
            bodies: text(&[
                "application/sdp",
                "message/sipfrag",
                "application/dtmf-relay",
                "application/dtmf",
            ]),
        }
    }
}

impl Screen {
    /// The value of `Allow`.
    pub fn allow(&self) -> String {
        self.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
    }

    /// The value of `Supported`.
    pub fn supported(&self) -> String {
        self.extensions.join(", ")
    }

    /// The value of `Accept`.
    pub fn accept(&self) -> String {
        self.bodies.join(", ")
    }
}

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing speaks against it.
    Pass,
    /// The request is answered so; never given for ACK.
    Answer { status: u16, words: &'static str, headers: Vec<(&'static str, String)> },
    /// Malformed and unanswerable: a response, or an ACK.
    Drop,
}

impl Verdict {
    /// A refusal that says why in its reason phrase.
    pub(crate) fn malformed(words: &'static str) -> Verdict {
        Verdict::Answer { status: 400, words, headers: Vec::new() }
    }

    /// The whole answer, with our To tag; None for `Pass` and `Drop`.
    pub fn answer(&self, request: &Message, tag: &str) -> Option<Message> {
        let Verdict::Answer { status, words, headers } = self else { return None };
        let mut answer = Message::reply_to(request, *status);
        if !words.is_empty() {
            answer = answer.with_reason(words);
        }
        answer.set_to_tag(tag);
        for (name, value) in headers {
            answer.push(name, value);
        }
        Some(answer)
    }
}

/// Both screens in turn.
pub fn screen(message: &Message, context: &Screen) -> Verdict {
    match form(message) {
        Verdict::Pass => policy(message, context),
        refused => refused,
    }
}
