//! What one far end hears from us is one RTP stream, whatever it is fed from: a prompt, then music, then an agent,
//! then another. Many phones drop or mistime sound when SSRC and numbers jump, so packets that are passed on are
//! renumbered to follow what was sent before. Pauses stay pauses: timestamps follow the clock of the codec sent.

use crate::{
    RATE, frame_ticks,
    header::{self, Header},
    ticks,
};

/// So many packets late, or lost in a row, a sealed stream bears.
const LATE: i16 = 100;
const AHEAD: i16 = 3_000;

/// One outgoing stream.
#[derive(Debug, Clone)]
pub struct Outgoing {
    ssrc: u32,
    /// Timestamp units in a second.
    clock: u32,
    /// The number that follows the highest one sent.
    next: u16,
    timestamp: u32,
    sent_us: Option<u64>,
    fed: Option<Fed>,
    packets: u64,
    octets: u64,
}

/// What the stream is fed from now, and how its numbers become ours.
#[derive(Debug, Clone, Copy)]
struct Fed {
    source: u64,
    sequence: u16,
    timestamp: u32,
}

impl Outgoing {
    /// A stream at 8000 Hz that has sent nothing. The three numbers should be hard to guess (RFC 3550 section 5.1).
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Self {
        Self { ssrc, clock: RATE, next: sequence, timestamp, sent_us: None, fed: None, packets: 0, octets: 0 }
    }

    /// Another stream from now on, as if nothing had been sent: its far end counts from nothing, too.
    pub fn renew(&mut self, ssrc: u32, sequence: u16) {
        (self.ssrc, self.next, self.fed) = (ssrc, sequence, None);
    }

    /// Whether a packet of what feeds the stream would jump so far that its number can't be told from one that was used:
    /// the far end of a sealed stream would never hear it.
    pub fn is_astray(&self, header: &Header, source: u64) -> bool {
        let fed = self.fed.filter(|fed| fed.source == source);
        fed.is_some_and(|fed| {
            let ahead = header.sequence.wrapping_add(fed.sequence).wrapping_sub(self.next) as i16;
            !(-LATE..AHEAD).contains(&ahead)
        })
    }

    /// The codec sent from now on has this clock. Where it is another, what comes next begins a talkspurt, whose
    /// timestamp follows the last one by what the new clock counted since.
    pub fn set_clock(&mut self, clock: u32) {
        if self.clock != clock {
            self.clock = clock;
            self.fed = None;
        }
    }

    /// Rewrites a packet of another stream, of the same clock, to be the next of this one. `source` names the stream it
    /// belongs to (endpoint and SSRC): a change of it starts a new talkspurt (marker) right after what was sent before.
    pub fn forward(
        &mut self,
        packet: &mut [u8],
        header: &Header,
        payload_type: u8,
        source: u64,
        now_us: u64,
    ) {
        let (fed, turned) = match self.fed {
            Some(fed) if fed.source == source => (fed, false),
            _ => (self.turn_to(source, header, now_us), true),
        };
        let sequence = header.sequence.wrapping_add(fed.sequence);
        let timestamp = header.timestamp.wrapping_add(fed.timestamp);
        header::set_payload_type(packet, payload_type, header.marker || turned);
        header::set_sequence(packet, sequence);
        header::set_timestamp(packet, timestamp);
        header::set_ssrc(packet, self.ssrc);
        self.sent(sequence, timestamp, header.payload.len(), now_us);
    }

    /// Nothing of what feeds the stream is passed on for now (hold). Whatever comes next, the same source too, begins a
    /// talkspurt that follows what was sent before: the numbers close over the pause and the timestamp shows it.
    pub fn pause(&mut self) {
        self.fed = None;
    }

    /// A packet of the source that is not passed on: the numbers close over it, so that nobody takes it for lost.
    pub fn skip(&mut self, header: &Header, source: u64) {
        if let Some(fed) = &mut self.fed
            && fed.source == source
            && header.sequence.wrapping_add(fed.sequence) == self.next
        {
            fed.sequence = fed.sequence.wrapping_sub(1);
        }
    }

    /// Writes the header of a frame of our own: 20 ms, which fill the rest of `packet`. `first` begins a talkspurt.
    pub fn frame(&mut self, packet: &mut [u8], payload_type: u8, first: bool, now_us: u64) {
        let own = self.fed.is_none() && self.sent_us.is_some() && !first;
        let step = frame_ticks(self.clock);
        let timestamp = if own { self.timestamp.wrapping_add(step) } else { self.now(now_us) };
        let sequence = self.next;
        self.fed = None;
        header::write(packet, payload_type, !own, sequence, timestamp, self.ssrc);
        self.sent(sequence, timestamp, packet.len() - header::LENGTH, now_us);
    }

