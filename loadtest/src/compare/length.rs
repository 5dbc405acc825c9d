//! How long a talk was, by its record and its recording. The product decides after one phone has spoken and before the
//! other hears of it. While nobody decides (a leader or an edge is away) seconds may pass between the two, which the
//! phones have noted: within them a talk may begin and end, and only there. Its recording is as long as it was.

use serde_json::Value;

use super::recordings;
use crate::ledger::{Call, Offer};

/// SIP repeats a BYE or a 200 every 4 s at the latest (RFC 3261 T2), and a moment for the answer.
const REPEATED_MS: u64 = 5_000;
/// A phone's clock and the product's read the same event so far apart.
const SPARE_MS: u64 = 200;

/// A talk as both phones know it, milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Talk {
    answered: u64,
    /// The agent's phone had the ACK.
    confirmed: u64,
    hung_up: u64,
    /// The other side heard of it; none where both hung up of themselves.
    heard: Option<u64>,
    /// The end is decided by then.
    decided: u64,
}

/// How long nobody decided in a run at most: what the slowest INVITE waited.
pub(super) fn undecided_ms(calls: &[Call]) -> u64 {
    calls.iter().filter_map(|call| call.setup_ms).max().unwrap_or_default()
}

impl Talk {
    /// In order, whatever the clocks say: none ends before it begins.
    pub(super) fn of(call: &Call, answer: &Offer, undecided_ms: u64) -> Option<Self> {
        let answered = answer.answered_at?;
        let ends = [call.at + call.ended_ms, answer.ended_at].map(|end| end.max(answered));
        let (hung_up, ended) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        let confirmed = answer.confirmed_at.map_or(hung_up, |at| at.clamp(answered, hung_up));
        let heard = (!call.hung_up || !answer.hung_up).then_some(ended);
        let decided = heard.unwrap_or(ended + undecided_ms + REPEATED_MS);
        Some(Self { answered, confirmed, hung_up, heard, decided })
    }

    /// What one side did and the other heard of later than can be while nobody decides for so long.
    pub(super) fn contradicted_pace(&self, undecided_ms: u64) -> Option<String> {
        let joins = self.confirmed - self.answered;
        let ends = self.heard.map_or(0, |heard| heard - self.hung_up);
        let limit = undecided_ms + REPEATED_MS;
        match (joins > limit, ends > limit) {
            (true, _) => Some(format!("answered, and connected {joins} ms later")),
            (_, true) => Some(format!("one side hung up, and the other heard of it {ends} ms later")),
            _ => None,
        }
    }

    /// The record says that people talked for longer or shorter than they did.
    pub(super) fn contradicted_time(&self, record: &Value) -> Option<String> {
        let says = record["talk_ms"].as_u64()?;
        let (least, most) = (self.hung_up - self.confirmed, self.decided - self.answered);
        let fits = (least.saturating_sub(SPARE_MS)..=most + SPARE_MS).contains(&says);
        (!fits).then(|| format!("talked {least} to {most} ms, recorded as {says} ms"))
    }

    /// A recording lasts as long as the record says that people talked, within 2 % and 200 ms. It may be shorter by what it
    /// says is missing, and go on until the other side heard of the end: so long it may take until the media node does.
    pub(super) fn contradicted_length(&self, record: &Value) -> Option<String> {
        recordings(record).next()?;
        let talked = record["talk_ms"].as_u64()?;
        let sum = |key: &str| recordings(record).filter_map(|one| one[key].as_u64()).sum::<u64>();
        let (lasts, missing, spare) = (sum("duration_ms"), sum("missing_ms"), talked / 50 + SPARE_MS);
        let most = self.heard.map_or(talked, |heard| talked.max(heard - self.answered)) + spare;
        let fits = (talked.saturating_sub(missing + spare)..=most).contains(&lasts);
        (!fits).then(|| format!("talked {talked} ms, recording of {lasts} ms with {missing} ms missing"))
    }
}
