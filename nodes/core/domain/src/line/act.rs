//! What the rules tell a dialog to do. A wish that no longer fits the dialog changes nothing: the log's order has
//! decided otherwise.

use std::net::SocketAddr;

use mangrove_proto::id::LegId;
use mangrove_sip::{
    Destination, Source,
    sdp::{Direction, MediaAddress},
    ua::{self, Ctx, Leg, Output},
};

use super::{Dial, Wire, effects::send_all, local};
use crate::{
    call::{Call, agree, monitor},
    cause::Cause,
    scene::Scene,
};

/// Lets one dialog act, sends what it says, and keeps what it learned for [`Scene::put`].
pub(super) fn operate(
    call: &mut Call,
    leg: LegId,
    scene: &mut Scene<'_>,
    act: impl FnOnce(&mut Leg, &mut Ctx<'_>) -> Vec<Output>,
) {
    let Some(party) = call.party_mut(leg) else { return };
    let local = local(scene.state, &scene.tenant, party);
    let now = scene.stamp.now;
    let Some(line) = party.line.leg_mut() else { return };
    let outputs = act(line, &mut Ctx { now, seed: &mut scene.seed, local: &local });
    send_all(call, leg, outputs, scene);
}

fn media_address(address: SocketAddr) -> MediaAddress {
    MediaAddress { ip: address.ip(), port: address.port() }
}

fn address_of(call: &Call, leg: LegId) -> Option<MediaAddress> {
    call.party(leg).and_then(|party| party.address).map(media_address)
}

/// Our address as the far end is to be told it now. A browser is told what goes with it, too.
pub(super) fn tell_address(call: &mut Call, leg: LegId) -> Option<MediaAddress> {
    let party = call.party_mut(leg)?;
    let credentials = party.association.as_ref().map(|association| association.credentials.clone());
    if let (Some(credentials), Some(line)) = (credentials, party.line.leg_mut()) {
        line.introduce(credentials);
    }
    address_of(call, leg)
}

/// Sends the INVITE of a planned dialog whose media address is known.
pub(crate) fn start(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    let Some(address) = address_of(call, leg) else { return };
    let codecs = agree::offered(call, leg, scene);
    let headers = call.party(leg).map(|party| monitor::headers(party, &scene.tenant.config.domain));
    let Some(party) = call.party_mut(leg) else { return };
    let webrtc = party.association.as_ref().map(|association| association.credentials.clone());
    let Wire::Planned(dial) = &party.line.wire else { return };
    let Dial { uri, route, destination, from, to, security, ours, browser } = Dial::clone(dial);
    let webrtc = webrtc.filter(|_| browser);
    let target = ua::Target { uri, route, destination };
    let (offer, headers) = (Some(address), headers.unwrap_or_default());
    let invite = ua::Call { target, from, to, offer, codecs, security, ours, webrtc, headers };
    let local = local(scene.state, &scene.tenant, party);
    let mut ctx = Ctx { now: scene.stamp.now, seed: &mut scene.seed, local: &local };
    let (line, outputs) = Leg::outgoing(invite, &mut ctx);
    party.line.wire = Wire::Open(Box::new(line));
    send_all(call, leg, outputs, scene);
}

/// 100: the call is committed.
pub(crate) fn trying(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    operate(call, leg, scene, |line, ctx| line.trying(ctx));
}

/// 180, or 183 with our address when there is something to hear.
pub(crate) fn ring(call: &mut Call, leg: LegId, early: bool, scene: &mut Scene<'_>) {
    let early = if early { tell_address(call, leg) } else { None };
    if early.is_some() {
        prefer(call, leg, scene);
    }
    operate(call, leg, scene, |line, ctx| line.ring(early, ctx));
}

/// 200. Nothing if it was sent already, or if there is no address to answer with.
pub(crate) fn answer(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    let Some(address) = tell_address(call, leg) else { return };
    let moment = scene.moment();
    match call.party_mut(leg) {
        Some(party) if party.is_alive() && party.answered.is_none() => party.answered = Some(moment),
        _ => return,
    }
    prefer(call, leg, scene);
    operate(call, leg, scene, |line, ctx| line.answer(address, ctx));
}

/// Says what is to come first in the answer to the far end's offer.
fn prefer(call: &mut Call, leg: LegId, scene: &Scene<'_>) {
    let names = agree::preferred(call, leg, scene);
    let line = call.party_mut(leg).filter(|_| !names.is_empty()).and_then(|party| party.line.leg_mut());
    if let Some(line) = line {
        line.prefer(names);
    }
}

/// Refuses an INVITE with the cause's status, or another.
pub(crate) fn reject(call: &mut Call, leg: LegId, cause: Cause, status: Option<u16>, scene: &mut Scene<'_>) {
    let status = status.unwrap_or(cause.status());
    let retry_after = (status == 503).then_some(RETRY_AFTER_S);
    let reason = reason(cause);
    operate(call, leg, scene, |line, ctx| line.reject(status, Some(&reason), retry_after, ctx));
}

/// Seconds after which a refused carrier may try again.
const RETRY_AFTER_S: u32 = 5;

/// CANCEL, BYE or a final response, whichever the dialog asks for.
pub(crate) fn hang_up(call: &mut Call, leg: LegId, cause: Cause, scene: &mut Scene<'_>) {
    let reason = reason(cause);
    operate(call, leg, scene, |line, ctx| line.hang_up(Some(&reason), ctx));
}

/// BYE once more, to a far end that did not hear the first one and is reached elsewhere by now.
pub(crate) fn hang_up_again(call: &mut Call, leg: LegId, cause: Cause, scene: &mut Scene<'_>) {
    let reason = reason(cause);
    operate(call, leg, scene, |line, ctx| line.hang_up_again(Some(&reason), ctx));
}

/// RFC 3326; "completed elsewhere" as RFC 3326 section 3.1 has it, so that phones show no missed call.
fn reason(cause: Cause) -> String {
    match cause {
        Cause::AnsweredElsewhere | Cause::Replaced => {
            "SIP;cause=200;text=\"Call completed elsewhere\"".into()
        }
        _ => format!("Q.850;cause={}", cause.q850()),
    }
}

/// The far end has come back by another connection, at this edge.
pub(crate) fn reached(call: &mut Call, leg: LegId, way: Destination, edge: &str) {
    let Some(party) = call.party_mut(leg) else { return };
    edge.clone_into(&mut party.line.edge);
    if let Some(line) = party.line.leg_mut() {
        line.reached_at(way);
    }
    party.line.follow_way();
}

/// The far end has registered by another connection, at this edge. A phone that listens for connections is still reached
/// at its own address, should this one go.
pub(crate) fn reached_from(call: &mut Call, leg: LegId, source: &Source, edge: &str) {
    let Some(party) = call.party_mut(leg) else { return };
    edge.clone_into(&mut party.line.edge);
    (party.line.transport, party.line.from) = (source.transport, source.remote.ip());
    if let Some(line) = party.line.leg_mut() {
        line.reached_from(source);
    }
}

/// Re-INVITE with our present address: the media has moved.
pub(crate) fn reoffer(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    let Some(address) = tell_address(call, leg) else { return };
    operate(call, leg, scene, |line, ctx| line.offer(address, Direction::SendRecv, ctx));
}

/// As [`reoffer`], for who can be reached again: nothing if our present address has arrived there.
pub(crate) fn remind(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    let present = address_of(call, leg);
    let association = call.party(leg).and_then(|party| party.association.as_deref());
    let words = association.map(|association| &association.credentials);
    let knows = |line: &Leg| {
        let is_told = line.told_address() == present && (words.is_none() || line.credentials() == words);
        !line.is_offering() && is_told
    };
    if !call.party(leg).and_then(|party| party.line.leg()).is_some_and(knows) {
        reoffer(call, leg, scene);
    }
}

/// Takes the far end's new offer. We are always ready to speak; a hold limits us by itself (RFC 3264 8.4).
pub(crate) fn accept_offer(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    match tell_address(call, leg) {
        Some(address) => {
            operate(call, leg, scene, |line, ctx| line.accept_offer(address, Direction::SendRecv, ctx));
        }
        None => refuse_offer(call, leg, scene),
    }
}

/// 488: the session stays as it was.
pub(crate) fn refuse_offer(call: &mut Call, leg: LegId, scene: &mut Scene<'_>) {
    operate(call, leg, scene, |line, ctx| line.refuse_offer(488, ctx));
}

/// 202, and the first NOTIFY (RFC 3515), with 100 or with how it ended.
pub(crate) fn accept_refer(call: &mut Call, leg: LegId, status: u16, scene: &mut Scene<'_>) {
    operate(call, leg, scene, |line, ctx| line.accept_refer(status, ctx));
}

/// Refuses a transfer.
pub(crate) fn refuse_refer(call: &mut Call, leg: LegId, status: u16, scene: &mut Scene<'_>) {
    operate(call, leg, scene, |line, ctx| line.refuse_refer(status, ctx));
}

/// Tells who transferred how it goes; a final status ends the subscription.
pub(crate) fn notify_refer(call: &mut Call, leg: LegId, status: u16, scene: &mut Scene<'_>) {
    operate(call, leg, scene, |line, ctx| line.notify_refer(status, ctx));
}
