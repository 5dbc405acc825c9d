//! Malformed messages: a request gets 400, a response and an ACK are dropped (RFC 3261 sections 8.1.3 and 16.3).

use super::Verdict;
use crate::Message;
use crate::message::{Method, Start, Via};
use crate::uri::{NameAddr, Uri};

/// Whether the message can be worked with at all. Date, Expires and unknown headers are not looked at.
pub fn form(message: &Message) -> Verdict {
    match &message.start {
        Start::Response { .. } => form_of_response(message),
        Start::Request { method, uri } => match fault_of_request(message, method, uri) {
            None => Verdict::Pass,
            Some(_) if *method == Method::ACK => Verdict::Drop,
            Some(refusal) => refusal,
        },
    }
}

/// Header fields that name the message, and stand once.
#[derive(Debug, Default)]
struct Once<'a> {
    from: Option<&'a str>,
    to: Option<&'a str>,
    call_id: Option<&'a str>,
    cseq: Option<&'a str>,
    max_forwards: Option<&'a str>,
    content_type: Option<&'a str>,
    twice: bool,
}

impl<'a> Once<'a> {
    fn of(message: &'a Message) -> Once<'a> {
        let mut once = Once::default();
        for (name, value) in &message.headers {
            let slot = match name.as_str() {
                "From" => &mut once.from,
                "To" => &mut once.to,
                "Call-ID" => &mut once.call_id,
                "CSeq" => &mut once.cseq,
                "Max-Forwards" => &mut once.max_forwards,
                "Content-Type" => &mut once.content_type,
                _ => continue,
            };
            once.twice |= slot.replace(value).is_some();
        }
        once
    }

    fn is_complete(&self) -> bool {
        self.from.is_some() && self.to.is_some() && self.call_id.is_some() && self.cseq.is_some()
    }
}

fn fault_of_request(message: &Message, method: &Method, uri: &str) -> Option<Verdict> {
    let once = Once::of(message);
    if once.twice {
        return Some(Verdict::malformed("Header Stands More Than Once"));
    }
    if !once.is_complete() {
        return Some(Verdict::malformed("Mandatory Header Missing"));
    }
    if !vias_are_sound(message) {
        return Some(Verdict::malformed("Malformed Via"));
    }
    fault_of_cseq(message, method)
        .or_else(|| fault_of_uri(uri))
        .or_else(|| fault_of_addresses(message, &once))
        .or_else(|| fault_of_numbers(&once))
}

fn vias_are_sound(message: &Message) -> bool {
    let mut vias = message.headers("Via").peekable();
    vias.peek().is_some() && vias.all(|via| Via::parse(via).is_ok())
}

/// An unknown method is told so even when CSeq names another.
fn fault_of_cseq(message: &Message, method: &Method) -> Option<Verdict> {
    match message.cseq() {
        Err(_) => Some(Verdict::malformed("Malformed CSeq")),
        Ok((_, named)) if named == *method => None,
        Ok(_) if matches!(method, Method::Other(_)) => {
            Some(Verdict::Answer { status: 501, words: "", headers: Vec::new() })
        }
        Ok(_) => Some(Verdict::malformed("CSeq Names Another Method")),
    }
}

/// Headers in a Request-URI are not allowed (RFC 3261 section 19.1.1) and never acted upon.
fn fault_of_uri(uri: &str) -> Option<Verdict> {
    match Uri::parse(uri) {
        Err(_) => Some(Verdict::malformed("Malformed Request-URI")),
        Ok(uri) if uri.headers.is_some() => Some(Verdict::malformed("Headers in Request-URI")),
        Ok(_) => None,
    }
}

fn fault_of_addresses(message: &Message, once: &Once<'_>) -> Option<Verdict> {
    let sound = |value: Option<&str>| value.is_some_and(|value| NameAddr::parse(value).is_ok());
    if !sound(once.from) {
        return Some(Verdict::malformed("Malformed From"));
    }
    if !sound(once.to) {
        return Some(Verdict::malformed("Malformed To"));
    }
    let star_allowed = message.is(&Method::REGISTER);
    let contacts_sound = message
        .headers("Contact")
        .all(|contact| (contact == "*" && star_allowed) || NameAddr::parse(contact).is_ok());
    (!contacts_sound).then(|| Verdict::malformed("Malformed Contact"))
}

fn fault_of_numbers(once: &Once<'_>) -> Option<Verdict> {
    let call_id = once.call_id.unwrap_or("");
    if call_id.is_empty() || call_id.bytes().any(|b| b <= b' ') {
        return Some(Verdict::malformed("Malformed Call-ID"));
    }
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u8>().is_ok();
    let sound = once.max_forwards.is_none_or(digits);
    (!sound).then(|| Verdict::malformed("Malformed Max-Forwards"))
}

/// More than one Via means that the response is for somebody else (RFC 3261 section 8.1.3.3).
fn form_of_response(message: &Message) -> Verdict {
    let once = Once::of(message);
    let ours = message.headers("Via").count() == 1 && message.top_via().is_ok();
    if ours && !once.twice && once.is_complete() && message.cseq().is_ok() {
        Verdict::Pass
    } else {
        Verdict::Drop
    }
}
