//! Lines for a call's story. Phone numbers are shortened and credentials left out here, before anything leaves.

use mangrove_proto::{
    redact,
    story::{Entry, Kind},
};

use crate::{
    call::{
        Call,
        party::{Party, Role},
    },
    effect::StoryLine,
    stamp::Moment,
};

/// Longest message text that a story keeps.
const MAX_DETAIL: usize = 4096;
/// Headers whose numbers are people's.
const NUMBERED: [&str; 10] = [
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

/// The message without credentials and with shortened numbers.
fn redacted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (index, line) in text.lines().enumerate() {
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        if name.ends_with("authorization") {
            out.push_str(line.split(':').next().unwrap_or_default());
            out.push_str(": …");
        } else if index == 0 || NUMBERED.contains(&name.as_str()) {
            shorten(line, &mut out);
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// Shortens every run of more than five digits that stands in front of an `@` or inside a `tel:` address.
fn shorten(line: &str, out: &mut String) {
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let length = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(length);
        let word = before.chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric() && c != 'l');
        out.push_str(before);
        out.push_str(&if word || after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            digits.to_owned()
        } else {
            redact::number(digits)
        });
        rest = after;
    }
    out.push_str(rest);
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
}
