//! Recordings that a former run of the process left on this machine's disk: written first, before their calls' new sound.

use std::collections::BTreeMap;

use tokio::task::JoinSet;

use super::{
    Memory, Settings,
    claims::{Claim, Claims},
    inbox::Inbox,
    judge,
    spool::Left,
    writer::{self, Writer},
};
use crate::metrics::RECORDING_DROPPED;

/// Begins to write all that nobody here works on, in tasks that end when the set goes: what they have not written then is
/// for the next look.
pub(super) async fn take_up(settings: &Settings, memory: &Memory, claims: &Claims) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let Some(spool) = &settings.spool else { return tasks };
    let mut recordings: BTreeMap<(String, String), Vec<Left>> = BTreeMap::new();
    for left in spool.left().await {
        let ticket = &left.about.ticket;
        recordings.entry((ticket.tenant.clone(), ticket.recording.clone())).or_default().push(left);
    }
    for mut lefts in recordings.into_values() {
        // By the group's clock: the machine's may have been set meanwhile. Where that stood still, by the run.
        lefts.sort_by_key(|left| (left.about.ran_ms, judge::run_of(&left.about.writer)));
        // One that is written here already has its turn at the next look.
        if let Some(claim) = lefts.first().and_then(|left| claims.try_claim(&left.about.ticket)) {
            tasks.spawn(write_all(settings.clone(), memory.clone(), lefts, claim));
        }
    }
    tasks
}

/// Of one recording, the oldest first: several runs may have left some.
async fn write_all(settings: Settings, memory: Memory, lefts: Vec<Left>, _claim: Claim) {
    settings.gate.opened().await;
    for left in lefts {
        write(&settings, &memory, left).await;
    }
}

async fn write(settings: &Settings, memory: &Memory, left: Left) {
    let (about, base) = (left.about.clone(), left.base);
    let bytes: u64 = left.pieces.iter().map(|(_, size)| size).sum();
    tracing::info!(recording = about.ticket.recording, bytes, "a recording waited on the disk");
    let mut inbox = Inbox::of_former_run(left, memory.clone());
    match inbox.during(Writer::take_up(settings.clone(), &about, base)).await.flatten() {
        Some(writer) => {
            inbox.begun(writer.base()).await;
            writer::drain(writer, inbox).await;
        }
        None => {
            let recording = about.ticket.recording;
            tracing::warn!(
                recording,
                bytes,
                "it was taken up by another meanwhile, or is finished: this is left out"
            );
            metrics::counter!(RECORDING_DROPPED).increment(bytes);
            inbox.clear().await;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
