//! I3: a call that ended has one record with one cause; a call that goes on has none. A second record of a call may
//! only be the first one with its recording. An INVITE that could not be used has a record without legs, which comes
//! again when the INVITE does.

use std::collections::BTreeMap;

use super::Violation;
use crate::{call::stage::Stage, record::Record, state::State};

pub(super) fn check(state: &State, found: &mut Vec<Violation>) {
    let mut seen = BTreeMap::new();
    for (_, record) in state.outbox() {
        let Record::Cdr(cdr) = record else { continue };
        if cdr.legs.is_empty() {
            continue;
        }
        let call = state.tenant(&cdr.tenant).and_then(|tenant| tenant.call(cdr.call));
        let due = match call.map(|call| &call.stage) {
            None => true,
            Some(Stage::Over(end)) => end.record_due.is_none() && end.cause.name() == cdr.cause,
            Some(_) => false,
        };
        if !due {
            found.push(Violation::new(
                "I3",
                format!("{} has a record before its end, or another cause", cdr.call),
            ));
        }
        if let Some(earlier) = seen.insert(cdr.call, cdr) {
            let later = mangrove_proto::live::Cdr { recordings: Vec::new(), ..cdr.clone() };
            let same = mangrove_proto::live::Cdr { recordings: Vec::new(), ..earlier.clone() };
            if cdr.recordings == earlier.recordings || without_counters(later) != without_counters(same) {
                found.push(Violation::new("I3", format!("{} has two records", cdr.call)));
            }
        }
    }
}

fn without_counters(mut cdr: mangrove_proto::live::Cdr) -> mangrove_proto::live::Cdr {
    for leg in &mut cdr.legs {
        (leg.packets_received, leg.packets_sent, leg.packets_lost, leg.jitter_us) = (0, 0, 0, 0);
    }
    cdr
}
