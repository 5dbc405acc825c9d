//! What lives in the segments, in memory: where each entry is, and the small records themselves. It learns from the frames'
//! own bytes, while running as at a start.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;

use super::frame::HEAD;
use super::op::{self, Found, Operations};
use crate::types::GroupId;

/// Of entries that a segment which is gone had: more can only be nonsense.
const MOST_MISSING: u64 = 1 << 26;

/// Where an entry's operation is. A length of 0: nowhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) segment: u32,
    pub(super) at: u32,
    pub(super) length: u32,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    groups: BTreeMap<GroupId, Group>,
    entries: BTreeMap<u32, Tally>,
}

/// Bytes of the entries in one segment.
#[derive(Debug, Default)]
struct Tally {
    written: u64,
    live: u64,
}

#[derive(Debug, Default)]
struct Group {
    /// Index of the first of `spots`.
    first: u64,
    spots: VecDeque<Spot>,
    records: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Index {
    /// Takes in a whole frame, which is at this place. `Err`: where in the frame it makes no sense.
    pub(super) fn take(&mut self, frame: &[u8], segment: u32, at: usize) -> Result<(), usize> {
        for found in Operations::new(&frame[HEAD..]) {
            match found.map_err(|place| HEAD + place)? {
                Found::Entry { group, index, place } => {
                    let begin = HEAD + place.start;
                    let spot = spot(segment, at + begin, place.len()).ok_or(begin)?;
                    self.put(group, index, spot).ok_or(begin)?;
                }
                Found::Record { group, key, value } => {
                    self.groups.entry(group).or_default().records.insert(key.into(), value.into());
                }
                Found::Removed { group, range } => self.remove(group, range),
                Found::Held { group, range } => {
                    self.groups.entry(group).or_default().expect(range).ok_or(HEAD)?;
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, group: GroupId, index: u64, spot: Spot) -> Option<()> {
        let group = self.groups.entry(group).or_default();
        let before = std::mem::replace(group.place(index)?, spot);
        self.account(before, false);
        self.account(spot, true);
        Some(())
    }

    fn remove(&mut self, group: GroupId, range: Range<u64>) {
        for spot in self.groups.entry(group).or_default().remove(range) {
            self.account(spot, false);
        }
    }

    fn account(&mut self, spot: Spot, comes: bool) {
        if spot.length > 0 {
            let tally = self.entries.entry(spot.segment).or_default();
            let length = u64::from(spot.length);
            if comes {
                tally.written += length;
                tally.live += length;
            } else {
                tally.live = tally.live.saturating_sub(length);
            }
        }
    }

    /// One of the small records.
    pub(super) fn record(&self, group: GroupId, key: &[u8]) -> Option<&[u8]> {
        self.groups.get(&group)?.records.get(key).map(Vec::as_slice)
    }

    /// Puts there, as operations, what a new segment begins with: all small records, and which entries live.
    pub(super) fn write_summary(&self, into: &mut Vec<u8>) -> std::io::Result<()> {
        for (id, group) in &self.groups {
            for (key, value) in &group.records {
                op::write_record(*id, key, value, into)?;
            }
            if !group.spots.is_empty() {
                op::write_held(*id, &(group.first..group.end()), into);
            }
        }
        Ok(())
    }

    /// Where an entry is.
    pub(super) fn spot(&self, group: GroupId, index: u64) -> Option<Spot> {
        let group = self.groups.get(&group)?;
        let place = usize::try_from(index.checked_sub(group.first)?).ok()?;
        group.spots.get(place).copied().filter(|spot| spot.length > 0)
    }

    /// From the first to the last entry that is known of. One between may be missing.
    pub(super) fn extent(&self, group: GroupId) -> Range<u64> {
        self.groups.get(&group).map_or(0..0, |group| group.first..group.end())
    }

    /// Bytes of the entries that live in this segment.
    pub(super) fn live(&self, segment: u32) -> u64 {
        self.entries.get(&segment).map_or(0, |tally| tally.live)
    }

    /// How much of a segment of this size lives, with what is written beside entries.
    pub(super) fn live_share(&self, segment: u32, size: u64) -> u64 {
        self.entries.get(&segment).map_or(0, |tally| size * tally.live / tally.written.max(1))
    }

    /// A segment is gone.
    pub(super) fn forget(&mut self, segment: u32) {
        self.entries.remove(&segment);
    }

    /// The entries that this segment has.
    pub(super) fn entries_in(&self, segment: u32) -> Vec<(GroupId, u64)> {
        let of = |(id, group): (&GroupId, &Group)| {
            let (id, first) = (*id, group.first);
            let spots = group.spots.iter().enumerate();
            let there = spots.filter(|(_, spot)| spot.length > 0 && spot.segment == segment);
            there.map(|(place, _)| (id, first + place as u64)).collect::<Vec<_>>()
        };
        self.groups.iter().flat_map(of).collect()
    }
}

impl Group {
    fn end(&self) -> u64 {
        self.first + self.spots.len() as u64
    }

    /// The place of an entry. At a start entries come in the order in which they were written last, so some may be missing
    /// for a while.
    fn place(&mut self, index: u64) -> Option<&mut Spot> {
        if self.spots.is_empty() {
            self.first = index;
        }
        let missing =
            self.first.saturating_sub(index).max(index.saturating_add(1).saturating_sub(self.end()));
        if missing > MOST_MISSING {
            return None;
        }
        while index < self.first {
            self.spots.push_front(Spot::default());
            self.first -= 1;
        }
        let place = (index - self.first) as usize;
        if place >= self.spots.len() {
            self.spots.resize(place + 1, Spot::default());
        }
        self.spots.get_mut(place)
    }

    /// Entries live; those that aren't known of are missing unless they turn up.
    fn expect(&mut self, range: Range<u64>) -> Option<()> {
        if !range.is_empty() {
            self.place(range.start)?;
            self.place(range.end - 1)?;
        }
        Some(())
    }

    fn remove(&mut self, range: Range<u64>) -> VecDeque<Spot> {
        if range.is_empty() {
            return VecDeque::new();
        }
        let kept = |bound: u64| bound.clamp(self.first, self.end()) - self.first;
        let (start, end) = (kept(range.start) as usize, kept(range.end) as usize);
        if start == 0 {
            let rest = self.spots.split_off(end);
            self.first += end as u64;
            return std::mem::replace(&mut self.spots, rest);
        }
        self.spots.split_off(start)
    }
}

/// `None` if a segment can't be as long.
fn spot(segment: u32, at: usize, length: usize) -> Option<Spot> {
    Some(Spot { segment, at: u32::try_from(at).ok()?, length: u32::try_from(length).ok()? })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(segment: u32, length: u32) -> Spot {
        Spot { segment, at: 64, length }
    }

    #[test]
    fn entries_are_found_wherever_they_were_written_last() {
        let mut index = Index::default();
        for entry in 11..14 {
            index.put(1, entry, at(5, 100)).unwrap();
        }
        // Carried on from a segment that is gone.
        for entry in 8..11 {
            index.put(1, entry, at(9, 10)).unwrap();
        }
        assert_eq!((index.extent(1), index.spot(1, 8), index.spot(1, 7)), (8..14, Some(at(9, 10)), None));
        index.put(1, 12, at(9, 50)).unwrap();
        assert_eq!((index.live(5), index.live(9)), (200, 80));
        assert_eq!((index.live_share(5, 900), index.live_share(7, 900)), (600, 0));
        assert_eq!(index.entries_in(5), [(1, 11), (1, 13)]);
        index.remove(1, 8..12);
        index.remove(1, 13..14);
        assert_eq!((index.extent(1), index.spot(1, 12)), (12..13, Some(at(9, 50))));
        assert_eq!((index.live(5), index.live(9)), (0, 50));
    }

    #[test]
    fn of_nothing_nothing_is_removed() {
        let mut index = Index::default();
        (3..6).for_each(|entry| index.put(1, entry, at(5, 100)).unwrap());
        for nothing in [4..4, 6..6, 0..3, 7..9] {
            index.remove(1, nothing);
        }
        assert_eq!(index.extent(1), 3..6);
    }

    #[test]
    fn an_entry_far_away_is_nonsense() {
        let mut index = Index::default();
        index.put(1, 11, at(5, 100)).unwrap();
        assert_eq!(index.put(1, 1 << 60, at(5, 100)), None);
        assert_eq!(index.extent(1), 11..12);
    }

    #[test]
    fn a_log_that_was_emptied_begins_anywhere() {
        let mut index = Index::default();
        index.put(1, 3, at(5, 100)).unwrap();
        index.remove(1, 3..4);
        index.put(1, 1 << 60, at(6, 100)).unwrap();
        assert_eq!((index.extent(1), index.live(5)), (1 << 60..(1 << 60) + 1, 0));
    }
}
