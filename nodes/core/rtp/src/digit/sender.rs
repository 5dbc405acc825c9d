//! From a key press to its packets: one every 20 ms with growing duration, the last one three times.

use super::{KEYS, Payload};
use crate::frame_ticks;

/// How often the end is said (RFC 4733 section 2.5.1.4).
const ENDS: u8 = 3;
/// -10 dBm0, the usual loudness of a key.
const VOLUME: u8 = 10;
/// The longest press in units of its clock: they are said in 16 bits.
const LONGEST: u32 = 64_000;

/// A press being sent.
#[derive(Debug, Clone)]
pub struct Sender {
    event: u8,
    /// Of one packet, and of all.
    step: u16,
    units: u16,
    sent: u16,
    ends: u8,
}

/// One packet of the press. All carry the timestamp of its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Set on the first packet.
    pub marker: bool,
    pub payload: [u8; 4],
}

impl Sender {
    /// A press beside sound of this clock. None when `key` is no key. Durations are cut to what 16 bits can say: eight
    /// seconds at 8 kHz, 1.3 at 48 kHz.
    pub fn new(key: char, duration_ms: u32, clock: u32) -> Option<Self> {
        let event = KEYS.iter().position(|k| *k as char == key.to_ascii_uppercase())? as u8;
        let step = frame_ticks(clock).clamp(1, LONGEST);
        let units = duration_ms.saturating_mul(clock / 1000).clamp(step, LONGEST);
        Some(Self { event, step: step as u16, units: units as u16, sent: 0, ends: 0 })
    }

    /// The next packet, to be sent 20 ms after the one before; None when the press is over.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Packet> {
        if self.ends == ENDS {
            return None;
        }
        let marker = self.sent == 0;
        self.sent = self.sent.saturating_add(self.step).min(self.units);
        let end = self.sent == self.units;
        self.ends += u8::from(end);
        let payload = Payload { event: self.event, end, volume: VOLUME, duration: self.sent }.write();
        Some(Packet { marker, payload })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_press_is_marked_grows_and_ends_three_times() {
        let mut sender = Sender::new('#', 100, 8_000).unwrap();
        let packets: Vec<Packet> = std::iter::from_fn(|| sender.next()).collect();
        let read: Vec<(bool, bool, u16)> = packets
            .iter()
            .map(|p| (p.marker, Payload::read(&p.payload).unwrap()))
            .map(|(marker, payload)| (marker, payload.end, payload.duration))
            .collect();
        let grows = [(true, false, 160), (false, false, 320), (false, false, 480), (false, false, 640)];
        assert_eq!(read[..4], grows);
        assert_eq!(read[4..], [(false, true, 800); 3]);
    }

    #[test]
    fn only_keys_are_sent() {
        assert!(Sender::new('x', 100, 8_000).is_none());
        assert!(Sender::new('d', u32::MAX, 48_000).is_some());
    }
}
