//! What must hold after every command, by name, in tests and in production. The numbers are those of the project's
//! list; what only the outside can show (I4, I7, I9, I11) is checked there.
//!
//! | check | what it says |
//! |---|---|
//! | [`one_agent`] | I1: a call connects its guest with one other party at most |
//! | [`one_call`] | I2: a person has one call at most and one that they make beside it, and those know it |
//! | [`one_record`] | I3: a call that ended has one record with one cause, one that goes on has none |
//! | [`reserved`] | I5: who rings was reserved by that very offer, and the other way round |
//! | [`turns`] | I5: who stands ready for a group is free, and the other way round |
//! | [`in_line`] | I6: who waits has one place in one line, and the line holds nobody else |
//! | [`nothing_left`] | I8: no leg, session or mark without its call |
//! | [`in_conference`] | I12: a conference lists the calls that are of it, and no others |
//! | [`within_limits`] | I10: no more calls than channels when the last was let in |

mod in_conference;
mod in_line;
mod nothing_left;
mod one_agent;
mod one_call;
mod one_record;
mod reserved;
#[cfg(test)]
mod tests;
mod turns;
mod within_limits;

use crate::{state::State, tenant::Tenant};

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// `I2`.
    pub id: &'static str,
    /// Where, and what was found.
    pub what: String,
}

impl Violation {
    fn new(id: &'static str, what: String) -> Self {
        Self { id, what }
    }
}

type Check = fn(&Tenant, &mut Vec<Violation>);

/// The checks that look at one tenant.
const CHECKS: [Check; 8] = [
    one_agent::check,
    one_call::check,
    reserved::check,
    turns::check,
    in_line::check,
    in_conference::check,
    nothing_left::check,
    within_limits::check,
];

/// All violations. Costs as much as looking at every call.
pub fn check(state: &State) -> Vec<Violation> {
    let mut found = Vec::new();
    for (_, tenant) in state.tenants() {
        for check in CHECKS {
            check(tenant, &mut found);
        }
    }
    one_record::check(state, &mut found);
    nothing_left::sessions(state, &mut found);
    found
}
