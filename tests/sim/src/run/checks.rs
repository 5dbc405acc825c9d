//! What must hold once all is well again and everybody has had time.

use mangrove_proto::live::{Cdr, EndedBy, Live};

use super::Simulation;
use crate::NODES;
use crate::chronicle::Chronicle;
use crate::node::Surroundings;
use crate::outside::Outside;
use crate::outside::number;
use crate::time;

/// Whether everything has come to its end.
pub(super) fn is_done(simulation: &mut Simulation) -> bool {
    unfinished(&simulation.outside, &simulation.around).is_empty()
}

/// Checks everything, in the order of the invariants' names.
pub(super) fn at_the_end(outside: &Outside, around: &Surroundings, chronicle: &Chronicle) {
    if chronicle.first_broken().is_some() {
        return;
    }
    for (serial, end) in outside.phones.ends.iter().enumerate() {
        if end.calls {
            let caller = number(serial);
            let records = outside.database.of(&caller).count();
            // Of a call that nobody answered, the edge may have lost all that it was sent.
            let least = usize::from(end.heard_of);
            if !(least..=1).contains(&records) {
                chronicle.broken(format!("I3: the call of {caller} has {records} records"));
            }
        }
    }
    // The promise itself: who talks goes on talking, whatever dies.
    let dropped = |cdr: &&Cdr| cdr.answered.is_some() && cdr.ended_by == EndedBy::System;
    for cdr in outside.database.rows().iter().filter(dropped) {
        chronicle.broken(format!("an established call of {} was dropped: {}", cdr.caller, cdr.cause));
    }
    // Wall clocks jump by hours and years; what a call took is measured on another.
    for cdr in outside.database.rows().iter().filter(|cdr| cdr.talk_ms + cdr.wait_ms > time::now()) {
        let (talk, wait) = (cdr.talk_ms, cdr.wait_ms);
        chronicle.broken(format!("the call of {} took {talk} ms of talk and {wait} ms of waiting", cdr.caller));
    }
    for broken in outside.supervisor.seen.values().flat_map(|live| outside.staff.betrayed(&live.agents)) {
        chronicle.broken(broken);
    }
    for stuck in unfinished(outside, around) {
        chronicle.broken(format!("liveness: {stuck} a minute after all faults"));
    }
}

/// What goes on still.
fn unfinished(outside: &Outside, around: &Surroundings) -> Vec<String> {
    let mut stuck = Vec::new();
    let mut note = |wrong: bool, what: String| {
        if wrong {
            stuck.push(what);
        }
    };
    let lives: Vec<&Live> = outside.supervisor.seen.values().collect();
    note(outside.up != [true; NODES], format!("nodes are up: {:?}", outside.up));
    note(!outside.phones.are_quiet(), "somebody calls, rings or talks".into());
    note(!outside.staff.are_content(), "an agent's wish is not granted".into());
    note(!outside.edges.iter().all(|edge| edge.events.is_empty()), "an edge has untold events".into());
    note(
        !outside.medias.iter().all(|media| media.events.is_empty()),
        "a media node has untold events".into(),
    );
    let sessions: Vec<String> = outside.medias.iter().flat_map(|media| media.open()).collect();
    note(!sessions.is_empty(), format!("media sessions are open: {sessions:?}"));
    let calls: Vec<String> =
        lives.iter().flat_map(|live| &live.calls).map(|call| call.id.to_string()).collect();
    note(!calls.is_empty(), format!("calls live: {calls:?}"));
    let busy = |live: &&Live| live.agents.iter().any(|agent| agent.call.is_some());
    note(lives.iter().any(busy), "an agent is taken".into());
    note(!around.agreement.is_level(NODES), "replicas are not level".into());
    let callers = outside.phones.ends.iter().enumerate().filter(|(_, end)| end.calls);
    let missing: Vec<String> = callers
        .filter(|(_, end)| end.heard_of)
        .map(|(serial, _)| number(serial))
        .filter(|caller| outside.database.of(caller).next().is_none())
        .collect();
    note(!missing.is_empty(), format!("no records of {missing:?}"));
    stuck
}
