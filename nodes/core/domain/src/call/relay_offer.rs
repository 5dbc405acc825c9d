//! T.38 in the place of sound (T.38 annex D, RFC 3362). What one of two who talk offers only the other can answer: the offer
//! waits while the other is asked the same, and is answered with what the other says, or refused, so that a fax goes on in
//! G.711. Their media node passes the datagrams on from then on.
//!
//! ```text
//! one ── INVITE T.38 ─▶ offered ── INVITE T.38 ─▶ the other
//!     ◀─ 200 T.38 ──── answered ◀─ 200 T.38 ───┘
//!     ◀─ 488 ───────── refused  ◀─ 3xx to 6xx, nothing in time, no talk any more
//! ```
//!
//! Audio comes back leg by leg: that offer is answered at once, and whoever then faxes with nobody is offered audio, once.

use std::sync::Arc;

use mangrove_proto::id::LegId;
use serde::{Deserialize, Serialize};

use super::{Call, hold, party::Party};
use crate::{line, scene::Scene};

/// How long the other has for its answer. A glare is over by then (RFC 3261 section 14.1), and faxes have 35 s until they
/// give up (T.30, T1).
const PATIENCE_MS: u64 = 10_000;

/// An offer that waits for the other's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Relayed {
    /// Whose it is.
    from: LegId,
    /// Who is asked.
    to: LegId,
    /// Until when it waits.
    pub(crate) until: u64,
}

/// A far end offers T.38.
pub(crate) fn offered(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    let offered = call.party(leg).and_then(|party| party.line.offered_fax());
    let Some(terms) = offered.map(|fax| fax.terms.clone()) else { return };
    if call.relayed.as_ref().is_some_and(|relayed| relayed.to == leg) {
        return cross(call, leg, &terms, scene);
    }
    match other(call, leg) {
        Some(other) if is_agreed(call, leg, other, &terms) => again(call, leg, scene),
        Some(other) if may_ask(call, leg, other) => ask(call, leg, other, terms, scene),
        _ => line::refuse_offer(call, leg, scene),
    }
}

/// Who talks with a party.
pub(super) fn other(call: &Call, leg: LegId) -> Option<LegId> {
    let (guest, peer) = call.talkers()?;
    match leg {
        _ if leg == guest => Some(peer),
        _ if leg == peer => Some(guest),
        _ => None,
    }
}

/// Whether the two fax already, on these very terms: the far end holds, comes back, or has another address.
fn is_agreed(call: &Call, leg: LegId, other: LegId, terms: &[String]) -> bool {
    let own = call.party(leg).and_then(|party| party.line.fax());
    own.is_some_and(|fax| fax.terms == terms) && faxes(call, other)
}

fn faxes(call: &Call, leg: LegId) -> bool {
    call.party(leg).is_some_and(|party| party.line.fax().is_some())
}

fn again(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    let said = call.party(leg).and_then(|party| party.line.said_of_fax()).map(<[String]>::to_vec);
    line::accept_fax(call, leg, &said.unwrap_or_default(), scene);
    hold::note(call, scene);
}

/// Whether both are there, and the other's sound may give way to T.38.
fn may_ask(call: &Call, leg: LegId, other: LegId) -> bool {
    let takes = |party: &Party| party.address.is_some() && party.line.takes_fax();
    let are_there = is_there(call, leg) && is_there(call, other);
    call.relayed.is_none() && are_there && call.party(other).is_some_and(takes)
}

fn is_there(call: &Call, leg: LegId) -> bool {
    call.party(leg).is_some_and(|party| party.is_alive() && !party.is_absent())
}

fn ask(call: &mut Call, from: LegId, to: LegId, terms: Vec<String>, scene: &mut Scene<'_>) {
    line::offer_fax(call, to, terms, scene);
    call.relayed = Some(Relayed { from, to, until: scene.now().saturating_add(PATIENCE_MS) });
    scene.tell(call, "T.38 is offered", "the other is asked");
}

/// Both have offered it, and one of the two had to wait: each is answered with what the other offers.
fn cross(call: &mut Call, leg: LegId, terms: &[String], scene: &mut Scene<'_>) {
    let Some(Relayed { from, .. }) = call.relayed.take() else { return };
    let waiting = call.party(from).and_then(|party| party.line.offered_fax());
    let theirs = waiting.map(|fax| fax.terms.clone()).unwrap_or_default();
    line::accept_fax(call, leg, &theirs, scene);
    line::accept_fax(call, from, terms, scene);
    begun(call, scene);
}

