//! What has come of a stream and waits to be heard, by where it lies in the stream's time.

/// Packets that are kept at most.
pub(super) const SLOTS: usize = 48;

/// One stream's packets. Once it is made it allocates for those that are longer than any before only.
#[derive(Debug)]
pub(super) struct Waiting {
    /// By place.
    slots: Vec<Slot>,
    /// Room for others.
    spare: Vec<Vec<u8>>,
}

/// A packet.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) sequence: u16,
    pub(super) place: u32,
    pub(super) ticks: u32,
    pub(super) payload: Vec<u8>,
}

impl Waiting {
    pub(super) fn new() -> Self {
        Self { slots: Vec::with_capacity(SLOTS + 1), spare: Vec::with_capacity(SLOTS + 2) }
    }

    /// Puts a packet in its place, seen from a place that all others are near. One that waits already is not put twice.
    pub(super) fn put(&mut self, (sequence, place, ticks): (u16, u32, u32), payload: &[u8], from: u32) {
        let step = |place: u32| place.wrapping_sub(from) as i32;
        let number = self.slots.partition_point(|slot| step(slot.place) < step(place));
        let is_there = self.slots.get(number).is_some_and(|slot| slot.place == place);
        if is_there || self.slots.iter().any(|slot| slot.sequence == sequence) {
            return;
        }
        let mut kept = self.spare.pop().unwrap_or_default();
        kept.clear();
        kept.extend_from_slice(payload);
        self.slots.insert(number, Slot { sequence, place, ticks, payload: kept });
    }

    pub(super) fn first(&self) -> Option<&Slot> {
        self.slots.first()
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Ticks from a place, the first packet's where none is named, to the end of the last one's sound.
    pub(super) fn reach(&self, from: Option<u32>) -> u32 {
        let (Some(first), Some(last)) = (self.slots.first(), self.slots.last()) else { return 0 };
        let ends = last.place.wrapping_add(last.ticks).wrapping_sub(from.unwrap_or(first.place));
        u32::try_from(ends as i32).unwrap_or(0)
    }

    pub(super) fn take_first(&mut self) -> Option<Slot> {
        (!self.slots.is_empty()).then(|| self.slots.remove(0))
    }

    /// Takes a payload back that nobody needs any more.
    pub(super) fn give_back(&mut self, payload: Vec<u8>) {
        self.spare.push(payload);
    }

    pub(super) fn clear(&mut self) {
        self.spare.extend(self.slots.drain(..).map(|slot| slot.payload));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_packet_is_kept_once_in_its_place_also_where_places_turn_over() {
        let mut waiting = Waiting::new();
        let from = u32::MAX - 159;
        for number in [0_u16, 2, 1, 2] {
            let place = from.wrapping_add(u32::from(number) * 160);
            waiting.put((number, place, 160), &[number as u8], from);
        }
        waiting.put((2, 999, 160), &[9], from);
        waiting.put((9, 0, 160), &[9], from);
        assert_eq!((waiting.len(), waiting.reach(None), waiting.reach(Some(0))), (3, 480, 320));
        let taken: Vec<Slot> = std::iter::from_fn(|| waiting.take_first()).collect();
        let numbers: Vec<u16> = taken.iter().map(|slot| slot.sequence).collect();
        assert_eq!((numbers, waiting.reach(None)), (vec![0, 1, 2], 0));
        assert_eq!(taken.last().unwrap().payload, [2]);
    }

    #[test]
    fn nothing_is_allocated_for_what_comes_after_something_was_heard() {
        let mut waiting = Waiting::new();
        waiting.put((1, 0, 160), &[1; 160], 0);
        let payload = waiting.take_first().unwrap().payload;
        let kept = payload.as_ptr();
        waiting.give_back(payload);
        waiting.put((2, 160, 160), &[2; 160], 0);
        assert_eq!(waiting.first().unwrap().payload.as_ptr(), kept);
    }
}
