//! A group's waiting callers in their order, and the group's counts of the day.

use imbl::OrdMap;
use mangrove_proto::{id::CallId, live::Today};
use serde::{Deserialize, Serialize};

use crate::{day::Daily, ready::Ready};

/// A place in line: higher priority first, then who came first. It never changes while a caller waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Higher goes first.
    pub priority: i32,
    /// Drawn in log order, unique within the tenant.
    pub number: u64,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.priority.cmp(&self.priority).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The line of one group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// First in line first.
    pub waiting: OrdMap<Place, CallId>,
    /// Counts of the day.
    pub today: Daily<Today>,
    /// Worked out from the agents, so it is not written.
    #[serde(skip)]
    pub(crate) ready: Ready,
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn higher_priorities_come_first_and_among_equals_the_earlier() {
        let mut places =
            [(0, 1), (-1, 2), (5, 4), (5, 3), (0, 5)].map(|(priority, number)| Place { priority, number });
        places.sort();
        assert_eq!(places.map(|place| place.number), [3, 4, 1, 5, 2]);
    }
}
