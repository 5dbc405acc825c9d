//! An edge reported something: a SIP message, a request that failed, a connection that closed.

use mangrove_proto::{
    edge::{self, Ingress, Received, edge_event::Fact},
    id::{CallId, LegId, TenantId},
};
use mangrove_sip::{Message, Method, Source, Transport};

use super::Sender;
use crate::{
    call::{Call, arrive, away, incoming::Incoming, replace},
    effect::{Effects, ObjectRef, Reply},
    ingress, lamp, line,
    rules::keeps_calls,
    scene::{self, Scene},
    stamp::Stamp,
    state::State,
};

pub(super) fn apply(
    state: &mut State,
    sender: &Sender,
    event: &edge::EdgeEvent,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    if let Err(reply) = state.take_event("edge", sender, event.sequence) {
        return reply;
    }
    hear(state, sender, event, stamp, effects)
}

/// What an event that was taken does.
pub(super) fn hear(
    state: &mut State,
    sender: &Sender,
    event: &edge::EdgeEvent,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    let tenant = TenantId::from(event.tenant.as_str());
    let Some(fact) = &event.fact else { return Reply::Refused { why: "the event carries nothing".into() } };
    let edge = sender.node.as_str();
    let done = scene::play(state, &tenant, stamp, effects, |scene| match fact {
        Fact::Received(received) => self::received(&event.leg, received, edge, scene),
        Fact::Failed(failed) => {
            with_leg(&event.leg, scene, |call, leg, scene| line::failed(call, leg, failed, scene))
        }
        Fact::FlowClosed(closed) => flow_closed(&closed.flow, scene),
    });
    done.unwrap_or_else(|| Reply::NotFound { what: format!("tenant {tenant}") })
}

