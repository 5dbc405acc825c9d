//! A dialog's messages as effects for edges, with the fence, the story and an id that is the same when repeated.

use mangrove_proto::{common, edge, id::LegId, story::Kind};
use mangrove_sip::{
    Destination, Local, Message, Replacing, Seed, Source, Transport,
    ua::{Ctx, Outgoing, Output, Reject},
};

use super::{USER_AGENT, take::translate};
use crate::{
    call::{Call, party::Party},
    effect::{Action, Effect, ObjectRef},
    rules::{keeps_calls, relays_fax},
    scene::Scene,
    stamp::Stamp,
    state::{State, hash_of},
    story,
    tenant::Tenant,
};

/// Who we are in the messages of a party's dialog.
pub(crate) fn local(state: &State, tenant: &Tenant, party: &Party) -> Local {
    let is_ours = party.employee.is_some();
    local_at(state, tenant, &party.line.edge, party.line.transport, party.id, is_ours)
}

/// As [`local`], for a dialog that is just beginning, with a phone of ours or not: only those may replace dialogs.
pub(crate) fn local_at(
    state: &State,
    tenant: &Tenant,
    edge: &str,
    transport: Transport,
    leg: LegId,
    is_ours: bool,
) -> Local {
    let node = state.nodes.get(edge);
    let contacts = node.map(|node| node.info.contacts.as_slice()).unwrap_or_default();
    let here = contacts.iter().find(|(known, _)| *known == transport).or(contacts.first());
    Local {
        contact_host: here.map_or_else(|| tenant.config.domain.to_string(), |(_, host)| host.clone()),
        contact_user: format!("{}.{leg}", tenant.config.id),
        user_agent: USER_AGENT.to_owned(),
        domain: tenant.config.domain.to_string(),
        replaces: match keeps_calls(state.rules()) {
            false => Replacing::Unknown,
            // No dialog of ours is a trunk's own, so none of its Replaces matches one.
            true if !is_ours => Replacing::Known,
            true => Replacing::Offered,
        },
        fax: relays_fax(state.rules()),
    }
}

/// Sends what a dialog says, and keeps its facts for when the rule in hand is through.
pub(crate) fn send_all(call: &Call, leg: LegId, outputs: Vec<Output>, scene: &mut Scene<'_>) {
    let Some(party) = call.party(leg) else { return };
    for output in outputs {
        match output {
            Output::Fact(fact) => scene.facts.extend(translate(fact).map(|fact| (leg, fact))),
            Output::Send(outgoing) => {
                let bytes = match &outgoing {
                    Outgoing::Request { message, .. } | Outgoing::Response { message, .. } => message,
                };
                scene.effects.story.push(story::message(
                    call,
                    scene.stamp.moment(),
                    party,
                    Kind::Sent,
                    bytes,
                ));
                let effect = effect(party, call, scene.tenant.epoch, scene.stamp, outgoing);
                scene.effects.actions.push(effect);
            }
        }
    }
}

/// Everything that a party's far end may not have got, as it was.
pub(crate) fn resume(
    party: &Party,
    local: &Local,
    call: &Call,
    epoch: u64,
    stamp: Stamp,
    seed: &mut Seed,
) -> Vec<Effect> {
    let Some(leg) = party.line.leg() else { return Vec::new() };
    let outputs = leg.resume(&Ctx { now: stamp.now, seed, local });
    let sends = outputs.into_iter().filter_map(|output| match output {
        Output::Send(outgoing) => Some(effect(party, call, epoch, stamp, outgoing)),
        Output::Fact(_) => None,
    });
    sends.collect()
}

fn effect(party: &Party, call: &Call, epoch: u64, stamp: Stamp, outgoing: Outgoing) -> Effect {
    let object = ObjectRef::Call(call.tenant.clone(), call.id);
    to_edge(object, &party.line.edge, Some(party.id), (epoch, stamp), outgoing)
}

