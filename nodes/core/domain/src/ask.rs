//! What people ask for, told apart: a request may arrive late, when its author has asked again and for something else.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// One thing that somebody asks for, however often and by whichever way it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Who counts: a page, a program, a node on behalf of those who don't. Drawn by chance, once.
    pub asker: u64,
    /// Rises with each new thing that the asker asks for.
    pub number: u64,
}

/// What was granted last, by asker. Holds those heard last; what an asker long silent sent is not on its way any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Asks(Vec<Ask>);

/// Askers that are remembered.
const LIMIT: usize = 8;

/// Where an ask stands among those of its asker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    New,
    /// It was granted before, and nothing after it.
    Again,
    /// Something newer was granted.
    Late,
}

impl Asks {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who does not count always asks for something new.
    pub(crate) fn turn(&self, ask: Option<Ask>) -> Turn {
        let known =
            ask.and_then(|ask| self.granted(ask.asker).map(|granted| ask.number.cmp(&granted.number)));
        match known {
            None | Some(Ordering::Greater) => Turn::New,
            Some(Ordering::Equal) => Turn::Again,
            Some(Ordering::Less) => Turn::Late,
        }
    }

    /// Notes what was granted.
    pub(crate) fn note(&mut self, ask: Ask) {
        self.0.retain(|granted| granted.asker != ask.asker);
        if self.0.len() == LIMIT {
            self.0.remove(0);
        }
        self.0.push(ask);
    }

    fn granted(&self, asker: u64) -> Option<&Ask> {
        self.0.iter().find(|granted| granted.asker == asker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(asks: &mut Asks, asker: u64, number: u64) -> Turn {
        let ask = Ask { asker, number };
        let turn = asks.turn(Some(ask));
        if turn == Turn::New {
            asks.note(ask);
        }
        turn
    }

    #[test]
    fn an_ask_is_taken_once_and_never_after_a_later_one_of_its_asker() {
        let mut asks = Asks::default();
        let table = [
            (1, 5, Turn::New),
            (1, 5, Turn::Again),
            (1, 7, Turn::New),
            (1, 6, Turn::Late),
            (2, 1, Turn::New),
            (1, 5, Turn::Late),
            (1, 8, Turn::New),
            (2, 1, Turn::Again),
        ];
        for (asker, number, turn) in table {
            assert_eq!(take(&mut asks, asker, number), turn, "{asker}/{number}");
        }
        assert_eq!(asks.turn(None), Turn::New);
    }

    #[test]
    fn those_heard_last_are_remembered() {
        let mut asks = Asks::default();
        let mut take = |asker, number| take(&mut asks, asker, number);
        for asker in 0..LIMIT as u64 {
            take(asker, 5);
        }
        assert_eq!(take(0, 6), Turn::New);
        assert_eq!(take(99, 1), Turn::New, "asker 1 makes way, who was heard of before all others");
        assert_eq!((take(0, 5), take(2, 4), take(1, 4)), (Turn::Late, Turn::Late, Turn::New));
        assert_eq!(asks.0.len(), LIMIT);
    }
}
