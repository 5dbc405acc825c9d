//! Chance that is passed in: a small deterministic generator (splitmix64) for tags, branches and Call-IDs.
//!
//! Its values are unguessable only as far as the seed given is; they are names, not secrets.

use serde::{Deserialize, Serialize};

/// A stream of numbers fixed by its first state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed(u64);

impl Seed {
    /// Starts a stream; equal states give equal streams.
    pub fn new(state: u64) -> Self {
        Seed(state)
    }

    /// The next number of the stream.
    #[expect(clippy::should_implement_trait, reason = "the stream never ends, so it is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Sixteen hexadecimal digits: a tag, or the tail of a branch.
    pub fn token(&mut self) -> String {
        format!("{:016x}", self.next())
    }

    /// A number below `limit`; 0 when the limit is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next().checked_rem(limit).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn equal_states_give_equal_streams() {
        let (mut left, mut right) = (Seed::new(7), Seed::new(7));
        assert_eq!([left.token(), left.token()], [right.token(), right.token()]);
    }

    #[test]
    fn the_first_number_is_the_published_one() {
        assert_eq!(Seed::new(1_234_567).next(), 6_457_827_717_110_365_317);
    }

    #[test]
    fn a_limit_holds() {
        let mut seed = Seed::new(1);
        assert!((0..100).all(|_| seed.below(10) < 10));
        assert_eq!(seed.below(0), 0);
    }
}
