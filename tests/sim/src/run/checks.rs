//! What must hold once all is well again and everybody has had time.

use mangrove_proto::live::{Cdr, EndedBy, Live};

use super::Simulation;
use crate::chronicle::Chronicle;
use crate::node::Surroundings;
use crate::outside::Outside;
use crate::outside::number;
use crate::{NODES, NodeIndex, time};

/// Time that takeovers after the death of all nodes may add, all of them together.
const MISCOUNTED: u64 = 600_000;

/// Whether everything has come to its end, by what the nodes say that should be there.
pub(super) fn is_done(simulation: &Simulation, absent: Option<NodeIndex>) -> bool {
    unfinished(&simulation.outside, &simulation.around, absent).is_empty()
}

/// Notes what has not.
pub(super) fn must_be_done(simulation: &Simulation, absent: Option<NodeIndex>) {
    let Simulation { outside, around, chronicle, .. } = simulation;
    let while_away = absent.map(|node| format!(" while n{node} alone was away")).unwrap_or_default();
    for stuck in unfinished(outside, around, absent) {
        chronicle.broken(format!("liveness: {stuck} a minute after all faults{while_away}"));
    }
}

/// Checks everything, in the order of the invariants' names.
pub(super) fn at_the_end(outside: &Outside, chronicle: &Chronicle) {
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
    // Wall clocks jump by hours and years; what a call took is measured on another. A group that nobody followed knows
    // no other than the wall clock and counts a minute at most (`control/clock.rs`).
    for cdr in
        outside.database.rows().iter().filter(|cdr| cdr.talk_ms + cdr.wait_ms > time::now() + MISCOUNTED)
    {
        let (talk, wait) = (cdr.talk_ms, cdr.wait_ms);
        chronicle
            .broken(format!("the call of {} took {talk} ms of talk and {wait} ms of waiting", cdr.caller));
    }
    for broken in outside.supervisor.seen.values().flat_map(|live| outside.staff.betrayed(&live.agents)) {
        chronicle.broken(broken);
    }
}

/// What goes on still.
fn unfinished(outside: &Outside, around: &Surroundings, absent: Option<NodeIndex>) -> Vec<String> {
    let nodes: Vec<NodeIndex> = (0..NODES).filter(|node| Some(*node) != absent).collect();
    let mut stuck = Vec::new();
    let mut note = |wrong: bool, what: String| {
        if wrong {
            stuck.push(what);
        }
    };
    let lives: Vec<&Live> = nodes.iter().filter_map(|node| outside.supervisor.seen.get(node)).collect();
    note(!nodes.iter().all(|node| outside.up[*node]), format!("nodes are up: {:?}", outside.up));
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
    note(!around.agreement.is_level(&nodes), "replicas are not level".into());
    let callers = outside.phones.ends.iter().enumerate().filter(|(_, end)| end.calls);
    let missing: Vec<String> = callers
        .filter(|(_, end)| end.heard_of)
        .map(|(serial, _)| number(serial))
        .filter(|caller| outside.database.of(caller).next().is_none())
        .collect();
    note(!missing.is_empty(), format!("no records of {missing:?}"));
    stuck
}
