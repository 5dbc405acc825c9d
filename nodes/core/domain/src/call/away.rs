//! Who came by a WebSocket is reached by that connection alone. When it is gone and the same phone has no other, its party is
//! *away*: whoever talks with it hears music, as on hold, until it comes back or time is up. It comes back with any request
//! of its dialog over another connection, by registering there under the dialog's Contact, or with an INVITE that takes the
//! dialog's place ([`super::replace`]). Nobody is rung for a caller in line meanwhile; and if the call ends, the page is told
//! so when it registers again.

use std::sync::Arc;

use mangrove_proto::id::{CallId, EmployeeId, LegId};
use mangrove_sip::{Destination, Message, Source, Uri};
use serde::{Deserialize, Serialize};

use super::{Call, enqueue, fact, hold, party::Party, replace};
use crate::{agent::Agent, cause::Cause, line, rules::keeps_calls, scene::Scene};

/// How long a party is waited for. A page that is loaded anew, or finds another network, takes seconds.
pub(crate) const PATIENCE_MS: u64 = 30_000;

/// A party that can't be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Away {
    /// The connection that was the way to it.
    flow: String,
    /// Until when it is waited for.
    pub(crate) until: u64,
}

/// A connection is gone, and the bindings that came by it.
pub(crate) fn flow_closed(flow: &str, scene: &mut Scene<'_>) {
    if !keeps_calls(scene.state.rules()) {
        return;
    }
    let is_its = |party: &Arc<Party>| party.is_alive() && party.line.hangs_on(flow);
    let hit = scene.tenant.calls().filter(|call| call.parties.values().any(is_its));
    for call in hit.map(|call| call.id).collect::<Vec<CallId>>() {
        scene.with_call(call, |call, scene| {
            replace::flow_closed(call, flow, scene);
            for leg in hanging(call, flow).collect::<Vec<LegId>>() {
                lose(call, leg, flow, scene);
            }
            enqueue::spare_agents(call, scene);
            hold::note(call, scene);
        });
    }
}

/// Whose only way it was. A phone that rings for us has failed, and who is not answered yet can't be brought back.
fn hanging(call: &Call, flow: &str) -> impl Iterator<Item = LegId> {
    let hangs = move |party: &&Arc<Party>| {
        let is_up = party.is_alive() && party.answered.is_some() && party.away.is_none();
        is_up && party.line.hangs_on(flow)
    };
    call.parties.values().filter(hangs).map(|party| party.id)
}

fn lose(call: &mut Call, leg: LegId, flow: &str, scene: &mut Scene<'_>) {
    if let Some((way, edge)) = other_way(call, leg, scene) {
        line::reached(call, leg, way, &edge);
        return remind(call, leg, scene);
    }
    let until = scene.now().saturating_add(PATIENCE_MS);
    scene.tell(call, format!("{} is away", name(call, leg)), "the connection is gone");
    if let Some(party) = call.party_mut(leg) {
        party.away = Some(Away { flow: flow.to_owned(), until });
    }
}

/// The phone has registered by another connection already.
fn other_way(call: &Call, leg: LegId, scene: &Scene<'_>) -> Option<(Destination, String)> {
    let party = call.party(leg)?;
    let agent = scene.tenant.agent(party.employee.as_ref()?)?;
    let bindings = agent.phones.values().flat_map(|phone| phone.live(scene.now()));
    let mut ways = bindings.map(|(binding, edge)| (&binding.contact, binding.destination(), edge));
    let (_, way, edge) = ways.find(|(contact, way, _)| party.line.is_elsewhere(contact, way))?;
    Some((way, edge.to_owned()))
}

/// A phone has registered: those of its dialogs that know another connection of it are reached by this one.
pub(crate) fn registered(
    employee: &EmployeeId,
    request: &Message,
    source: &Source,
    edge: &str,
    scene: &mut Scene<'_>,
) {
    if !keeps_calls(scene.state.rules()) || !source.transport.is_reliable() {
        return;
    }
    let Some(agent) = scene.tenant.agent(employee) else { return };
    let calls: Vec<CallId> = agent.calls().collect();
    let contacts = held(agent, request, source, scene.now());
    let way = source.destination();
    tell_of_ends(employee, &contacts, source, edge, scene);
    for id in calls {
        let legs =
            scene.tenant.call(id).map(|call| moved(call, employee, &contacts, &way)).unwrap_or_default();
        if legs.is_empty() {
            continue;
        }
        scene.with_call(id, |call, scene| {
            for leg in legs {
                line::reached_from(call, leg, source, edge);
                if is_back(call, leg) {
                    welcome(call, leg, scene);
                }
                remind(call, leg, scene);
            }
        });
    }
}

