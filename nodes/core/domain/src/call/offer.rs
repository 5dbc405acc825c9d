//! Offers while they ring: what becomes of one when its phones ring, drop out, or time is up.

use mangrove_proto::{id::LegId, live::EndedBy};

use super::{
    Call, Offer, answer, devices, end, enqueue, fact,
    plan::{self, Plan},
    stage::Stage,
    transfer,
};
use crate::{cause::Cause, line, scene::Scene};

/// How long somebody is left alone who refused a call or could not be rung.
const PAUSE_MS: u64 = 5_000;

/// A phone rings. Who is called directly rings the caller's phone too.
pub(crate) fn rings(call: &mut Call, leg: LegId, has_sound: bool, scene: &mut Scene<'_>) {
    if call.offer_of(leg).is_none() {
        return;
    }
    match &mut call.stage {
        Stage::Ringing { early } => {
            if has_sound && early.is_none() {
                *early = Some(leg);
            }
            let sound = early.is_some();
            if !call.guest_is_up() {
                line::ring(call, call.guest, sound, scene);
            }
        }
        Stage::Transferring(transfer) => {
            let referrer = transfer.referrer;
            line::notify_refer(call, referrer, 180, scene);
        }
        _ => {}
    }
}

/// One phone of an offer dropped out. Others may still ring, or are next; a refusal by the person counts for all.
pub(crate) fn leg_failed(call: &mut Call, leg: LegId, cause: Cause, scene: &mut Scene<'_>) {
    let Some(index) = call.offer_of(leg) else { return };
    if let Stage::Ringing { early } = &mut call.stage {
        *early = early.filter(|sounding| *sounding != leg);
    }
    let offer = &mut call.offers[index];
    offer.legs.retain(|other| *other != leg);
    offer.failure = Some(offer.failure.map_or(cause, |worst| telling(worst, cause)));
    let (silent, failure) = (offer.legs.is_empty(), offer.failure.unwrap_or(cause));
    let refused = matches!(cause, Cause::Busy | Cause::Rejected);
    if refused || (silent && !devices::ring_next(call, index, scene)) {
        fail(call, index, failure, scene);
    }
}

/// Of two reasons the one that tells more about the person.
fn telling(one: Cause, other: Cause) -> Cause {
    let rank = |cause: Cause| match cause {
        Cause::Rejected => 0,
        Cause::Busy => 1,
        Cause::NoAnswer => 2,
        _ => 3,
    };
    if rank(other) < rank(one) { other } else { one }
}

/// Time has come for further devices, or is up for every offer that has rung long enough.
pub(crate) fn expire(call: &mut Call, scene: &mut Scene<'_>) {
    let now = scene.now();
    for index in 0..call.offers.len() {
        if devices::due(&call.offers[index].later).is_some_and(|next| next <= now) {
            devices::ring_next(call, index, scene);
        }
    }
    while let Some(index) = call.offers.iter().position(|offer| offer.until <= scene.now()) {
        let cause = if was_rung(call, index) { Cause::NoAnswer } else { Cause::NoMedia };
        fail(call, index, cause, scene);
    }
}

/// Whether any phone of the offer got its INVITE: without an address from the media node none went out, and nobody
/// missed anything.
fn was_rung(call: &Call, index: usize) -> bool {
    let planned = |leg: &LegId| call.party(*leg).is_none_or(|party| party.line.is_planned());
    !call.offers[index].legs.iter().all(planned)
}

/// An offer led nowhere: its phones stop ringing, its person is free again, and the call goes on without it.
fn fail(call: &mut Call, index: usize, cause: Cause, scene: &mut Scene<'_>) {
    let offer = call.offers.remove(index);
    set_aside(call, &offer, cause, scene);
    if let Some(channel) = &offer.channel {
        scene.give_channel_back(call, channel);
    }
    let leg_cause = if cause == Cause::NoAnswer { cause } else { Cause::Withdrawn };
    for leg in &offer.legs {
        fact::dismiss(call, *leg, leg_cause, scene);
    }
    let who = offer.employee.as_ref().map_or("outside", |employee| employee.as_str());
    scene.tell(call, format!("{who}: {}", cause.name()), "");
    match &call.stage {
        Stage::Waiting(_) => enqueue::offer_failed(call, scene),
        Stage::Ringing { .. } if call.offers.is_empty() => match &call.plan {
            Plan::Steps { .. } => {
                plan::failed(call, cause);
                plan::proceed(call, scene);
            }
            // An echo rings nobody.
            Plan::Outside { .. } | Plan::Echo => end::end(call, cause, EndedBy::Callee, scene),
        },
        Stage::Transferring(_) if call.offers.is_empty() => transfer::failed(call, cause, scene),
        _ => {}
    }
}

/// Frees the person of a failed offer, and spares them the next one for a while.
fn set_aside(call: &Call, offer: &Offer, cause: Cause, scene: &mut Scene<'_>) {
    let Some(employee) = &offer.employee else { return };
    let rules = match &call.stage {
        Stage::Waiting(waiting) => {
            scene.tenant.config.groups.get(&waiting.group).map(|group| group.no_answer)
        }
        _ => None,
    };
    let now = scene.now();
    scene.with_agent(employee, |agent| {
        agent.release(call.id, now);
        let Some(rules) = rules else { return };
        match cause {
            Cause::NoAnswer => agent.miss(rules.misses, now, rules.pause_ms),
            _ => agent.pause = Some(now + PAUSE_MS),
        }
    });
}

/// Takes all offers back: the call is over, or somebody else was faster.
pub(crate) fn withdraw_all(call: &mut Call, cause: Cause, scene: &mut Scene<'_>) {
    for offer in std::mem::take(&mut call.offers) {
        withdraw(call, &offer, cause, scene);
    }
}

/// Takes one offer back. Nobody missed anything.
pub(crate) fn withdraw(call: &mut Call, offer: &Offer, cause: Cause, scene: &mut Scene<'_>) {
    for leg in &offer.legs {
        fact::dismiss(call, *leg, cause, scene);
    }
    answer::release(call, offer.employee.as_ref(), None, scene);
}
