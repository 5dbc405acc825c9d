//! Lines for a call's story. Phone numbers are shortened and credentials left out here, before anything leaves.

use mangrove_proto::{
    redact,
    story::{Entry, Kind},
};
use mangrove_sip::sdp::keyless;

use crate::{
    call::{
        Call,
        party::{Party, Role},
    },
    effect::StoryLine,
    stamp::Moment,
};

/// What a story says of a digit: not which one, for together they may be a PIN.
pub(crate) const DIGIT: &str = "digit";
/// Longest message text that a story keeps.
const MAX_DETAIL: usize = 4096;
/// Headers whose numbers are people's.
const NUMBERED: [&str; 12] = [
    "from",
    "to",
    "contact",
    "p-asserted-identity",
    "p-preferred-identity",
    "remote-party-id",
    "diversion",
    "refer-to",
    "referred-by",
    "f",
    "t",
    "m",
];

pub(crate) fn decision(call: &Call, at: Moment, title: String, detail: String) -> StoryLine {
    line(call, at, Kind::Decision, String::new(), title, detail)
}

pub(crate) fn heard(call: &Call, at: Moment, party: &str, title: String) -> StoryLine {
    line(call, at, Kind::Media, party.to_owned(), title, String::new())
}

/// A SIP message as it was received or sent.
pub(crate) fn message(call: &Call, at: Moment, party: &Party, kind: Kind, bytes: &[u8]) -> StoryLine {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_DETAIL)]);
    let first = text.lines().next().unwrap_or_default();
    let title = match first.strip_prefix("SIP/2.0 ") {
        Some(status) => status.to_owned(),
        None => first.split(' ').next().unwrap_or_default().to_owned(),
    };
    line(call, at, kind, name(party), title, redacted(&text))
}

/// The party's name in stories: an employee's extension or the word for its part.
fn name(party: &Party) -> String {
    match (party.role, &party.employee) {
        (Role::Caller, None) => "caller".into(),
        _ => redact::number(&party.name),
    }
}

fn line(call: &Call, at: Moment, kind: Kind, party: String, title: String, detail: String) -> StoryLine {
    let after_ms = call.started.until(at);
    let entry = Entry { at: at.wall, after_ms, kind, party, title, detail };
    StoryLine { tenant: call.tenant.clone(), call: call.id, entry }
}

/// The message without credentials and keys, and with shortened numbers. Header names are read as they are written in full or
/// as `f`, `t`, `m` (RFC 3261 7.3.3): ours and those that the reader expanded.
fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    for (index, line) in head.lines().enumerate() {
        let name = line.split_once(':').map_or("", |(name, _)| name.trim_end());
        if ends_with(name, "authorization") {
            out.push_str(name);
            out.push_str(": …");
        } else if index == 0 || NUMBERED.iter().any(|numbered| name.eq_ignore_ascii_case(numbered)) {
            shorten(line, &mut out);
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out.push('\n');
    match text.starts_with("INFO ") && !body.is_empty() {
        // Digits come in it, whatever its type.
        true => out.push('…'),
        false => out.push_str(&keyless(body)),
    }
    out
}

fn ends_with(name: &str, end: &str) -> bool {
    let start = name.len().checked_sub(end.len());
    start.and_then(|start| name.get(start..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// Shortens every run of digits that is no part of a word (a tag, a branch, a host's name).
fn shorten(line: &str, out: &mut String) {
    let bytes = line.as_bytes();
    let (mut written, mut at) = (0, 0);
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = bytes[at..]
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .map_or(bytes.len(), |length| at + length);
        let in_word = at > 0 && bytes[at - 1].is_ascii_alphanumeric();
        if !in_word && !bytes.get(end).is_some_and(u8::is_ascii_alphabetic) {
            out.push_str(&line[written..at]);
            redact::push_number(out, &line[at..end]);
            written = end;
        }
        at = end;
    }
    out.push_str(&line[written..]);
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn numbers_are_shortened_and_credentials_left_out() {
        let text = "INVITE sip:74951234567@acme.example SIP/2.0\r\nFrom: \"79161112233\" <sip:+79161112233@10.0.0.1:5080>;tag=a1234567\r\n\
            Authorization: Digest username=\"101\", response=\"6629fae49393a05397450978507c4ef1\"\r\nCall-ID: 12345678@host\r\n";
        let safe = redacted(text);
        assert!(safe.contains("sip:749…67@acme.example"), "{safe}");
        assert!(safe.contains("+791…33@10.0.0.1:5080>;tag=a1234567"), "{safe}");
        assert!(!safe.contains("6629fae") && !safe.contains("79161112233"), "{safe}");
        assert!(safe.contains("Call-ID: 12345678@host"), "{safe}");
    }

    #[test]
    fn keys_of_the_sound_are_left_out() {
        let text = "SIP/2.0 200 OK\r\nCall-ID: a@host\r\n\r\nv=0\r\nm=audio 4000 RTP/SAVP 8\r\n\
            a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20\r\nA=ICE-PWD:asd88fgpdd777uzjYhagZg\r\n\
            k=clear:geheim\r\na=ice-ufrag:8hhY\r\na=sendrecv";
        let safe = redacted(text);
        assert!(["inline", "asd88", "geheim"].iter().all(|secret| !safe.contains(secret)), "{safe}");
        assert!(
            safe.contains("a=crypto:…\r\na=ice-pwd:…\r\nk=…\r\na=ice-ufrag:8hhY\r\na=sendrecv"),
            "{safe}"
        );
    }
}