    /// Writes the header of a packet of our own between those of what feeds the stream (a digit, made anew for the far
    /// end), which fills the rest of `packet`: what feeds it goes on behind, without a gap. The timestamp is the stream's,
    /// as `now` gave it when the digit began.
    pub fn insert(&mut self, packet: &mut [u8], payload_type: u8, marker: bool, timestamp: u32, now_us: u64) {
        header::write(packet, payload_type, marker, self.next, timestamp, self.ssrc);
        self.next = self.next.wrapping_add(1);
        if let Some(fed) = &mut self.fed {
            fed.sequence = fed.sequence.wrapping_add(1);
        }
        self.sent_us.get_or_insert(now_us);
        self.packets += 1;
        self.octets += (packet.len() - header::LENGTH) as u64;
    }

    /// The stream's source.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Packets sent.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Bytes of payload sent.
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// The stream's clock at `now_us`; never before one frame after the last packet.
    pub fn now(&self, now_us: u64) -> u32 {
        match self.sent_us {
            Some(sent) => {
                let passed = ticks(now_us.saturating_sub(sent), self.clock);
                self.timestamp.wrapping_add(passed.max(frame_ticks(self.clock).into()) as u32)
            }
            None => self.timestamp,
        }
    }

    fn turn_to(&mut self, source: u64, header: &Header, now_us: u64) -> Fed {
        let fed = Fed {
            source,
            sequence: self.next.wrapping_sub(header.sequence),
            timestamp: self.now(now_us).wrapping_sub(header.timestamp),
        };
        self.fed = Some(fed);
        fed
    }

