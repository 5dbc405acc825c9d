//! Numbers of 128 bits as 22 digits of base 62, all equally long, sorting like the numbers.
//!
//! Every message of every call carries some: the digits are worked out in pieces that fit a machine word, for a
//! division of 128 bits costs as much as twenty of 64.

use std::fmt;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^22 > 2^128: every number fits.
const LENGTH: usize = 22;
/// Digits in one piece; the first piece has the two that are left.
const PIECE: usize = 10;
const PIECE_SIZE: u64 = 62u64.pow(PIECE as u32);

pub(crate) fn write(f: &mut fmt::Formatter<'_>, number: u128) -> fmt::Result {
    let size = u128::from(PIECE_SIZE);
    let (rest, low) = (number / size, number % size);
    let (high, middle) = (rest / size, rest % size);
    let mut text = [b'0'; LENGTH];
    let (first, others) = text.split_at_mut(LENGTH - 2 * PIECE);
    let (second, third) = others.split_at_mut(PIECE);
    for (places, piece) in [(first, high), (second, middle), (third, low)] {
        write_piece(places, piece as u64);
    }
    f.write_str(std::str::from_utf8(&text).unwrap_or_default())
}

fn write_piece(places: &mut [u8], mut piece: u64) {
    for place in places.iter_mut().rev() {
        *place = DIGITS[(piece % 62) as usize];
        piece /= 62;
    }
}

/// None for anything that [`write()`] does not write.
pub(crate) fn read(text: &str) -> Option<u128> {
    let text = text.as_bytes();
    if text.len() != LENGTH {
        return None;
    }
    let (first, others) = text.split_at(LENGTH - 2 * PIECE);
    let (second, third) = others.split_at(PIECE);
    [first, second, third].into_iter().try_fold(0u128, |number, places| {
        number.checked_mul(PIECE_SIZE.into())?.checked_add(read_piece(places)?.into())
    })
}

fn read_piece(places: &[u8]) -> Option<u64> {
    places.iter().try_fold(0, |piece, byte| Some(piece * 62 + digit(*byte)?))
}

fn digit(byte: u8) -> Option<u64> {
    let place = match byte {
        b'0'..=b'9' => byte - b'0',
        b'A'..=b'Z' => byte - b'A' + 10,
        b'a'..=b'z' => byte - b'a' + 36,
        _ => return None,
    };
    Some(place.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Written(u128);

    impl fmt::Display for Written {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write(f, self.0)
        }
    }

    /// The plain way, digit by digit.
    fn plainly(mut number: u128) -> String {
        let mut text = Vec::new();
        for _ in 0..LENGTH {
            text.insert(0, DIGITS[(number % 62) as usize]);
            number /= 62;
        }
        String::from_utf8(text).unwrap_or_default()
    }

    #[test]
    fn pieces_give_what_single_digits_give() {
        let size = u128::from(PIECE_SIZE);
        for number in [0, 1, 61, 62, size - 1, size, size * size - 1, size * size, u128::MAX / 3, u128::MAX] {
            let text = Written(number).to_string();
            assert_eq!(text, plainly(number));
            assert_eq!(read(&text), Some(number));
        }
    }

    #[test]
    fn what_is_too_large_or_no_digit_is_refused() {
        assert_eq!(read("zzzzzzzzzzzzzzzzzzzzzz"), None);
        assert_eq!(read("000000000000000000000-"), None);
        assert_eq!(read("0"), None);
    }
}
