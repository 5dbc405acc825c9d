//! The `Range` header (RFC 9110, section 14): one range of bytes; several are answered with the whole.

use std::ops::Range;

/// What to send of an object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it, 200.
    Whole,
    /// A part, 206.
    Part(Range<u64>),
    /// A part that isn't there, 416.
    Beyond,
}

pub(crate) fn read(header: Option<&str>, size: u64) -> Wanted {
    let Some(range) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    let Some((first, last)) = range.split_once('-') else { return Wanted::Whole };
    match (first.trim().parse::<u64>(), last.trim()) {
        (Ok(first), "") => part(first, size, size),
        (Ok(first), last) => match last.parse::<u64>() {
            Ok(last) if last < first => Wanted::Whole,
            Ok(last) => part(first, last.saturating_add(1), size),
            Err(_) => Wanted::Whole,
        },
        (Err(_), last) if first.trim().is_empty() => match last.parse::<u64>() {
            Ok(0) => Wanted::Beyond,
            Ok(tail) => part(size.saturating_sub(tail), size, size),
            Err(_) => Wanted::Whole,
        },
        (Err(_), _) => Wanted::Whole,
    }
}

fn part(start: u64, end: u64, size: u64) -> Wanted {
    if start < size { Wanted::Part(start..end.min(size)) } else { Wanted::Beyond }
}

#[cfg(test)]
mod tests {
    use super::{Wanted, read};

    #[test]
    fn ranges() {
        for (header, size, wanted) in [
            ("bytes=0-", 10, Wanted::Part(0..10)),
            ("bytes=2-4", 10, Wanted::Part(2..5)),
            ("bytes=2-400", 10, Wanted::Part(2..10)),
            ("bytes=-3", 10, Wanted::Part(7..10)),
            ("bytes=-30", 10, Wanted::Part(0..10)),
            ("bytes=9-18446744073709551615", 10, Wanted::Part(9..10)),
            ("bytes=10-", 10, Wanted::Beyond),
            ("bytes=-0", 10, Wanted::Beyond),
            ("bytes=0-", 0, Wanted::Beyond),
            ("bytes=4-2", 10, Wanted::Whole),
            ("bytes=0-1,3-4", 10, Wanted::Whole),
            ("bytes=a-b", 10, Wanted::Whole),
            ("lines=1-2", 10, Wanted::Whole),
        ] {
            assert_eq!(read(Some(header), size), wanted, "{header} of {size}");
        }
        assert_eq!(read(None, 10), Wanted::Whole);
    }
}
