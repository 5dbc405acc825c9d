//! What gives way when a media node refuses a session. The node says why in words only, so the cheapest thing that may
//! be the reason goes first: a prompt, the music, the phones that are not rung yet, supervisors whom somebody hears or who
//! hear two at once, the ports; last of all the call.

use std::sync::Arc;

use mangrove_proto::{id::LegId, live::EndedBy};

use super::{Call, announce, end, fact, monitor, party::Party, plan, replace, stage::Stage, voicemail};
use crate::{cause::Cause, scene::Scene};

/// What a call can do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sacrifice {
    /// The prompt that plays: the next step's turn.
    Prompt,
    /// What a caller in line is told: music instead.
    Announcement,
    /// What is heard before a message: the tone alone, then nothing.
    Greeting,
    /// Music and everything else but voices.
    Sounds,
    /// Phones that wait for their media address: they are not rung, the guest stays where they are.
    Phones,
    /// Supervisors beside the talk: without them nothing is added up. Before the ports, for where a node falls over the
    /// adding up it agrees to other ports every time, and all far ends would be told of them again and again.
    Supervisors,
    /// The ports that far ends know: another process may have taken one while the node was down.
    Ports,
    /// Nothing is left to go without.
    Call,
}

/// Gives up one thing; what is left is asked for when the command is through.
pub(super) fn give_way(call: &mut Call, scene: &mut Scene<'_>) {
    match sacrifice(call) {
        Sacrifice::Prompt => plan::proceed(call, scene),
        Sacrifice::Announcement => announce::give_up(call),
        Sacrifice::Greeting => voicemail::give_up_greeting(call, scene),
        Sacrifice::Sounds => call.media.silenced = true,
        Sacrifice::Phones => give_up_phones(call, scene),
        Sacrifice::Supervisors => {
            // It was not the music, then.
            call.media.silenced = false;
            monitor::give_up(call, scene);
        }
        Sacrifice::Ports => {
            // It was not the music, then.
            call.media.silenced = false;
            call.media.forget_ports();
            call.parties.values_mut().map(Arc::make_mut).for_each(Party::forget_address);
        }
        Sacrifice::Call => end::end(call, Cause::NoMedia, EndedBy::System, scene),
    }
}

fn sacrifice(call: &Call) -> Sacrifice {
    match &call.stage {
        Stage::Arriving { .. } => Sacrifice::Call,
        Stage::Playing { .. } => Sacrifice::Prompt,
        _ if voicemail::is_greeted(call) => Sacrifice::Greeting,
        _ if announce::is_heard(call) && call.media.plays() => Sacrifice::Announcement,
        _ if call.media.plays() => Sacrifice::Sounds,
        _ if planned(call).next().is_some() => Sacrifice::Phones,
        _ if call.media.mixes() => Sacrifice::Supervisors,
        _ if !call.media.moved => Sacrifice::Ports,
        _ => Sacrifice::Call,
    }
}

fn planned(call: &Call) -> impl Iterator<Item = LegId> {
    let waits = |party: &&Arc<Party>| {
        let is_new = party.line.is_planned() || party.replaces.is_some();
        party.is_alive() && is_new && party.address.is_none()
    };
    call.parties.values().filter(waits).map(|party| party.id)
}

fn give_up_phones(call: &mut Call, scene: &mut Scene<'_>) {
    // It was not the music, then.
    call.media.silenced = false;
    for leg in planned(call).collect::<Vec<_>>() {
        match call.party(leg).and_then(|party| party.replaces) {
            Some(_) => replace::give_up(call, leg, Cause::NoMedia, scene),
            None => fact::left(call, leg, Cause::NoMedia, scene),
        }
    }
}
