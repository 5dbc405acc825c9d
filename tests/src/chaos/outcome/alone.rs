//! Agents who talked with nobody. Pure.

use std::collections::BTreeMap;

use mangrove_loadtest::ledger::{Call, End, Offer};

use super::{Fault, life};

/// Agents who were in talk for longer than this after their caller's end, and after a fault then was got over: until it is
/// nobody may be there to decide.
const ALONE_MS: u64 = 10_000;

/// Callers who hung up during a fault may have found nobody to tell, and given up trying; their silence tells in the end.
/// Whom the product itself sent away it knows of.
pub(super) fn alone(calls: &[Call], offers: &[Offer], faults: &[Fault]) -> Vec<String> {
    let ends: BTreeMap<&str, &Call> = calls.iter().map(|call| (call.caller.as_str(), call)).collect();
    let over = |fault: &Fault| fault.ended_at + fault.settled_ms;
    let during = |at: u64| faults.iter().find(|fault| fault.at <= at && at < over(fault));
    let left = |offer: &Offer| {
        let call = ends.get(offer.caller.as_str())?;
        let end = call.at + call.ended_ms;
        let is_known = call.end == End::Refused || during(end).is_none();
        let since = offer.confirmed_at?.max(end);
        let since = during(since).map_or(since, over);
        let alone_ms = offer.ended_at.saturating_sub(since);
        let line = || format!("{} for {alone_ms} ms with {}", offer.agent, life(call, offers, faults));
        (is_known && alone_ms > ALONE_MS).then(line)
    };
    offers.iter().filter_map(left).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_whose_caller_has_long_gone_is_alone() {
        let call = |caller: &str| {
            let call = serde_json::json!({
                "caller": caller, "at": 1_000, "setup_ms": null, "connected_ms": null, "ended_ms": 2_000, "end": "refused",
                "status": 503, "sound": mangrove_loadtest::ledger::Counters::default(), "heard_agent": null
            });
            serde_json::from_value::<Call>(call).expect("a call")
        };
        let offer = |caller: &str, confirmed_at: Option<u64>, ended_at: u64| {
            let offer = serde_json::json!({
                "agent": "1001", "caller": caller, "at": 900, "answered_at": 950, "confirmed_at": confirmed_at,
                "ended_at": ended_at, "sound": mangrove_loadtest::ledger::Counters::default(), "heard_caller": null,
                "hung_up": false, "hertz": 1_000, "caller_hertz": 300
            });
            serde_json::from_value::<Offer>(offer).expect("an offer")
        };
        let calls = ["1", "2", "3", "4"].map(call);
        let late = 3_000 + ALONE_MS + 1;
        let offers = [
            offer("1", Some(2_500), late),
            offer("2", Some(2_500), late - 1),
            offer("3", None, late),
            offer("4", Some(9_000), late + 1),
        ];
        let found = alone(&calls, &offers, &[]);
        assert!(found.len() == 1 && found[0].contains(" with 1:"), "{found:?}");
        let fault = || Fault { at: 2_000, ended_at: 2_001, settled_ms: 1_000, ..Fault::new(&[]) };
        assert!(alone(&calls, &offers, &[fault()]).is_empty(), "nobody could tell the agent");
        let hung_up = calls.map(|call| Call { end: End::Talked, ..call });
        let later = [offer("1", Some(2_500), late + 1)];
        let found = [alone(&hung_up, &later, &[]).len(), alone(&hung_up, &later, &[fault()]).len()];
        assert_eq!(found, [1, 0], "who hung up during a fault could tell nobody");
    }
}