    fn sent(&mut self, sequence: u16, timestamp: u32, octets: usize, now_us: u64) {
        self.packets += 1;
        self.octets += octets as u64;
        let next = sequence.wrapping_add(1);
        if self.sent_us.is_none() || header::is_newer(next, self.next) {
            self.next = next;
            self.timestamp = timestamp;
            self.sent_us = Some(now_us);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::FRAME_US;

    fn incoming(sequence: u16, timestamp: u32) -> Vec<u8> {
        let mut packet = vec![0xd5; 172];
        header::write(&mut packet, 8, false, sequence, timestamp, 0x1111);
        packet
    }

    #[test]
    fn a_source_that_begins_its_numbers_anew_is_astray() {
        let mut out = Outgoing::new(7, 100, 0);
        forward(&mut out, 1, 5_000, 0, 0);
        let header = |sequence| Header::read(&incoming(sequence, 0)).unwrap();
        for (sequence, expected) in
            [(5_001, false), (4_950, false), (7_900, false), (4_000, true), (9_000, true), (60_000, true)]
        {
            assert_eq!(out.is_astray(&header(sequence), 1), expected, "{sequence}");
            assert!(!out.is_astray(&header(sequence), 2), "another source follows anyhow");
        }
    }

    #[test]
    fn a_renewed_stream_goes_on_under_other_numbers() {
        let mut out = Outgoing::new(7, 100, 0);
        forward(&mut out, 1, 5_000, 0, 0);
        out.renew(8, 30);
        let header = forward(&mut out, 1, 5_001, 160, FRAME_US);
        assert_eq!((header.ssrc, header.sequence, header.marker), (8, 30, true));
    }

    fn forward(out: &mut Outgoing, source: u64, sequence: u16, timestamp: u32, now_us: u64) -> Header {
        let mut packet = incoming(sequence, timestamp);
        let header = Header::read(&packet).unwrap();
        out.forward(&mut packet, &header, 0, source, now_us);
        Header::read(&packet).unwrap()
    }

    fn frame(out: &mut Outgoing, first: bool, now_us: u64) -> Header {
        let mut packet = [0; 172];
        out.frame(&mut packet, 0, first, now_us);
        Header::read(&packet).unwrap()
    }

    #[test]
    fn music_then_an_agent_then_another_is_one_stream() {
        let mut out = Outgoing::new(42, 65_534, 1000);
        let mut heard = vec![frame(&mut out, true, 0), frame(&mut out, false, FRAME_US)];
        heard.push(forward(&mut out, 1, 500, 77_000, 2 * FRAME_US));
        heard.push(forward(&mut out, 1, 501, 77_160, 3 * FRAME_US));
        heard.push(forward(&mut out, 2, 9, 5, 103 * FRAME_US));
        heard.push(frame(&mut out, true, 104 * FRAME_US));
        let numbers: Vec<(u16, u32, bool)> =
            heard.iter().map(|h| (h.sequence, h.timestamp, h.marker)).collect();
        assert_eq!(
            numbers,
            [
                (65_534, 1000, true),
                (65_535, 1160, false),
                (0, 1320, true),
                (1, 1480, false),
                (2, 1480 + 16_000, true),
                (3, 1480 + 16_160, true),
            ]
        );
        assert!(heard.iter().all(|h| h.ssrc == 42 && h.payload_type == 0));
        assert_eq!((out.packets(), out.octets()), (6, 960));
    }

    #[test]
    fn loss_and_disorder_are_passed_on_as_they_are() {
        let mut out = Outgoing::new(1, 100, 0);
        let sequences: Vec<u16> = [10, 13, 12, 14]
            .into_iter()
            .map(|n| forward(&mut out, 1, n, u32::from(n) * 160, 0).sequence)
            .collect();
        assert_eq!(sequences, [100, 103, 102, 104]);
    }

    #[test]
    fn packets_kept_back_leave_no_gap() {
        let mut out = Outgoing::new(1, 100, 0);
        forward(&mut out, 1, 10, 0, 0);
        for sequence in [11, 12] {
            out.skip(&Header::read(&incoming(sequence, 0)).unwrap(), 1);
        }
        assert_eq!(forward(&mut out, 1, 13, 480, 0).sequence, 101);
    }

    #[test]
    fn after_a_pause_the_numbers_go_on_however_much_was_held_back() {
        for held_back in [1, 50, 40_000, 65_536, 100_000u64] {
            let mut out = Outgoing::new(1, 65_530, 0);
            let sent = |out: &mut Outgoing, n: u64| forward(out, 1, n as u16, n as u32 * 160, n * FRAME_US);
            let before = sent(&mut out, 10);
            out.pause();
            let after = sent(&mut out, 11 + held_back);
            assert_eq!(after.sequence, before.sequence.wrapping_add(1), "{held_back}");
            assert!(after.marker, "a talkspurt begins");
            let step = after.timestamp.wrapping_sub(before.timestamp);
            assert_eq!(u64::from(step), 160 * (held_back + 1), "the pause took its time");
            let next = sent(&mut out, 12 + held_back);
            assert_eq!((next.sequence, next.marker), (after.sequence.wrapping_add(1), false));
        }
    }

    #[test]
    fn timestamps_follow_the_codecs_clock_and_a_change_of_it() {
        let mut out = Outgoing::new(1, 100, 0);
        out.set_clock(48_000);
        let first = forward(&mut out, 1, 10, 7_000, 0);
        let second = forward(&mut out, 1, 11, 7_960, FRAME_US);
        let own = frame(&mut out, false, 5 * FRAME_US);
        let after = frame(&mut out, false, 6 * FRAME_US);
        assert_eq!([first, second, own, after].map(|h| h.timestamp), [0, 960, 4_800, 5_760]);
        assert_eq!(out.now(8 * FRAME_US), 5_760 + 2 * 960);
        out.set_clock(8_000);
        let other = forward(&mut out, 1, 12, 99, 7 * FRAME_US);
        assert_eq!((other.sequence, other.timestamp, other.marker), (104, 5_760 + 160, true));
    }

    #[test]
    fn what_is_put_between_leaves_no_gap_and_moves_no_timestamp() {
        let mut out = Outgoing::new(1, 65_534, 0);
        let mut packet = [0; 16];
        let mut insert = |out: &mut Outgoing, timestamp, now_us| {
            out.insert(&mut packet, 101, true, timestamp, now_us);
            Header::read(&packet).unwrap()
        };
        let before = forward(&mut out, 1, 10, 0, 0);
        let began = out.now(FRAME_US);
        let digits = [insert(&mut out, began, FRAME_US), insert(&mut out, began, 2 * FRAME_US)];
        let after = forward(&mut out, 1, 11, 160, 2 * FRAME_US);
        let heard = [&before, &digits[0], &digits[1], &after];
        assert_eq!(heard.map(|h| h.sequence), [65_534, 65_535, 0, 1]);
        assert_eq!(heard.map(|h| h.timestamp), [0, 160, 160, 160]);
        assert!(!after.marker && digits[0].payload_type == 101);
        assert_eq!((out.packets(), out.octets()), (4, 328));
    }

    proptest! {
        #[test]
        fn numbers_never_jump_when_sources_change(turns in proptest::collection::vec((0..4u64, 1..20u16, any::<u16>()), 1..30)) {
            let mut out = Outgoing::new(1, 65_000, u32::MAX - 5_000);
            let mut now = 0;
            let mut last: Option<Header> = None;
            for (source, count, start) in turns {
                // A source that comes back goes on from where it was only if nothing lay between: number by the clock.
                for i in 0..count {
                    now += FRAME_US;
                    let header = match source {
                        0 => frame(&mut out, false, now),
                        _ => {
                            let n = start.wrapping_add(i);
                            forward(&mut out, source * 100_000 + u64::from(start), n, u32::from(n) * 160, now)
                        }
                    };
                    if let Some(last) = &last {
                        prop_assert!(source == 0 || i > 0 || header.sequence == last.sequence.wrapping_add(1));
                        prop_assert!(header.sequence != last.sequence);
                    }
                    last = Some(header);
                }
            }
        }
    }
}