/// A far end has answered our offer of T.38 with its own.
pub(crate) fn accepted(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    if let Some(relayed) = call.relayed.take_if(|relayed| relayed.to == leg) {
        let terms = call.party(leg).and_then(|party| party.line.fax()).map(|fax| fax.terms.clone());
        line::accept_fax(call, relayed.from, &terms.unwrap_or_default(), scene);
        // Who has taken the offer back meanwhile is not waited for.
        if faxes(call, relayed.from) {
            begun(call, scene);
        }
    }
    hold::note(call, scene);
}

fn begun(call: &mut Call, scene: &mut Scene<'_>) {
    call.expects_sound_since = scene.now();
    scene.tell(call, "they fax by T.38", "");
}

/// A far end wants no T.38, or did not answer.
pub(crate) fn refused(call: &mut Call, leg: LegId, status: u16, scene: &mut Scene<'_>) {
    if let Some(relayed) = call.relayed.take_if(|relayed| relayed.to == leg) {
        give_up(call, &relayed, format!("the other answers {status}"), scene);
    }
}

/// The other had time enough.
pub(crate) fn expire(call: &mut Call, scene: &mut Scene<'_>) {
    let now = scene.now();
    if let Some(relayed) = call.relayed.take_if(|relayed| relayed.until <= now) {
        give_up(call, &relayed, "the other does not answer".to_owned(), scene);
    }
}

fn give_up(call: &mut Call, relayed: &Relayed, why: String, scene: &mut Scene<'_>) {
    line::withhold_fax(call, relayed.to);
    line::refuse_offer(call, relayed.from, scene);
    scene.tell(call, "no T.38", why);
}

/// A party is about to leave the call for another one, where nobody knows of an offer that waits here: it is refused first.
pub(super) fn part(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    if let Some(relayed) = call.relayed.take_if(|relayed| [relayed.from, relayed.to].contains(&leg)) {
        give_up(call, &relayed, "they talk no more".to_owned(), scene);
    }
}

/// Sees to it, after whatever happened, that no offer waits for somebody who has left the talk, and that nobody faxes alone.
/// True: something was said to a far end.
pub(crate) fn settle(call: &mut Call, scene: &mut Scene<'_>) -> bool {
    if call.is_over() {
        call.relayed = None;
        return false;
    }
    let parted = call.relayed.clone().filter(|relayed| !stands(call, relayed));
    if let Some(relayed) = &parted {
        call.relayed = None;
        give_up(call, relayed, "they talk no more".to_owned(), scene);
    }
    let recalled = recall(call, scene);
    parted.is_some() || recalled
}

/// Whether the two of an offer that waits still talk.
fn stands(call: &Call, relayed: &Relayed) -> bool {
    let is_there = [relayed.from, relayed.to].iter().all(|leg| is_there(call, *leg));
    is_there && other(call, relayed.from) == Some(relayed.to)
}

/// Offers audio to those who fax while nobody faxes with them. One who will not have it is not asked again.
fn recall(call: &mut Call, scene: &mut Scene<'_>) -> bool {
    let seen = &*call;
    let back = legs(seen, |party| party.recalled && !is_alone(seen, party));
    let is_due = |party: &Party| !party.recalled && party.address.is_some() && is_alone(seen, party);
    let alone = legs(seen, is_due);
    for leg in back {
        set_recalled(call, leg, false);
    }
    for leg in &alone {
        set_recalled(call, *leg, true);
        call.expects_sound_since = scene.now();
        line::offer_audio(call, *leg, scene);
    }
    !alone.is_empty()
}

fn is_alone(call: &Call, party: &Party) -> bool {
    let has_other = || other(call, party.id).is_some_and(|other| faxes(call, other));
    party.is_alive() && party.line.fax().is_some() && !has_other()
}

fn set_recalled(call: &mut Call, leg: LegId, recalled: bool) {
    if let Some(party) = call.party_mut(leg) {
        party.recalled = recalled;
    }
}

fn legs(call: &Call, which: impl Fn(&Party) -> bool) -> Vec<LegId> {
    call.parties.values().map(Arc::as_ref).filter(|party| which(party)).map(|party| party.id).collect()
}