/// Calls that ended while their page could not be told: it would stay in them.
fn tell_of_ends(employee: &EmployeeId, contacts: &[Uri], source: &Source, edge: &str, scene: &mut Scene<'_>) {
    if !source.transport.is_websocket() || contacts.is_empty() {
        return;
    }
    let way = source.destination();
    let over = scene.tenant.calls().filter(|call| call.is_over());
    let found = over.map(|call| (call.id, unheard(call, employee, contacts, &way)));
    for (id, legs) in found.filter(|(_, legs)| !legs.is_empty()).collect::<Vec<_>>() {
        scene.with_call(id, |call, scene| {
            for (leg, cause) in legs {
                line::reached_from(call, leg, source, edge);
                line::hang_up_again(call, leg, cause, scene);
            }
        });
    }
}

/// Whose dialog is elsewhere and has ended without their knowing, and why.
fn unheard(call: &Call, employee: &EmployeeId, contacts: &[Uri], way: &Destination) -> Vec<(LegId, Cause)> {
    let theirs = call.parties.values().filter(|party| {
        let is_elsewhere = |contact: &Uri| party.line.is_elsewhere(contact, way);
        let is_theirs = party.employee.as_ref() == Some(employee);
        is_theirs && party.line.is_unheard() && contacts.iter().any(is_elsewhere)
    });
    theirs.filter_map(|party| Some((party.id, party.ended?.1))).collect()
}

/// The Contacts of a REGISTER that are bound to its connection now: who takes one back is not there.
fn held(agent: &Agent, request: &Message, source: &Source, now: u64) -> Vec<Uri> {
    let is_held = |contact: &Uri| {
        let mut bindings = agent.phones.values().flat_map(|phone| phone.live(now));
        bindings.any(|(binding, _)| binding.source.flow == source.flow && binding.contact.equivalent(contact))
    };
    let named = request.contacts().filter_map(Result::ok).map(|contact| contact.uri);
    named.filter(is_held).collect()
}

/// Whose dialog stands and is reached elsewhere. What was not answered yet goes on over the connection that it began on.
fn moved(call: &Call, employee: &EmployeeId, contacts: &[Uri], way: &Destination) -> Vec<LegId> {
    let theirs = call.parties.values().filter(|party| {
        let is_elsewhere = |contact: &Uri| party.line.is_elsewhere(contact, way);
        let stands = party.is_alive() && party.answered.is_some();
        stands && party.employee.as_ref() == Some(employee) && contacts.iter().any(is_elsewhere)
    });
    theirs.map(|party| party.id).collect()
}

/// Whether a party that was away has come back by another connection.
pub(crate) fn look(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    if is_back(call, leg) {
        welcome(call, leg, scene);
        remind(call, leg, scene);
    }
}

fn is_back(call: &Call, leg: LegId) -> bool {
    let party = call.party(leg);
    party.is_some_and(|party| party.away.as_ref().is_some_and(|away| !party.line.hangs_on(&away.flow)))
}

fn welcome(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    if let Some(party) = call.party_mut(leg) {
        party.away = None;
        party.line.follow_way();
    }
    scene.tell(call, format!("{} is back", name(call, leg)), "");
    enqueue::look_again(call, scene);
    hold::note(call, scene);
}

/// Whoever is reached by another connection may have missed where our media is now: what went out over the former one was
/// lost with it. Whose turn is still to come is told then.
fn remind(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    let has_no_turn = |party: &Party| party.is_alive() && party.answered.is_some() && party.told_at.is_none();
    if call.party(leg).is_some_and(has_no_turn) && !call.media.is_untold(leg) {
        line::remind(call, leg, scene);
    }
}

/// Those who have been waited for long enough are gone.
pub(crate) fn expire(call: &mut Call, scene: &mut Scene<'_>) {
    let now = scene.now();
    let is_due =
        |party: &&Arc<Party>| party.is_alive() && party.away.as_ref().is_some_and(|away| away.until <= now);
    for leg in call.parties.values().filter(is_due).map(|party| party.id).collect::<Vec<LegId>>() {
        line::hang_up(call, leg, Cause::FarEndGone, scene);
        fact::left(call, leg, Cause::FarEndGone, scene);
    }
}

fn name(call: &Call, leg: LegId) -> String {
    let party = call.party(leg);
    let employee = party.and_then(|party| party.employee.as_ref()).map(EmployeeId::to_string);
    employee.or_else(|| party.map(|party| party.role.name().to_owned())).unwrap_or_default()
}
