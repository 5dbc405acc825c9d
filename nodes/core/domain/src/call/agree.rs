//! Which codecs a call's dialogs take and offer. What a dialog takes is decided when it begins, and kept by it for its whole
//! life; the order says what is sent, for that is the first of an answer (RFC 3264 section 6.1).
//!
//! * Whoever is answered at once, to wait or to hear a prompt, is sent G.711 if they offered it: it is played and recorded as
//!   it is, and every agent's phone speaks it. The other common codecs follow, so that they may be sent to us.
//! * Whoever is called is offered first what the guest is sent, then what needs no transcoding either, then the rest, better
//!   sound first. Over a trunk nothing is offered but G.711 and what the guest speaks: carriers bill and break what they do
//!   not know, and nobody would gain by it.
//! * A caller whom we answer because somebody else has answered is sent that one's codec, if they offered it.
//! * Comfort noise is agreed on with nobody: who may fall silent sounds as if they were gone, and after half a minute
//!   they are taken for it.
//!
//! What the two of a call do not share after that is transcoded by their media node.

use std::sync::Arc;

use mangrove_proto::id::LegId;
use mangrove_sip::sdp::{Codec, all, g711};

use super::{Call, party::Party, stage::Stage};
use crate::{rules::speaks_beyond_g711, scene::Scene};

/// Both laws, which are passed on for one another.
const LAWS: [&str; 2] = ["PCMA", "PCMU"];
/// Comfort noise (RFC 3389).
const NOISE: &str = "CN";
/// The better first: by how wide the sound is, then by what it costs to touch it.
const QUALITY: [&str; 5] = ["opus", "G722", "PCMA", "PCMU", "G729"];

/// What the rules in force take, from whoever calls and whoever is called. The one place where more is switched on:
/// replicas must do it at the same entry of the log, or the same INVITE would make different states of them.
pub(crate) fn taken(scene: &Scene<'_>) -> Vec<Codec> {
    if speaks_beyond_g711(scene.state.rules()) { sounds() } else { g711().to_vec() }
}

/// What is offered to somebody who is called.
pub(crate) fn offered(call: &Call, leg: LegId, scene: &Scene<'_>) -> Vec<Codec> {
    let guest = call.party(call.guest).and_then(|guest| guest.line.audio());
    if !speaks_beyond_g711(scene.state.rules()) {
        let spoken = guest.and_then(|audio| audio.codecs.first());
        let mut codecs = g711().to_vec();
        codecs.sort_by_key(|codec| spoken.is_some_and(|spoken| spoken.name != codec.name));
        return codecs;
    }
    let is_outside = call.party(leg).is_some_and(|party| party.employee.is_none());
    match guest {
        Some(audio) => in_order(&audio.codecs, is_outside),
        None => in_order(&g711(), is_outside),
    }
}

/// What comes first in the answer to somebody who calls; nothing where the rules have no say in it.
pub(crate) fn preferred(call: &Call, leg: LegId, scene: &Scene<'_>) -> Vec<String> {
    if !speaks_beyond_g711(scene.state.rules()) {
        return Vec::new();
    }
    let offered = call.party(leg).and_then(|party| party.line.audio());
    let offered = offered.map(|audio| audio.codecs.as_slice()).unwrap_or_default();
    let is_common = |other: &&Codec| offered.iter().any(|codec| codec.name == other.name);
    let other = said_by_other(call, leg).filter(is_common);
    match other {
        Some(codec) if !is_law(codec) => vec![codec.name.clone()],
        _ => LAWS.map(str::to_owned).into(),
    }
}

/// What we send to the one who has answered, or is heard while ringing.
fn said_by_other(call: &Call, leg: LegId) -> Option<&Codec> {
    let early = match &call.stage {
        Stage::Ringing { early } => *early,
        _ => None,
    };
    let replaced = call.party(leg).and_then(|party| party.replaces);
    let is_other = move |party: &&Arc<Party>| {
        let is_beside = party.id == leg || Some(party.id) == replaced || party.monitor.is_some();
        !is_beside && party.is_alive()
    };
    let others = || call.parties.values().filter(is_other);
    let answered = others().find(|party| party.answered.is_some());
    let other = answered.or_else(|| others().find(|party| Some(party.id) == early))?;
    other.line.audio()?.codecs.first()
}

/// All that is known but comfort noise.
fn sounds() -> Vec<Codec> {
    all().into_iter().filter(|codec| codec.name != NOISE).collect()
}

/// All that may be offered beside a guest who speaks these, the first of which they are sent.
fn in_order(spoken: &[Codec], is_outside: bool) -> Vec<Codec> {
    let first = spoken.first();
    let is_spoken = |codec: &Codec| spoken.iter().any(|one| one.name == codec.name);
    let mut codecs = sounds();
    codecs.retain(|codec| !is_outside || is_law(codec) || is_spoken(codec));
    codecs.sort_by_key(|codec| {
        let is_first = first.is_some_and(|first| first.name == codec.name);
        let is_twin = is_law(codec) && first.is_some_and(is_law);
        let quality = QUALITY.iter().position(|name| *name == codec.name);
        (!is_first, !is_twin, !is_spoken(codec), quality.unwrap_or(QUALITY.len()))
    });
    codecs
}

pub(super) fn is_law(codec: &Codec) -> bool {
    LAWS.contains(&codec.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codecs(names: &str) -> Vec<Codec> {
        let known = all();
        let named = names.split(' ').filter_map(|name| known.iter().find(|codec| codec.name == name));
        named.cloned().collect()
    }

    #[test]
    fn who_is_called_is_offered_what_the_guest_is_sent_then_what_costs_nothing_then_the_better() {
        for (spoken, employee, outside) in [
            ("PCMA", "PCMA PCMU opus G722 G729", "PCMA PCMU"),
            ("PCMU", "PCMU PCMA opus G722 G729", "PCMU PCMA"),
            ("PCMA opus", "PCMA PCMU opus G722 G729", "PCMA PCMU opus"),
            ("PCMA G729 G722", "PCMA PCMU G722 G729 opus", "PCMA PCMU G722 G729"),
            ("opus", "opus G722 PCMA PCMU G729", "opus PCMA PCMU"),
            ("opus G722 PCMU", "opus G722 PCMU PCMA G729", "opus G722 PCMU PCMA"),
            ("G729", "G729 opus G722 PCMA PCMU", "G729 PCMA PCMU"),
        ] {
            for (is_outside, expected) in [(false, employee), (true, outside)] {
                let offered = in_order(&codecs(spoken), is_outside);
                let names: Vec<&str> = offered.iter().map(|codec| codec.name.as_str()).collect();
                assert_eq!(names.join(" "), expected, "{spoken}, outside: {is_outside}");
            }
        }
    }
}
