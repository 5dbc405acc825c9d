//! Parties that have gone over into another call: what is left of them in the one that they were in before, for its record.

use mangrove_proto::{id::LegId, live::CdrLeg};
use serde::{Deserialize, Serialize};

use super::{
    Call,
    party::{Counted, Party},
    record,
};
use crate::{cause::Cause, stamp::Moment};

/// A party's part in the call that it has left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// As the record has it.
    pub(super) leg: CdrLeg,
    /// Whether the media node has counters of it that it has not told.
    pub(super) is_awaited: bool,
}

impl Moved {
    /// Of a party that leaves now.
    pub(super) fn of(call: &Call, party: &Party, now: Moment) -> Self {
        let leg = record::leg(call, party, (now, Cause::Transferred));
        Self { leg, is_awaited: party.address.is_some() }
    }
}

impl Call {
    /// Takes a media node's counters of a party that has left.
    pub(super) fn count_moved(&mut self, leg: LegId, counted: Counted) {
        let moved = self.moved.iter_mut().find(|moved| moved.leg.leg == leg && moved.is_awaited);
        if let Some(moved) = moved {
            record::count(&mut moved.leg, counted);
            moved.is_awaited = false;
        }
    }
}
