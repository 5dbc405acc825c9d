//! RTCP (RFC 3550 section 6): sender and receiver reports built and read, and the round trip that they give.
//! Goodbyes are read and have no effect: a call's end is signalled, not streamed. Extended reports, feedback and
//! application packets are stepped over.

mod read;
mod write;

pub use read::{Error, read};
pub use write::{cname, receiver_report, sender_report};

/// One packet of a compound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    SenderReport(SenderReport, Vec<Block>),
    ReceiverReport {
        ssrc: u32,
        blocks: Vec<Block>,
    },
    Goodbye,
    /// Anything else, by its packet type.
    Other(u8),
}

/// What a sender says about its own stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderReport {
    pub ssrc: u32,
    /// Wall clock as 32.32 seconds since 1900.
    pub ntp: u64,
    /// The same moment on the stream's clock.
    pub timestamp: u32,
    pub packets: u32,
    pub octets: u32,
}

/// What a receiver says about one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    pub ssrc: u32,
    /// In 1/256, since the last report.
    pub fraction_lost: u8,
    /// In all; negative counts (more doubles than losses) are read as zero.
    pub lost: u32,
    pub highest: u32,
    /// In timestamp units.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's NTP time; 0 = none came.
    pub last_sr: u32,
    /// Since that report came, in 1/65536 s.
    pub delay: u32,
}

impl Block {
    /// The round trip, when the block answers a report of ours. `ntp` is the wall clock now, on the same clock that
    /// our reports carry. Nonsense (a negative trip, or one of over a minute) gives None.
    pub fn round_trip_us(&self, ntp: u64) -> Option<u64> {
        if self.last_sr == 0 {
            return None;
        }
        let trip = middle(ntp).wrapping_sub(self.last_sr).wrapping_sub(self.delay);
        (trip < 60 << 16).then(|| (u64::from(trip) * 1_000_000) >> 16)
    }
}

/// The middle 32 bits of an NTP time.
pub const fn middle(ntp: u64) -> u32 {
    (ntp >> 16) as u32
}

/// Microseconds since 1970 as NTP time.
pub const fn ntp(unix_us: u64) -> u64 {
    /// Seconds from 1900 to 1970.
    const EPOCH: u64 = 2_208_988_800;
    let fraction = ((unix_us % 1_000_000) << 32) / 1_000_000;
    ((unix_us / 1_000_000).wrapping_add(EPOCH) << 32) | fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(last_sr: u32, delay: u32) -> Block {
        Block { ssrc: 1, fraction_lost: 0, lost: 0, highest: 0, jitter: 0, last_sr, delay }
    }

    #[test]
    fn the_round_trip_is_what_neither_side_waited() {
        let sent = ntp(1_700_000_000_000_000);
        let now = ntp(1_700_000_000_000_000 + 5_080_000);
        let answered = block(middle(sent), 5 << 16);
        let trip = answered.round_trip_us(now).unwrap_or_default();
        assert!((79_900..80_100).contains(&trip), "{trip}");
        assert_eq!(block(0, 0).round_trip_us(now), None);
        assert_eq!(block(middle(now), 9 << 16).round_trip_us(now), None, "it would be negative");
    }

    #[test]
    fn ntp_counts_from_1900() {
        assert_eq!(ntp(0) >> 32, 2_208_988_800);
        assert_eq!(ntp(500_000) & 0xffff_ffff, 1 << 31);
    }
}