fn with_leg(
    leg: &str,
    scene: &mut Scene<'_>,
    rule: impl FnOnce(&mut crate::call::Call, LegId, &mut Scene<'_>),
) -> Reply {
    let found = leg.parse().ok().and_then(|leg: LegId| Some((leg, *scene.tenant.legs.get(&leg)?)));
    let Some((leg, call)) = found else { return Reply::NotFound { what: format!("leg {leg}") } };
    scene.with_call(call, |call, scene| rule(call, leg, scene));
    Reply::Done
}

fn received(leg: &str, received: &Received, edge: &str, scene: &mut Scene<'_>) -> Reply {
    let message = match Message::parse(&received.message) {
        Ok(message) => message,
        Err(error) => return Reply::Refused { why: format!("the message can't be read: {error}") },
    };
    let Some(source) = received.source.as_ref().and_then(source_of) else {
        return Reply::Refused { why: "the message has no source".into() };
    };
    let taken = (&message, &received.message[..]);
    if leg.is_empty() {
        return outside_dialog(received.ingress.as_ref(), taken, &source, edge, scene);
    }
    let reply = with_leg(leg, scene, |call, leg, scene| {
        line::receive(call, leg, taken, &source, edge, scene);
        away::look(call, leg, scene);
    });
    if matches!(reply, Reply::NotFound { .. }) {
        answer_unknown(&message, &source, edge, scene);
    }
    reply
}

/// 481 to a request for a dialog that we do not have (RFC 3261 12.2.2).
fn answer_unknown(message: &Message, source: &Source, edge: &str, scene: &mut Scene<'_>) {
    if message.is_request() && message.method() != Method::ACK {
        line::turn_down(message, 481, source, edge, scene);
    }
}

fn outside_dialog(
    ingress: Option<&Ingress>,
    taken: (&Message, &[u8]),
    source: &Source,
    edge: &str,
    scene: &mut Scene<'_>,
) -> Reply {
    let Some(ingress) = ingress else {
        return Reply::Refused { why: "nobody vouches for the request".into() };
    };
    let message = taken.0;
    if message.is_request() && message.method() == Method::REGISTER {
        return register(ingress, message, source, edge, scene);
    }
    let Some(key) = arrive::key(ingress, message) else {
        return Reply::Refused { why: "the request names no transaction".into() };
    };
    let known = scene.tenant.arrivals.get(key.as_str()).copied();
    match (known, message.method()) {
        (None, Method::INVITE) => {
            let (invite, bytes) = taken;
            begin(&Incoming { key: key.into(), ingress, invite, bytes, source, edge }, scene)
        }
        (None, _) => {
            answer_unknown(message, source, edge, scene);
            Reply::NotFound { what: "the request's transaction".into() }
        }
        (Some(call), Method::INVITE) => repeat(call, &key, edge, scene),
        (Some(call), _) => to_caller((call, key.as_str()), taken, source, edge, scene),
    }
}

fn begin(incoming: &Incoming<'_>, scene: &mut Scene<'_>) -> Reply {
    let Incoming { invite, source, edge, .. } = *incoming;
    let rules = scene.state.rules();
    if let Some(status) = ingress::refusal(incoming.ingress, invite, &scene.tenant.config, rules) {
        line::turn_down(invite, status, source, edge, scene);
        return Reply::Refused { why: format!("the page may not call: {status}") };
    }
    let takes_place = keeps_calls(rules) && invite.header("Replaces").is_some();
    if takes_place { replace::arrive(incoming, scene) } else { arrive::arrive(incoming, scene) }
}

/// The INVITE came again, perhaps by another edge, whose the dialog is then: so does what was said to it.
fn repeat(call: CallId, key: &str, edge: &str, scene: &mut Scene<'_>) -> Reply {
    let carried = |call: &Call| call.begun_by(key).map(|party| (party.id, party.line.edge != edge));
    if let Some((leg, true)) = scene.tenant.call(call).and_then(carried) {
        scene.with_call(call, |call, _| call.carry(leg, edge));
    }
    let Some(call) = scene.tenant.call(call) else { return Reply::Seen };
    let Some(party) = call.begun_by(key) else { return Reply::Seen };
    let local = line::local(scene.state, &scene.tenant, party);
    let again = line::resume(party, &local, call, scene.tenant.epoch, scene.stamp, &mut scene.seed);
    scene.effects.actions.extend(again);
    Reply::Seen
}

/// CANCEL, or an ACK that lost its way: for the leg that the INVITE made.
fn to_caller(
    (call, key): (CallId, &str),
    taken: (&Message, &[u8]),
    source: &Source,
    edge: &str,
    scene: &mut Scene<'_>,
) -> Reply {
    scene.with_call(call, |call, scene| {
        if let Some(leg) = call.begun_by(key).map(|party| party.id) {
            line::receive(call, leg, taken, source, edge, scene);
        }
    });
    Reply::Done
}

fn register(
    ingress: &Ingress,
    request: &Message,
    source: &Source,
    edge: &str,
    scene: &mut Scene<'_>,
) -> Reply {
    let config = scene.tenant.config.clone();
    if let Some(status) = ingress::refusal(ingress, request, &config, scene.state.rules()) {
        line::turn_down(request, status, source, edge, scene);
        return Reply::Refused { why: format!("the page may not register: {status}") };
    }
    let Some(device) = ingress::device(ingress) else {
        return Reply::Refused { why: "a trunk registers nobody".into() };
    };
    let Some(employee) = ingress::employee(ingress, &config) else {
        return Reply::NotFound { what: format!("device {device}") };
    };
    let now = (scene.now(), scene.state.rules());
    let mut is_registered = false;
    let answer = match not_theirs(request, device, &employee.extension, &config.domain) {
        Some(status) => {
            let mut refusal = Message::reply_to(request, status);
            refusal.set_to_tag(&scene.seed.token());
            Some(refusal)
        }
        None => scene.with_agent(&employee.id, |agent| {
            let phone = agent.phones.entry(device.to_owned()).or_default();
            let answer = match phone.register(request, source, edge, now) {
                Ok(registered) => {
                    is_registered = true;
                    registered.response
                }
                Err(refused) => refused.answer(request),
            };
            // A question, a refusal or the last binding's end leaves nothing to keep.
            agent.phones.retain(|_, phone| phone.next_expiry().is_some());
            answer
        }),
    };
    if let Some(answer) = answer {
        let object = ObjectRef::Agent(scene.id().clone(), employee.id.clone());
        let fence = (scene.tenant.epoch, scene.stamp);
        scene.effects.actions.push(line::answer_stranger(object, request, &answer, source, edge, fence));
    }
    if is_registered {
        lamp::show_newcomer(&employee.id, request, scene);
        away::registered(&employee.id, request, source, edge, scene);
    }
    Reply::Done
}

/// The status for a device that registers an address other than its own (RFC 3261 section 10.3, steps 3 and 5).
fn not_theirs(request: &Message, device: &str, extension: &str, domain: &str) -> Option<u16> {
    let Ok(to) = request.to() else { return Some(400) };
    let user = to.uri.user().unwrap_or_default();
    match to.uri.host.eq_ignore_ascii_case(domain) {
        false => Some(404),
        true if user == device || user == extension => None,
        true => Some(403),
    }
}

/// Whoever was registered over this connection is out of reach, and who talks over it may be.
fn flow_closed(flow: &str, scene: &mut Scene<'_>) -> Reply {
    forget_flow(flow, scene);
    away::flow_closed(flow, scene);
    Reply::Done
}

/// Whoever was registered over this connection is out of reach.
pub(super) fn forget_flow(flow: &str, scene: &mut Scene<'_>) {
    let uses = |agent: &&crate::agent::Agent| agent.phones.values().any(|phone| phone.uses_flow(flow));
    let affected: Vec<_> = scene.tenant.agents().filter(uses).map(|agent| agent.id.clone()).collect();
    for employee in affected {
        scene.with_agent(&employee, |agent| {
            agent.phones.values_mut().for_each(|phone| phone.close_flow(flow));
            agent.phones.retain(|_, phone| phone.next_expiry().is_some());
        });
    }
}

fn source_of(source: &edge::Source) -> Option<Source> {
    let transport = match source.transport() {
        edge::Transport::Udp => Transport::Udp,
        edge::Transport::Tcp => Transport::Tcp,
        edge::Transport::Tls => Transport::Tls,
        edge::Transport::Ws => Transport::Ws,
        edge::Transport::Wss => Transport::Wss,
        edge::Transport::Unspecified => return None,
    };
    let (remote, local) = (source.remote.parse().ok()?, source.local.parse().ok()?);
    Some(Source { transport, remote, local, flow: Some(source.flow.clone()).filter(|flow| !flow.is_empty()) })
}
