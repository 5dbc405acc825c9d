//! A sender whose clock is too fast for its sound. Timestamps should count sound (RFC 3550 section 5.1), those of G.722 at
//! 8 kHz (RFC 3551 section 4.5.2); some senders count its 16, others are sloppy. A packet that is the next in number and
//! has no marker follows what was said before it: a step that is too long by up to a packet is the clock's, for a pause has
//! a marker or is longer. Steps that are too long by the same time after time say how fast the clock is, and so how much of
//! a longer step is time.

/// Steps in a row that are alike before other steps are measured by them.
const STEADY: u32 = 3;

/// What is known of one sender's clock.
#[derive(Debug, Default)]
pub(crate) struct Stretch {
    /// How much too long the last step from one packet to the next was.
    extra: u32,
    /// Steps before it that were alike.
    alike: u32,
}

impl Stretch {
    /// How much time is between the end of a packet of so many ticks and the beginning of a later one, where timestamps say
    /// `jump` and so many packets between the two are missing.
    pub(crate) fn between(&mut self, jump: u32, missing: u32, marker: bool, ticks: u32) -> u32 {
        if missing > 0 || marker || jump > ticks {
            return self.real(jump.saturating_add(ticks), ticks).saturating_sub(ticks);
        }
        self.alike = if jump == self.extra { self.alike.saturating_add(1) } else { 0 };
        self.extra = jump;
        0
    }

    /// How much of a step from the beginning of a packet of so many ticks to that of another is time.
    pub(crate) fn real(&self, step: u32, ticks: u32) -> u32 {
        if self.extra == 0 || self.alike < STEADY {
            return step;
        }
        let (step, ticks, extra) = (u64::from(step), u64::from(ticks), u64::from(self.extra));
        u32::try_from(step * ticks / (ticks + extra)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock after so many steps that were each too long by as much.
    fn stretched(extra: u32, steps: usize) -> Stretch {
        let mut stretch = Stretch::default();
        (0..steps).for_each(|_| assert_eq!(stretch.between(extra, 0, false, 160), 0));
        stretch
    }

    #[test]
    fn what_follows_at_once_follows_and_a_pause_has_a_marker_or_is_longer() {
        for (jump, missing, marker, expected) in [
            (0, 0, false, 0),
            (160, 0, false, 0),
            (161, 0, false, 161),
            (80, 0, true, 80),
            (160, 1, false, 160),
        ] {
            let between = Stretch::default().between(jump, missing, marker, 160);
            assert_eq!(between, expected, "{jump} {missing} {marker}");
        }
    }

    #[test]
    fn a_clock_that_is_twice_too_fast_is_found_out() {
        let mut stretch = stretched(160, 4);
        assert_eq!(stretch.between(480, 1, false, 160), 160, "one lost packet");
        assert_eq!(stretch.between(16_160, 0, true, 160), 8000, "a pause of a second");
        assert_eq!(stretch.real(960, 160), 480);
    }

    #[test]
    fn one_sloppy_step_says_nothing_of_others() {
        assert_eq!(stretched(160, 3).between(480, 1, false, 160), 480);
        let mut stretch = stretched(160, 9);
        assert_eq!(stretch.between(0, 0, false, 160), 0);
        assert_eq!(stretch.between(480, 1, false, 160), 480, "and its clock is right again");
        assert_eq!(stretched(0, 9).between(480, 1, false, 160), 480);
    }
}
