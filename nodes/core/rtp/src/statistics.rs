//! What one endpoint received: packets, loss and jitter as RFC 3550 appendix A counts them. A far end that starts
//! another stream (new SSRC) or jumps in its numbers begins a new count; the totals go on. One packet of another
//! stream is no other stream yet: two in a row are.

use crate::{header::Header, rtcp::Block, ticks};

/// A jump ahead of this many packets or more is a restart, not loss (RFC 3550 A.1).
const MAX_DROPOUT: u16 = 3000;
/// Packets this far behind are late, further ones a restart.
const MAX_MISORDER: u16 = 100;

/// Counts of one incoming stream.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    stream: Option<Stream>,
    received: u64,
    /// Lost in streams that are over.
    lost_before: u64,
    /// Another stream's source, and the number that would prove it if it came next.
    candidate: Option<(u32, u16)>,
}

#[derive(Debug, Clone)]
struct Stream {
    ssrc: u32,
    base: u16,
    max: u16,
    cycles: u32,
    received: u64,
    /// The number that would prove a restart if it came next.
    restart_at: Option<u16>,
    transit: Option<u32>,
    /// Timestamp units in a second.
    clock: u32,
    /// In timestamp units, times 16.
    jitter: u32,
    expected_prior: u64,
    received_prior: u64,
}

impl Statistics {
    /// Counts a packet that was accepted, in which timestamps count `clock` units a second.
    pub fn receive(&mut self, header: &Header, clock: u32, now_us: u64) {
        self.received += 1;
        match &mut self.stream {
            Some(stream) if stream.ssrc == header.ssrc => {
                self.candidate = None;
                if !stream.count(header) {
                    self.begin(header, clock);
                }
            }
            Some(_) if self.candidate != Some((header.ssrc, header.sequence)) => {
                self.candidate = Some((header.ssrc, header.sequence.wrapping_add(1)));
                return;
            }
            _ => self.begin(header, clock),
        }
        if let Some(stream) = &mut self.stream {
            stream.follow(clock);
            stream.measure(header, now_us);
        }
    }

    /// Packets received.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Packets that should have come and did not. Doubles count as received, so it never falls below zero.
    pub fn lost(&self) -> u64 {
        self.lost_before + self.stream.as_ref().map_or(0, Stream::lost)
    }

    /// The present stream's interarrival jitter.
    pub fn jitter_us(&self) -> u64 {
        self.stream.as_ref().map_or(0, |s| u64::from(s.jitter >> 4) * 1_000_000 / u64::from(s.clock))
    }

    /// The present stream's source.
    pub fn ssrc(&self) -> Option<u32> {
        self.stream.as_ref().map(|s| s.ssrc)
    }

    /// The report block for the present stream since the last one asked for. `last_report` is the middle of the NTP
    /// time of the last sender report and how long ago it came.
    pub fn block(&mut self, last_report: Option<(u32, u64)>) -> Option<Block> {
        let stream = self.stream.as_mut()?;
        let (last_sr, delay) = last_report.map_or((0, 0), |(ntp, ago_us)| (ntp, ago_us * 65_536 / 1_000_000));
        Some(Block {
            ssrc: stream.ssrc,
            fraction_lost: stream.fraction_lost(),
            lost: stream.lost().min(0x7f_ffff) as u32,
            highest: stream.cycles.wrapping_add(u32::from(stream.max)),
            jitter: stream.jitter >> 4,
            last_sr,
            delay: delay.min(u64::from(u32::MAX)) as u32,
        })
    }

    fn begin(&mut self, header: &Header, clock: u32) {
        self.lost_before = self.lost();
        self.candidate = None;
        self.stream = Some(Stream {
            ssrc: header.ssrc,
            base: header.sequence,
            max: header.sequence,
            cycles: 0,
            received: 1,
            restart_at: None,
            transit: None,
            clock: clock.max(1),
            jitter: 0,
            expected_prior: 0,
            received_prior: 0,
        });
    }
}

impl Stream {
    /// False when the numbers began anew.
    fn count(&mut self, header: &Header) -> bool {
        let ahead = header.sequence.wrapping_sub(self.max);
        if ahead < MAX_DROPOUT {
            if header.sequence < self.max {
                self.cycles = self.cycles.wrapping_add(0x1_0000);
            }
            self.max = header.sequence;
        } else if ahead <= u16::MAX - MAX_MISORDER {
            if self.restart_at == Some(header.sequence) {
                return false;
            }
            self.restart_at = Some(header.sequence.wrapping_add(1));
            return true;
        }
        self.received += 1;
        true
    }

    /// Another clock under the same SSRC: its timestamps can't be compared with those before (RFC 7160).
    fn follow(&mut self, clock: u32) {
        let clock = clock.max(1);
        if clock != self.clock {
            self.jitter = (u64::from(self.jitter) * u64::from(clock) / u64::from(self.clock)) as u32;
            (self.clock, self.transit) = (clock, None);
        }
    }

    /// RFC 3550 A.8, in whole timestamp units.
    fn measure(&mut self, header: &Header, now_us: u64) {
        let arrival = ticks(now_us, self.clock) as u32;
        let transit = arrival.wrapping_sub(header.timestamp);
        if let Some(last) = self.transit.replace(transit) {
            let difference = (transit.wrapping_sub(last) as i32).unsigned_abs().min(u32::from(u16::MAX));
            self.jitter = self.jitter + difference - ((self.jitter + 8) >> 4);
        }
    }

