//! Where packets lie in their stream's own time, in whatever order they come: as their timestamps say, where those count
//! sound; else as far as their sound reaches ([`Stretch`]).

use crate::{Packet, stretch::Stretch};

/// One stream's.
#[derive(Debug)]
pub(super) struct Timeline {
    stretch: Stretch,
    /// The packet with the highest number so far.
    sequence: u16,
    timestamp: u32,
    ticks: u32,
    /// Where it lies.
    place: u32,
}

impl Timeline {
    /// Of a stream that begins with this packet: it lies where its timestamp says.
    pub(super) fn new(packet: &Packet<'_>, ticks: u32) -> Self {
        let Packet { sequence, timestamp, .. } = *packet;
        Self { stretch: Stretch::default(), sequence, timestamp, ticks, place: timestamp }
    }

    /// Where a packet lies whose sound is so many ticks long.
    pub(super) fn place(&mut self, packet: &Packet<'_>, ticks: u32) -> u32 {
        let ahead = i32::from(packet.sequence.wrapping_sub(self.sequence) as i16);
        let step = packet.timestamp.wrapping_sub(self.timestamp) as i32;
        match u32::try_from(ahead - 1) {
            Ok(missing) => {
                let place = self.place.wrapping_add(self.forth(step, missing, packet.marker));
                let Packet { sequence, timestamp, .. } = *packet;
                (self.sequence, self.timestamp, self.ticks, self.place) = (sequence, timestamp, ticks, place);
                place
            }
            Err(_) if step < 0 => self.place.wrapping_sub(self.stretch.real(step.unsigned_abs(), self.ticks)),
            Err(_) => self.place.wrapping_add(self.stretch.real(step.unsigned_abs(), self.ticks)),
        }
    }

    /// From the newest packet's place to a newer one's.
    fn forth(&mut self, step: i32, missing: u32, marker: bool) -> u32 {
        match u32::try_from(i64::from(step) - i64::from(self.ticks)) {
            Ok(jump) => self.ticks + self.stretch.between(jump, missing, marker, self.ticks),
            // Before the other has ended: as it says.
            Err(_) => step as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, timestamp: u32) -> Packet<'static> {
        Packet { source: 1, sequence, timestamp, marker: false, payload: &[] }
    }

    #[test]
    fn honest_timestamps_are_places_whatever_the_order() {
        let from = u32::MAX - 319;
        let mut timeline = Timeline::new(&packet(65_534, from), 160);
        for number in [1_u16, 0, 3, 2, 7, 4] {
            let timestamp = from.wrapping_add(u32::from(number) * 160);
            let packet = packet(65_534_u16.wrapping_add(number), timestamp);
            assert_eq!(timeline.place(&packet, 160), timestamp, "{number}");
        }
    }

    #[test]
    fn of_g722_at_16_khz_a_place_is_that_of_the_sound() {
        let mut timeline = Timeline::new(&packet(0, 0), 160);
        // In order at first; then 7 is late, 9 is lost, 5 comes twice.
        for number in [1, 2, 3, 4, 5, 6, 8, 7, 10, 11, 5] {
            let place = timeline.place(&packet(number, u32::from(number) * 320), 160);
            assert_eq!(place, u32::from(number) * 160, "{number}");
        }
    }

    #[test]
    fn timestamps_that_go_back_are_taken_as_they_are() {
        let mut timeline = Timeline::new(&packet(0, 1000), 160);
        assert_eq!(timeline.place(&packet(1, 1100), 160), 1100);
        assert_eq!(timeline.place(&packet(2, 0x9000_0000), 160), 0x9000_0000);
    }
}
