//! Who may write a recording, and where in it a writer's sound belongs. Nothing is read or written here: what the store and
//! the disk say comes in.

use super::{layout::LONGEST_GAP_MS, open::Note, spool::About};

/// What the two measures of a recording's age may differ by while both clocks are right: a command takes its time.
const TOLERANCE_MS: u64 = 3_000;

/// What the clocks of two leaders of a group may differ by.
const LEADERS_MS: u64 = 500;
/// What a process that is killed has of a recording in memory only: a part, and what waits for the store.
const IN_MEMORY_MS: u64 = 6_000;
/// Who comes to a recording this long after it was told to is late: others may have been told meanwhile, and be done.
const LATE_MS: u64 = 3_000;

/// What is to become of sound that waited on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its writer had begun: it goes on, so many bytes of the recording being before its sound.
    GoesOn { base: u64 },
    /// Its writer was the next to take the recording up and had not come to it: it does so now, with silence for what nobody
    /// recorded before it.
    TakesUp,
    /// All of it is in the file: that is still to be reported.
    Finishes,
    /// Another has taken the recording up since: nothing of it may be written.
    IsOut,
}

/// By the note that is in the store. `base` is what the writer noted on its disk when it had begun; where the disk did not take
/// that, the note tells. Who took a recording up later than another is told by the group's clock: names of nodes move between
/// machines, and runs of two nodes can't be compared. That clock stands still while the whole group is down, as with one node
/// that is started again: then the runs of one name tell.
pub(super) fn standing(about: &About, base: Option<u64>, note: &Note) -> Standing {
    let is_own = note.writer == about.writer;
    let base = base.or(note.base.filter(|_| is_own));
    let is_next = || match note.ran_ms {
        Some(ran_ms) if about.ran_ms == ran_ms => is_later_run(&about.writer, &note.writer),
        ran_ms => ran_ms.is_some_and(|ran_ms| about.ran_ms > ran_ms),
    };
    match base {
        _ if note.finished.is_some() && is_own => Standing::Finishes,
        _ if note.finished.is_some() => Standing::IsOut,
        Some(base) if is_own => Standing::GoesOn { base },
        None if is_own || is_next() => Standing::TakesUp,
        _ => Standing::IsOut,
    }
}

/// The number of a writer's run, of `name/run`.
pub(super) fn run_of(writer: &str) -> Option<u64> {
    writer.rsplit_once('/')?.1.parse().ok()
}

/// Whether both are runs of one name.
pub(super) fn are_of_one_name(writer: &str, other: &str) -> bool {
    let name = |writer: &str| writer.rsplit_once('/').map(|(name, _)| name.to_owned());
    name(writer).is_some() && name(writer) == name(other)
}

/// Whether both are runs of one name, and the first came after the other.
fn is_later_run(writer: &str, than: &str) -> bool {
    are_of_one_name(writer, than) && run_of(writer) > run_of(than)
}

/// Whether a recording's writer took it up after one that takes it up only now, which was told so before its process stood
/// still. A note that does not say is taken for one.
pub(super) fn is_overtaken(fresh: &Note, former: &Note) -> bool {
    former.ran_ms.is_none() || former.ran_ms > fresh.ran_ms
}

/// Whether who was told to record says so before the writer of the note that is there was told: it was cut off meanwhile, and
/// the recording is its heir's. A later run of one name is no such: the group's clock may have stood still between them.
pub(super) fn is_stale(fresh: &Note, former: &Note) -> bool {
    let is_earlier = |(own, noted): (u64, u64)| noted > own.saturating_add(LEADERS_MS);
    fresh.ran_ms.zip(former.ran_ms).is_some_and(is_earlier) && !is_later_run(&fresh.writer, &former.writer)
}

/// Whose a recording is that a writer has begun, by the note that is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Ours,
    /// It is ours all the same: who was told before us had read the note before we wrote ours, and wrote over it.
    TakenByMistake,
    /// Another has taken it up, or finished it.
    Anothers,
}

/// By the note as its writer wrote it, and as it is found.
pub(super) fn whose(own: &Note, found: Option<&Note>) -> Whose {
    match found {
        Some(found) if found.writer == own.writer => Whose::Ours,
        Some(found) if found.finished.is_none() && is_stale(found, own) => Whose::TakenByMistake,
        _ => Whose::Anothers,
    }
}

/// Whether a writer comes late, so long after it was told to by its own clock and by the wall.
pub(super) fn is_late(own_ms: u64, wall_ms: u64) -> bool {
    own_ms.max(wall_ms) > LATE_MS
}

/// Whether so much sound of a recording that ran so long lacks more than was in memory when its node was killed: a machine that
/// is down may have that on its disk.
pub(super) fn lacks_much(ran_ms: Option<u64>, sound_ms: u64) -> bool {
    ran_ms.is_some_and(|ran_ms| ran_ms.saturating_sub(sound_ms) > IN_MEMORY_MS)
}

/// How sound goes to its place in a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fit {
    /// Bytes of silence that have to come before it.
    pub(super) gap: u64,
    /// Bytes of it that are there already.
    pub(super) skip: u64,
}

/// Of so many bytes that belong at `place`, in a recording of which `written` are there.
pub(super) fn fit(written: u64, place: u64, length: u64) -> Fit {
    Fit { gap: place.saturating_sub(written), skip: written.saturating_sub(place).min(length) }
}

/// By how much a recording is ahead of a writer that takes it up: one that was told to record before its process stood
/// still, and begins only now, after others went on. A little is two clocks.
pub(super) fn ahead_ms(written_ms: u64, lasted_ms: u64) -> u64 {
    Some(written_ms.saturating_sub(lasted_ms)).filter(|ahead_ms| *ahead_ms > TOLERANCE_MS).unwrap_or_default()
}

/// When a recording that is taken up began, by the clock of the node that takes it up. Two nodes' wall clocks are the finer
/// measure, unless the time that control says it has been wanted shows that one of them is wrong. Of one node's own clock
/// that time may only fall short: the group's stands still while nobody of it runs.
pub(super) fn began_by(now_ms: u64, noted_ms: u64, ran_ms: u64, is_own_clock: bool) -> u64 {
    let stood_still =
        |age_ms: u64| is_own_clock && (ran_ms..=ran_ms.saturating_add(LONGEST_GAP_MS)).contains(&age_ms);
    let is_right =
        |age_ms: u64| ran_ms == 0 || age_ms.abs_diff(ran_ms) <= TOLERANCE_MS || stood_still(age_ms);
    match now_ms.checked_sub(noted_ms) {
        Some(age_ms) if is_right(age_ms) => noted_ms,
        _ => now_ms.saturating_sub(ran_ms),
    }
}

#[cfg(test)]
mod tests;