    fn expected(&self) -> u64 {
        u64::from(self.cycles) + u64::from(self.max) + 1 - u64::from(self.base)
    }

    fn lost(&self) -> u64 {
        self.expected().saturating_sub(self.received)
    }

    fn fraction_lost(&mut self) -> u8 {
        let expected = self.expected() - self.expected_prior;
        let received = self.received - self.received_prior;
        (self.expected_prior, self.received_prior) = (self.expected(), self.received);
        match expected.saturating_sub(received) {
            0 => 0,
            lost => (lost * 256 / expected.max(1)).min(255) as u8,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::RATE;

    fn header(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header { payload_type: 8, marker: false, sequence, timestamp, ssrc, payload: 12..172 }
    }

    /// Numbers as they came, one every 20 ms.
    fn received(sequences: impl IntoIterator<Item = u16>) -> Statistics {
        let mut statistics = Statistics::default();
        for (index, sequence) in sequences.into_iter().enumerate() {
            let at = index as u64 * 20_000;
            statistics.receive(&header(1, sequence, index as u32 * 160), RATE, at);
        }
        statistics
    }

    #[test]
    fn loss_is_what_is_missing() {
        let cases: [(&[u16], u64); 6] = [
            (&[10, 11, 12], 0),
            (&[10, 12, 15], 3),
            (&[65534, 65535, 0, 2], 1),
            (&[10, 12, 11, 13], 0),
            (&[10, 10, 11, 11], 0),
            (&[10, 11, 9000, 9001, 9002], 0),
        ];
        for (sequences, lost) in cases {
            let statistics = received(sequences.iter().copied());
            assert_eq!(statistics.lost(), lost, "{sequences:?}");
            assert_eq!(statistics.received(), sequences.len() as u64);
        }
    }

    #[test]
    fn loss_of_a_stream_that_is_over_stays_counted() {
        let mut statistics = received([1, 2, 5]);
        for sequence in [40_000, 40_001, 40_003] {
            statistics.receive(&header(2, sequence, 0), RATE, 0);
        }
        assert_eq!(statistics.lost(), 3);
        assert_eq!(statistics.ssrc(), Some(2));
    }

    #[test]
    fn single_packets_of_another_stream_change_nothing() {
        let mut statistics = received([1, 2, 3]);
        for sequence in 4..10 {
            statistics.receive(&header(1, sequence, 0), RATE, 0);
            statistics.receive(&header(2, 500 + sequence, 0), RATE, 0);
        }
        assert_eq!((statistics.ssrc(), statistics.lost(), statistics.received()), (Some(1), 0, 15));
    }

    #[test]
    fn jitter_is_the_smoothed_change_of_transit() {
        assert_eq!(received(0..500).jitter_us(), 0);
        for clock in [8_000, 48_000] {
            let jitter = uneven(clock).jitter_us();
            assert!((4_000..=5_500).contains(&jitter), "{jitter} at {clock}");
        }
    }

    /// Every second packet comes 5 ms late.
    fn uneven(clock: u32) -> Statistics {
        let mut statistics = Statistics::default();
        for i in 0..2000u32 {
            let at = u64::from(i) * 20_000 + u64::from(i % 2) * 5_000;
            statistics.receive(&header(1, i as u16, i * (clock / 50)), clock, at);
        }
        statistics
    }

    #[test]
    fn a_change_of_the_clock_is_no_jitter() {
        let mut statistics = uneven(8_000);
        let before = statistics.jitter_us();
        statistics.receive(&header(1, 2_000, 4_000_000), 48_000, 40_000_000);
        assert!(statistics.jitter_us().abs_diff(before) < 150, "{} after {before}", statistics.jitter_us());
        assert_eq!(statistics.lost(), 0);
    }

    #[test]
    fn blocks_tell_the_fraction_since_the_last_one() {
        let mut statistics = received([1, 2, 3, 5, 6, 7, 9, 10]);
        let block = statistics.block(Some((0xabcd, 500_000))).unwrap();
        assert_eq!((block.lost, block.highest, block.fraction_lost), (2, 10, 51));
        assert_eq!((block.last_sr, block.delay), (0xabcd, 32_768));
        statistics.receive(&header(1, 11, 0), RATE, 0);
        assert_eq!(statistics.block(None).unwrap().fraction_lost, 0);
    }

    proptest! {
        #[test]
        fn any_packets_are_counted(all in proptest::collection::vec((0..2u32, any::<u16>(), any::<u32>(), 0..u64::MAX / 10_000), 0..200)) {
            let mut statistics = Statistics::default();
            for (index, (ssrc, sequence, timestamp, at)) in all.iter().enumerate() {
                let clock = if index.is_multiple_of(3) { 48_000 } else { RATE };
                statistics.receive(&header(*ssrc, *sequence, *timestamp), clock, *at);
                prop_assert_eq!(statistics.received(), index as u64 + 1);
                let _ = (statistics.block(None), statistics.jitter_us());
            }
        }

        #[test]
        fn shuffled_neighbours_lose_nothing(start: u16, swaps in proptest::collection::vec(any::<bool>(), 1..300)) {
            let mut order: Vec<u16> = (0..swaps.len() as u16 + 1).map(|i| start.wrapping_add(i)).collect();
            let mut index = 1;
            while index < swaps.len() {
                if swaps[index] {
                    order.swap(index, index + 1);
                    index += 1;
                }
                index += 1;
            }
            prop_assert_eq!(received(order).lost(), 0);
        }
    }
}
