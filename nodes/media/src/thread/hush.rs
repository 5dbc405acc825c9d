//! What was said while a recording was paused and comes only after that, from a network that held it back: its timestamp tells,
//! and it stays out of the recording. So do keys: which were pressed is not told, whenever their presses end.

use mangrove_rtp::header::Header;

/// A stream that says it is from before for longer has begun to count anew.
const LATEST_US: u64 = 5_000_000;

/// One endpoint's.
#[derive(Debug, Default)]
pub(super) struct Hush {
    newest: Option<Said>,
    over: Option<Over>,
    /// The press that was heard last, and whether it is of a pause: then all of it is, to its end.
    press: Option<(Press, bool)>,
}

/// A press by its stream and timestamp.
type Press = (u32, u32);

/// The newest packet of a stream.
#[derive(Debug, Clone, Copy)]
struct Said {
    ssrc: u32,
    timestamp: u32,
    /// Timestamp units in a second.
    clock: u32,
    at_us: u64,
}

/// When the last pause was over, by the stream's own clock.
#[derive(Debug, Clone, Copy)]
struct Over {
    ssrc: u32,
    timestamp: u32,
    /// Timestamp units in a second.
    clock: u32,
    at_us: u64,
}

impl Hush {
    /// Every packet of sound, recorded or not.
    pub(super) fn hear(&mut self, header: &Header, clock: u32, now_us: u64) {
        let is_older = |newest: &Said| {
            let behind = u64::from(newest.timestamp.wrapping_sub(header.timestamp));
            let longest = LATEST_US * u64::from(newest.clock) / 1_000_000;
            newest.ssrc == header.ssrc && (1..=longest).contains(&behind)
        };
        if !self.newest.as_ref().is_some_and(is_older) {
            let Header { ssrc, timestamp, .. } = *header;
            self.newest = Some(Said { ssrc, timestamp, clock, at_us: now_us });
        }
    }

    /// The pause is over: what is said from now on may be recorded.
    pub(super) fn end(&mut self, now_us: u64) {
        self.over = self.newest.map(|newest| {
            let since = now_us.saturating_sub(newest.at_us) * u64::from(newest.clock) / 1_000_000;
            let timestamp = newest.timestamp.wrapping_add(since as u32);
            Over { ssrc: newest.ssrc, timestamp, clock: newest.clock, at_us: now_us }
        });
    }

    /// Whether a packet was said before the last pause was over.
    pub(super) fn is_of_the_pause(&self, header: &Header, now_us: u64) -> bool {
        self.over.is_some_and(|over| {
            over.ssrc == header.ssrc
                && now_us.saturating_sub(over.at_us) < LATEST_US
                && (header.timestamp.wrapping_sub(over.timestamp) as i32) < 0
        })
    }

    /// Takes a packet of a key, whose timestamp says when its press began; whether a press that it ends may be of a pause. Those
    /// at another clock than the sound's are known by what of them came in the pause, not by their timestamps.
    pub(super) fn press(&mut self, header: &Header, clock: u32, is_paused: bool, now_us: u64) -> bool {
        let press = (header.ssrc, header.timestamp);
        let was_of_it = self.is_press_of_a_pause();
        let goes_on = self.press.is_some_and(|(last, _)| last == press);
        let is_comparable = self.over.is_some_and(|over| over.clock == clock);
        let is_late = is_comparable && self.is_of_the_pause(header, now_us);
        let is_of_it = is_paused || is_late || (goes_on && was_of_it);
        self.press = Some((press, is_of_it));
        is_of_it || was_of_it
    }

    /// Whether the press that is open, if one is, is of a pause.
    pub(super) fn is_press_of_a_pause(&self) -> bool {
        self.press.is_some_and(|(_, is_of_it)| is_of_it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(ssrc: u32, timestamp: u32) -> Header {
        Header { payload_type: 8, marker: false, sequence: 1, timestamp, ssrc, payload: 12..172 }
    }

    #[test]
    fn what_a_stall_held_back_is_of_the_pause_and_what_is_said_after_it_is_not() {
        let mut hush = Hush::default();
        hush.hear(&packet(1, u32::MAX - 79), 8_000, 0);
        hush.hear(&packet(1, u32::MAX - 239), 8_000, 10_000);
        assert!(!hush.is_of_the_pause(&packet(1, 0), 20_000), "there was none");
        // Nothing comes for a second, in which the pause ends.
        hush.end(1_000_000);
        let end = 8_000 - 80;
        for (timestamp, now_us, expected) in [
            (80, 1_000_001, true),
            (end - 160, 1_500_000, true),
            (end, 1_500_000, false),
            (end + 160, 1_020_000, false),
            (80, 1_000_000 + LATEST_US, false),
        ] {
            assert_eq!(hush.is_of_the_pause(&packet(1, timestamp), now_us), expected, "{timestamp} {now_us}");
        }
        assert!(!hush.is_of_the_pause(&packet(2, 80), 1_000_001), "another stream counts from elsewhere");
    }

    #[test]
    fn a_stream_that_counted_anew_is_heard_as_soon_as_the_pause_is_over() {
        let mut hush = Hush::default();
        hush.hear(&packet(1, 8_000_000), 8_000, 0);
        hush.hear(&packet(1, 160), 8_000, 20_000);
        hush.end(40_000);
        assert!(hush.is_of_the_pause(&packet(1, 160), 40_000));
        assert!(!hush.is_of_the_pause(&packet(1, 320), 40_000));
    }

    #[test]
    fn a_press_that_began_in_the_pause_is_of_it_to_its_end_and_so_is_one_that_comes_late() {
        const STEP_US: u64 = 20_000;
        let mut hush = Hush::default();
        hush.hear(&packet(1, 8_000), 8_000, 0);
        hush.hear(&packet(1, 8_000 + 7_920), 8_000, 990_000);
        assert!(hush.press(&packet(1, 15_000), 8_000, true, 990_000) && hush.is_press_of_a_pause());
        hush.end(1_000_000);
        // The pause was over at 16,000.
        for (ssrc, timestamp, clock, expected) in [
            (1, 15_000, 8_000, true),
            // Held back by the network.
            (1, 15_900, 8_000, true),
            // It may end the one before it.
            (1, 16_800, 8_000, true),
            (1, 16_800, 8_000, false),
            (1, 17_600, 8_000, false),
            // Another clock, or another stream, counts from elsewhere.
            (1, 500, 48_000, false),
            (2, 500, 8_000, false),
        ] {
            let heard = hush.press(&packet(ssrc, timestamp), clock, false, 1_000_000 + STEP_US);
            assert_eq!(heard, expected, "{ssrc} {timestamp} {clock}");
        }
        assert!(!hush.is_press_of_a_pause());
        assert!(hush.press(&packet(1, 900), 48_000, true, 2_000_000));
        hush.end(2_000_000);
        assert!(hush.press(&packet(1, 900), 48_000, false, 2_000_000 + STEP_US), "whatever its clock");
    }
}
