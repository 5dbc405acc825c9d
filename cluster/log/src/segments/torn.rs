//! What stands behind the last frame that can be read: nothing, a write that a crash tore, or damage.
//!
//! Frames are written and synced one by one into zeros. So a crash leaves one frame in part, the last one, and what it
//! lacks of it are whole sectors, any of them. A frame that has all its sectors and is not as it was written is damage, for
//! it may have been acknowledged; so is anything that something whole follows.

use super::frame::{Blank, Head, is_zero, portions};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing was written from here on.
    Clean,
    /// A frame was begun, of which nobody was told that it is there; behind the given place are zeros.
    Torn(usize),
    Damaged,
}

/// Judges `bytes` of a segment from `at` on, where the frame `number` would begin.
pub(super) fn judge(bytes: &[u8], at: usize, number: u64) -> Verdict {
    let rest = &bytes[at..];
    let Some(last) = rest.iter().rposition(|byte| *byte != 0) else { return Verdict::Clean };
    let is_torn = match Head::read(rest) {
        Some(head) => {
            head.number == number
                && last < head.length
                && head.length <= rest.len()
                && lacks_sectors(head, rest, at)
        }
        None => portions(rest, at).next().is_some_and(is_zero) && !is_followed(&rest[..=last], number),
    };
    if is_torn { Verdict::Torn(at + last + 1) } else { Verdict::Damaged }
}

fn lacks_sectors(head: Head, rest: &[u8], at: usize) -> bool {
    Blank::count(&rest[..head.length], at).lacks_of(head.blank)
}

/// Whether a later frame begins somewhere in there.
fn is_followed(bytes: &[u8], number: u64) -> bool {
    let starts = memchr::memmem::find_iter(bytes, b"MGL");
    starts.filter_map(|start| Head::read(&bytes[start..])).any(|head| head.number > number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::frame::{Frame, SECTOR};
    use super::*;

    const AT: usize = 320;

    fn frame(number: u64, at: usize, body: &[u8]) -> Vec<u8> {
        let mut frame = Frame::default();
        frame.operations().extend_from_slice(body);
        frame.seal(number, at).unwrap().to_vec()
    }

    /// A segment with this at `AT`.
    fn segment(frame: &[u8]) -> Vec<u8> {
        [&[7; AT][..], frame, &[0; 4 * SECTOR]].concat()
    }

    /// As it is, with only those sectors of the frame written that `keep` says.
    fn written(frame: &[u8], keep: impl Fn(usize) -> bool) -> Vec<u8> {
        let parts = portions(frame, AT).enumerate();
        let kept: Vec<_> = parts
            .flat_map(|(sector, part)| if keep(sector) { part.to_vec() } else { vec![0; part.len()] })
            .collect();
        segment(&kept)
    }

    #[test]
    fn any_sectors_that_a_crash_kept_from_the_disk_make_a_torn_frame() {
        // Some of its sectors are zero by right, and one but for a byte.
        let mut body = vec![5; 6 * SECTOR];
        body[SECTOR * 2..SECTOR * 4].fill(0);
        body[SECTOR * 4..SECTOR * 5].fill(0);
        body[SECTOR * 4 + 100] = 1;
        let whole = frame(9, AT, &body);
        let says_something = |part: &[u8]| part.iter().filter(|byte| **byte != 0).count() > 1;
        let telling: Vec<_> = portions(&whole, AT).map(says_something).collect();
        assert!(telling.contains(&false));
        for kept in 1u32..1 << telling.len() {
            let is_kept = |sector: usize| kept >> sector & 1 == 1;
            let bytes = written(&whole, is_kept);
            let lacks = telling.iter().enumerate().any(|(sector, telling)| *telling && !is_kept(sector));
            let has = bytes[AT..].iter().any(|byte| *byte != 0);
            if lacks && has {
                assert!(matches!(judge(&bytes, AT, 9), Verdict::Torn(_)), "{kept:b}");
            }
        }
    }

    #[test]
    fn a_changed_byte_in_a_frame_is_damage() {
        let mut body = vec![5; 3 * SECTOR];
        // Sectors that one change makes zero, or nearly so.
        body[SECTOR..].fill(0);
        body[SECTOR + 300] = 1;
        body[SECTOR * 2 + 300..][..2].fill(1);
        let whole = frame(9, AT, &body);
        for place in 0..whole.len() {
            for change in [1, 0x80, whole[place]].into_iter().filter(|change| *change != 0) {
                let mut bytes = segment(&whole);
                bytes[AT + place] ^= change;
                assert_eq!(judge(&bytes, AT, 9), Verdict::Damaged, "byte {place}, {change:#x}");
            }
        }
    }

    #[test]
    fn what_is_followed_by_something_whole_is_damage() {
        let first = frame(9, AT, &[5; 3 * SECTOR]);
        let next = frame(10, AT + first.len(), b"next");
        let bytes = segment(&[&first[..], &next].concat());
        for sector in 0..portions(&first, AT).count() {
            let mut holed = bytes.clone();
            let start = if sector == 0 { AT } else { SECTOR * sector };
            let end = (SECTOR * (sector + 1)).min(AT + first.len());
            holed[start..end].fill(0);
            assert_eq!(judge(&holed, AT, 9), Verdict::Damaged, "sector {sector}");
        }
        assert_eq!(judge(&segment(&next), AT, 9), Verdict::Damaged, "a frame is missing");
        assert_eq!(judge(&segment(&[]), AT, 9), Verdict::Clean);
    }
}
