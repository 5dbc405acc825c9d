//! UDPTL (T.38), as far as a relay looks at it: a datagram begins with a number that rises by one. What is behind it, and
//! what is said twice against loss, is between the two that fax.

/// The shortest that says anything: number, length of the primary packet, a byte of it, kind of the redundancy, its count.
const LEAST: usize = 6;

/// The number of a datagram; none: it is no UDPTL.
pub fn sequence(datagram: &[u8]) -> Option<u16> {
    let [high, low, ..] = datagram else { return None };
    (datagram.len() >= LEAST).then_some(u16::from_be_bytes([*high, *low]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_has_its_number_in_front() {
        let short: [&[u8]; 3] = [&[0, 7, 1, 6, 0], &[0], &[]];
        assert!(short.iter().all(|datagram| sequence(datagram).is_none()));
        let whole: [(&[u8], u16); 2] =
            [(&[0, 7, 1, 6, 0, 0], 7), (&[0x12, 0x34, 2, 0xc0, 0x01, 0, 1, 0], 0x1234)];
        for (datagram, expected) in whole {
            assert_eq!(sequence(datagram), Some(expected), "{datagram:?}");
        }
    }
}
