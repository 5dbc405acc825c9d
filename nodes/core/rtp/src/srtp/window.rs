//! Which packets of a stream were seen: the index of the highest one, and those shortly before it (RFC 3711 section
//! 3.3.2). The index is the rollover counter with the sequence number behind it, or SRTCP's own count.

/// So many indices behind the highest one are told apart; who comes later counts as seen.
const WIDTH: u64 = u128::BITS as u64;

/// What was seen of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    highest: u64,
    /// The highest one is the lowest bit.
    seen: u128,
}

impl Window {
    /// Nothing but this one was seen.
    pub(super) fn at(index: u64) -> Self {
        Self { highest: index, seen: 1 }
    }

    /// The index that a sequence number most likely has: the nearest one (RFC 3711 section 3.3.1). None: it would be
    /// before the first.
    pub(super) fn nearest(&self, sequence: u16) -> Option<u64> {
        let ahead = sequence.wrapping_sub(self.highest as u16) as i16;
        self.highest.checked_add_signed(ahead.into())
    }

    /// Whether it was not seen, and is not too old to tell.
    pub(super) fn is_new(&self, index: u64) -> bool {
        match self.highest.checked_sub(index) {
            None => true,
            Some(behind) => behind < WIDTH && (self.seen >> behind) & 1 == 0,
        }
    }

    /// It was seen. What is too old changes nothing.
    pub(super) fn note(&mut self, index: u64) {
        let Some(behind) = self.highest.checked_sub(index) else {
            let ahead = index - self.highest;
            self.seen = if ahead < WIDTH { (self.seen << ahead) | 1 } else { 1 };
            self.highest = index;
            return;
        };
        if behind < WIDTH {
            self.seen |= 1_u128 << behind;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_index_is_taken_across_the_end_of_the_numbers() {
        for (highest, sequence, index) in [
            (100, 101, Some(101)),
            (100, 99, Some(99)),
            (65_535, 0, Some(65_536)),
            (65_536, 65_535, Some(65_535)),
            (65_536 * 7 + 3, 65_530, Some(65_536 * 6 + 65_530)),
            (3, 65_530, None),
        ] {
            assert_eq!(Window::at(highest).nearest(sequence), index, "{sequence} after {highest}");
        }
    }

    #[test]
    fn each_index_is_new_once_in_whatever_order() {
        let mut window = Window::at(1_000);
        for index in [1_001, 1_003, 1_002, 999, 1_130, 1_004] {
            assert!(window.is_new(index), "{index}");
            window.note(index);
            assert!(!window.is_new(index), "{index} again");
        }
        assert!(!window.is_new(1_002), "too old to tell");
        window.note(1_002);
        window.note(5_000);
        assert!(window.is_new(4_999) && !window.is_new(5_000) && !window.is_new(4_800));
    }
}
