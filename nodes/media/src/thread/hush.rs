//! What was said while a recording was paused and comes only after that, from a network that held it back: its timestamp tells,
//! and it stays out of the recording.

use mangrove_rtp::header::Header;

/// A stream that says it is from before for longer has begun to count anew.
const LATEST_US: u64 = 5_000_000;

/// One endpoint's.
#[derive(Debug, Default)]
pub(super) struct Hush {
    newest: Option<Said>,
    over: Option<Over>,
}

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
    at_us: u64,
}

impl Hush {
    /// Every packet of sound, recorded or not.
    pub(super) fn hear(&mut self, header: &Header, clock: u32, now_us: u64) {
        let is_older = |newest: &Said| {
            newest.ssrc == header.ssrc && (header.timestamp.wrapping_sub(newest.timestamp) as i32) < 0
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
            Over { ssrc: newest.ssrc, timestamp, at_us: now_us }
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
}
