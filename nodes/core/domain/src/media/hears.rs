//! What each party hears in each stage.

use mangrove_proto::{
    id::LegId,
    media::{Peer, Play, endpoint::Hears},
};

use crate::{
    call::{Call, party::Party, stage::Stage},
    config::TenantConfig,
};

/// What the tenant's callers hear where no queue says otherwise: on hold and while a phone rings for them.
const MUSIC: &str = "default";

/// The sound for `party`; none is silence.
pub(super) fn hears(call: &Call, party: &Party, config: &TenantConfig) -> Option<Hears> {
    let guest = party.id == call.guest;
    match &call.stage {
        Stage::Arriving { .. } | Stage::Over(_) => None,
        Stage::Playing { play, prompt, .. } => guest.then(|| {
            let key = format!("prompt/{}/{prompt}", config.language);
            Hears::Play(Play { id: play.clone(), prompts: vec![key], repeat: false })
        }),
        Stage::Waiting(waiting) => {
            let group = config.groups.get(&waiting.group);
            let name = group.map_or(MUSIC, |group| &group.queue.music);
            guest.then(|| music(name, waiting.place.number))
        }
        Stage::Ringing { early } => ringing(call, party, *early),
        Stage::Talking(talk) if guest => other(call, talk.peer),
        Stage::Talking(talk) if talk.peer == party.id => other(call, call.guest),
        Stage::Talking(_) => None,
        Stage::Transferring(_) => guest.then(|| music(MUSIC, 0)),
    }
}

fn ringing(call: &Call, party: &Party, early: Option<LegId>) -> Option<Hears> {
    match early {
        Some(leg) if party.id == call.guest => Some(peer(leg)),
        Some(leg) if party.id == leg => Some(peer(call.guest)),
        None if party.id == call.guest && party.answered.is_some() => Some(music(MUSIC, 0)),
        _ => None,
    }
}

/// The other's voice, or music while they hold or are away.
fn other(call: &Call, leg: LegId) -> Option<Hears> {
    let is_absent = call.party(leg).is_some_and(Party::is_absent);
    Some(if is_absent { music(MUSIC, 0) } else { peer(leg) })
}

fn peer(leg: LegId) -> Hears {
    Hears::Peer(Peer { endpoint: leg.to_string() })
}

/// Music goes on while its id stays; every wait in a queue begins its own.
fn music(name: &str, wait: u64) -> Hears {
    Hears::Play(Play { id: format!("music-{wait}"), prompts: vec![format!("music/{name}")], repeat: true })
}
