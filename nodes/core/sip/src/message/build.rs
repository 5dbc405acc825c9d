//! Making and changing messages.

use std::fmt::Display;

use super::{Message, Method, Name, Start};
use crate::cause::reason_phrase;

impl Message {
    /// A request with no headers yet.
    pub fn request(method: Method, uri: impl Display) -> Message {
        let start = Start::Request { method, uri: uri.to_string() };
        Message { start, headers: Vec::new(), body: Vec::new() }
    }

    /// A response with no headers yet and the usual reason phrase.
    pub fn response(status: u16) -> Message {
        let start = Start::Response { status, reason: reason_phrase(status).to_owned() };
        Message { start, headers: Vec::new(), body: Vec::new() }
    }

    /// A response with what every response copies: Via, From, To, Call-ID and CSeq (RFC 3261 section 8.2.6.2), and
    /// Timestamp for a 100. It has no To tag of ours and no Record-Route.
    pub fn reply_to(request: &Message, status: u16) -> Message {
        let mut response = Message::response(status);
        let copied = ["Via", "From", "To", "Call-ID", "CSeq"];
        for (name, value) in &request.headers {
            let wanted = copied.contains(&name.as_str()) || (status == 100 && name.as_str() == "Timestamp");
            if wanted {
                response.headers.push((name.clone(), value.clone()));
            }
        }
        response
    }

    /// The message with one more header at the end.
    pub fn with(mut self, name: &str, value: impl Display) -> Message {
        self.push(name, value);
        self
    }

    /// The message with this body; replaces Content-Type.
    pub fn with_body(mut self, content_type: &str, body: Vec<u8>) -> Message {
        self.set("Content-Type", content_type);
        self.body = body;
        self
    }

    /// The response with these words instead of the usual ones; a request stays as it is.
    pub fn with_reason(mut self, words: &str) -> Message {
        if let Start::Response { reason, .. } = &mut self.start {
            *reason = one_line(words.to_owned());
        }
        self
    }

    /// Adds a header at the end. Line breaks in the value become spaces: no value can add a header.
    pub fn push(&mut self, name: &str, value: impl Display) {
        self.headers.push((Name::from(name), one_line(value.to_string())));
    }

    /// Adds a header before all others: the top of its list.
    pub fn push_front(&mut self, name: &str, value: impl Display) {
        self.headers.insert(0, (Name::from(name), one_line(value.to_string())));
    }

    /// Replaces all headers of this name by one, at the place of the first.
    pub fn set(&mut self, name: &str, value: impl Display) {
        let value = one_line(value.to_string());
        match self.headers.iter().position(|(known, _)| known.is(name)) {
            None => self.headers.push((Name::from(name), value)),
            Some(at) => {
                self.headers[at].1 = value;
                let mut seen = false;
                self.headers.retain(|(known, _)| !known.is(name) || !std::mem::replace(&mut seen, true));
            }
        }
    }

    /// Takes away all headers of this name.
    pub fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| !known.is(name));
    }

    /// Takes away the first header of this name and gives its value: the top Via of a response.
    pub fn pop_front(&mut self, name: &str) -> Option<String> {
        let at = self.headers.iter().position(|(known, _)| known.is(name))?;
        Some(self.headers.remove(at).1)
    }

    /// Adds our tag to To if it has none (RFC 3261 section 8.2.6.2).
    pub fn set_to_tag(&mut self, tag: &str) {
        if self.to_tag().is_some() {
            return;
        }
        if let Some((_, value)) = self.headers.iter_mut().find(|(name, _)| name.as_str() == "To") {
            value.push_str(";tag=");
            value.push_str(tag);
        }
    }
}

fn one_line(text: String) -> String {
    if text.contains(['\r', '\n']) { text.replace(['\r', '\n'], " ") } else { text }
}
