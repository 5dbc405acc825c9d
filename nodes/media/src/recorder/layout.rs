//! Where a recording lies in the object store: `<object>.part/000001.pcm` and so on while it runs, `<object>` when it
//! is finished, and a note of every recording that is not finished under `recordings-open/`, so that none is forgotten
//! when its node dies.

use object_store::path::Path;

use super::open::Ticket;

/// Bytes of one sample of both channels.
pub(super) const SAMPLE: u64 = 4;
/// The longest gap that is filled with silence.
pub(super) const LONGEST_GAP_MS: u64 = 600_000;
/// A recording that is this much shorter than its time has lost nothing: two clocks were read.
pub(super) const SPARE_MS: u64 = 50;

/// Where the notes are.
pub(super) fn notes() -> Path {
    Path::from("recordings-open")
}

/// What is written to learn what time it is for the store.
pub(super) fn clock() -> Path {
    Path::from("recordings-clock")
}

/// The note of one recording.
pub(super) fn note(ticket: &Ticket) -> Path {
    Path::from_iter(["recordings-open", &ticket.tenant, &format!("{}.json", ticket.recording)])
}

/// The finished file.
pub(super) fn object(ticket: &Ticket) -> Path {
    Path::from(ticket.object.as_str())
}

/// The folder of the parts.
pub(super) fn parts(ticket: &Ticket) -> Path {
    Path::from(format!("{}.part", ticket.object))
}

/// One part, counted from one.
pub(super) fn part(ticket: &Ticket, number: u32) -> Path {
    Path::from(format!("{}.part/{number:06}.pcm", ticket.object))
}

/// The number of a part by its path; None for other files.
pub(super) fn number(path: &Path) -> Option<u32> {
    path.filename()?.strip_suffix(".pcm")?.parse().ok()
}

/// Milliseconds of so many bytes.
pub(super) fn milliseconds(bytes: u64) -> u64 {
    bytes / SAMPLE * 1000 / u64::from(mangrove_rtp::RATE)
}

/// Bytes of so many milliseconds, whole samples.
pub(super) fn bytes(milliseconds: u64) -> u64 {
    milliseconds * u64::from(mangrove_rtp::RATE) / 1000 * SAMPLE
}
