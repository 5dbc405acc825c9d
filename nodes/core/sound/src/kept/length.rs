//! How long a whole file is, by what it says itself.

use mangrove_rtp::{RATE, wav};

/// Bytes of a page of Ogg before its table of segments (RFC 3533 section 6).
const PAGE: usize = 27;

/// Milliseconds of sound in a whole file that [`Maker`](super::Maker) has made. Of what is none of its files it says
/// something that can be written down.
pub fn lasts_ms(file: &[u8]) -> u64 {
    if file.starts_with(b"OggS") { in_ogg(file).unwrap_or(0) } else { in_wav(file) }
}

fn in_wav(file: &[u8]) -> u64 {
    let channels = if file.get(22..24) == Some(&[1, 0][..]) { 1 } else { 2 };
    let sound = file.len().saturating_sub(wav::HEADER) as u64;
    sound / (2 * channels) * 1000 / u64::from(RATE)
}

/// The place where the last page ends, less what players leave out at the beginning, both at 48 kHz.
fn in_ogg(file: &[u8]) -> Option<u64> {
    let (mut rest, mut left_out, mut end) = (file, None, 0);
    while rest.starts_with(b"OggS") {
        let segments = usize::from(*rest.get(PAGE - 1)?);
        let table = rest.get(PAGE..PAGE + segments)?;
        let begin = PAGE + segments;
        let place = u64::from_le_bytes(rest.get(6..14)?.try_into().ok()?);
        if left_out.is_none() {
            let skip = u16::from_le_bytes(rest.get(begin + 10..begin + 12)?.try_into().ok()?);
            left_out = Some(u64::from(skip));
        }
        // A page in which no packet ends has no place.
        if place != u64::MAX {
            end = place;
        }
        rest = rest.get(begin + table.iter().map(|size| usize::from(*size)).sum::<usize>()..)?;
    }
    Some(end.saturating_sub(left_out?) / 48)
}