fn to_edge(
    object: ObjectRef,
    node: &str,
    leg: Option<LegId>,
    (epoch, stamp): (u64, Stamp),
    out: Outgoing,
) -> Effect {
    let op = match out {
        Outgoing::Request { branch, method, destination, message } => {
            edge::edge_command::Op::Request(edge::SendRequest {
                branch,
                method: method.to_string(),
                destination: Some(destination_of(&destination)),
                message: message.into(),
            })
        }
        Outgoing::Response { destination, message } => edge::edge_command::Op::Response(edge::SendResponse {
            destination: Some(destination_of(&destination)),
            message: message.into(),
        }),
    };
    let command = edge::EdgeCommand {
        effect: id_of(&op),
        tenant: object.tenant().to_string(),
        call: match &object {
            ObjectRef::Call(_, call) => call.to_string(),
            _ => String::new(),
        },
        leg: leg.map_or_else(String::new, |leg| leg.to_string()),
        fence: Some(common::Fence {
            incarnation: stamp.fence.incarnation,
            tenant_epoch: epoch,
            term: stamp.fence.term,
            index: stamp.index,
        }),
        op: Some(op),
    };
    Effect { object, action: Action::Edge { node: node.to_owned(), command } }
}

fn id_of(op: &edge::edge_command::Op) -> u64 {
    match op {
        edge::edge_command::Op::Request(request) => hash_of(&[request.branch.as_bytes(), &request.message]),
        edge::edge_command::Op::Response(response) => hash_of(&[&response.message]),
    }
}

fn destination_of(destination: &Destination) -> edge::Destination {
    let transport = match destination.transport {
        Transport::Udp => edge::Transport::Udp,
        Transport::Tcp => edge::Transport::Tcp,
        Transport::Tls => edge::Transport::Tls,
        Transport::Ws => edge::Transport::Ws,
        Transport::Wss => edge::Transport::Wss,
    };
    edge::Destination {
        transport: transport.into(),
        address: destination.address.to_string(),
        flow: destination.flow.clone().unwrap_or_default(),
    }
}

/// Answers a request that began nothing.
pub(crate) fn answer_stranger(
    object: ObjectRef,
    request: &Message,
    response: &Message,
    source: &Source,
    edge: &str,
    fence: (u64, Stamp),
) -> Effect {
    let destination = request.response_destination(source);
    to_edge(
        object,
        edge,
        None,
        fence,
        Outgoing::Response { destination, message: response.to_bytes().into() },
    )
}

/// Sends a request of ours that belongs to no dialog; nobody waits for its answer.
pub(crate) fn send_apart(object: ObjectRef, edge: &str, fence: (u64, Stamp), request: Outgoing) -> Effect {
    to_edge(object, edge, None, fence, request)
}

/// Refuses a request that concerns no dialog which its sender may know of.
pub(crate) fn turn_down(request: &Message, status: u16, source: &Source, edge: &str, scene: &mut Scene<'_>) {
    let mut response = Message::reply_to(request, status);
    response.set_to_tag(&scene.seed.token());
    let object = ObjectRef::Tenant(scene.id().clone());
    let fence = (scene.tenant.epoch, scene.stamp);
    let effect = answer_stranger(object, request, &response, source, edge, fence);
    scene.effects.actions.push(effect);
}

/// Refuses an INVITE that could not become a dialog.
pub(crate) fn refuse(
    invite: &Message,
    source: &Source,
    edge: &str,
    reject: &Reject,
    local: &Local,
    scene: &mut Scene<'_>,
) {
    let mut ctx = Ctx { now: scene.stamp.now, seed: &mut scene.seed, local };
    if let Output::Send(outgoing) = reject.response(invite, source, &mut ctx) {
        let object = ObjectRef::Tenant(scene.tenant.config.id.clone());
        let effect = to_edge(object, edge, None, (scene.tenant.epoch, scene.stamp), outgoing);
        scene.effects.actions.push(effect);
    }
}
