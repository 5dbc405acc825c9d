//! Well-formed, but not offered here: method, scheme, extension, body, Max-Forwards.

use super::{Screen, Verdict};
use crate::Message;
use crate::message::{Method, Start};

/// Checks a well-formed message against what is offered. Responses, ACK and CANCEL pass: nothing of this may be asked
/// of them (RFC 3261 section 8.2.2.3).
pub fn policy(message: &Message, context: &Screen) -> Verdict {
    let Start::Request { method, .. } = &message.start else { return Verdict::Pass };
    if matches!(*method, Method::ACK | Method::CANCEL) {
        return Verdict::Pass;
    }
    let checks =
        [method_offered, scheme_known, hops_left, extensions_known, body_understood, answer_acceptable];
    checks.iter().find_map(|check| check(message, method, context)).unwrap_or(Verdict::Pass)
}

fn refuse(status: u16, header: &'static str, value: String) -> Option<Verdict> {
    Some(Verdict::Answer { status, words: "", headers: vec![(header, value)] })
}

fn method_offered(_: &Message, method: &Method, context: &Screen) -> Option<Verdict> {
    if context.methods.contains(method) {
        return None;
    }
    let status = if matches!(method, Method::Other(_)) { 501 } else { 405 };
    refuse(status, "Allow", context.allow())
}

fn scheme_known(message: &Message, _: &Method, _: &Screen) -> Option<Verdict> {
    let uri = message.request_uri().ok()?;
    let known = uri.is_sip() || uri.is_sips() || uri.is_tel();
    (!known).then_some(Verdict::Answer { status: 416, words: "", headers: Vec::new() })
}

fn hops_left(message: &Message, _: &Method, _: &Screen) -> Option<Verdict> {
    let exhausted = message.u32_of("Max-Forwards") == Some(0);
    exhausted.then_some(Verdict::Answer { status: 483, words: "", headers: Vec::new() })
}

fn extensions_known(message: &Message, _: &Method, context: &Screen) -> Option<Verdict> {
    let known =
        |tag: &str| tag.is_empty() || context.extensions.iter().any(|own| own.eq_ignore_ascii_case(tag));
    let unknown: Vec<&str> = message.headers("Require").filter(|tag| !known(tag)).collect();
    if unknown.is_empty() { None } else { refuse(420, "Unsupported", unknown.join(", ")) }
}

/// A body whose handling is optional may be of any type (RFC 3261 section 20.11).
fn body_understood(message: &Message, _: &Method, context: &Screen) -> Option<Verdict> {
    let media_type = message.content_type()?;
    let optional = message
        .param_of("Content-Disposition", "handling")
        .is_some_and(|h| h.eq_ignore_ascii_case("optional"));
    if message.body.is_empty() || optional {
        return None;
    }
    if !context.bodies.iter().any(|own| own.eq_ignore_ascii_case(media_type)) {
        return refuse(415, "Accept", context.accept());
    }
    let plain = message.headers("Content-Encoding").all(|coding| coding.eq_ignore_ascii_case("identity"));
    if plain { None } else { refuse(415, "Accept-Encoding", "identity".to_owned()) }
}

/// Only answers that carry a body can be unacceptable.
fn answer_acceptable(message: &Message, method: &Method, _: &Screen) -> Option<Verdict> {
    let mut accepted = message.headers("Accept").peekable();
    if accepted.peek().is_none() || !matches!(*method, Method::INVITE | Method::UPDATE | Method::OPTIONS) {
        return None;
    }
    let fits = accepted.any(|range| {
        let range = range.split(';').next().unwrap_or("").trim();
        ["application/sdp", "application/*", "*/*"].iter().any(|own| own.eq_ignore_ascii_case(range))
    });
    (!fits).then_some(Verdict::Answer { status: 406, words: "", headers: Vec::new() })
}
