//! UDPTL (T.38 section 9.1), as far as a relay looks at it: a datagram begins with a number that rises by one; behind it are
//! the primary packet and what is said twice against loss, each with its length, in the aligned variant of PER. What is in
//! them is between the two that fax. The lengths must fill the datagram, as other receivers want it too: so the last packets
//! of RTP from before a change are told from it, whose first bytes could be a number.

/// What follows the primary packet: former packets as they were, or their parity.
const REDUNDANCY: u8 = 0x00;
const PARITY: u8 = 0x80;

/// The number of a datagram; none: it is no UDPTL.
pub fn sequence(datagram: &[u8]) -> Option<u16> {
    let (number, rest) = datagram.split_first_chunk::<2>()?;
    let mut rest = Rest(rest);
    rest.skip()?;
    let count = match rest.byte()? {
        REDUNDANCY => rest.length()?,
        PARITY => {
            // How many packets one is the parity of: a whole number, which has one byte.
            (rest.byte()? == 1).then_some(())?;
            rest.byte()?;
            rest.length()?
        }
        _ => return None,
    };
    for _ in 0..count {
        rest.skip()?;
    }
    rest.0.is_empty().then(|| u16::from_be_bytes(*number))
}

/// What is left of a datagram.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// No datagram is so long that a length has more than two bytes.
    fn length(&mut self) -> Option<usize> {
        match self.byte()? {
            short @ 0..=0x7f => Some(short.into()),
            high @ 0x80..=0xbf => Some((usize::from(high & 0x3f) << 8) + usize::from(self.byte()?)),
            _ => None,
        }
    }

    /// Goes past something that has its length in front.
    fn skip(&mut self) -> Option<()> {
        let length = self.length()?;
        self.0 = self.0.get(length..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_whose_lengths_fill_it_has_its_number_in_front() {
        let long: Vec<u8> =
            [&[0xff, 0xff, 0x81, 0x2c][..], &[7; 300], &[0, 1, 0x80, 0x80], &[9; 128]].concat();
        let whole: [(&[u8], u16); 5] = [
            (&[0, 7, 1, 6, 0, 0], 7),
            (&[0x12, 0x34, 2, 0xc0, 0x01, 0, 1, 0], 0x1234),
            (&[0, 8, 1, 6, 0, 2, 1, 5, 2, 4, 4], 8),
            (&[0, 9, 1, 6, 0x80, 1, 3, 2, 1, 0xaa, 2, 0xbb, 0xcc], 9),
            (&long, 0xffff),
        ];
        for (datagram, expected) in whole {
            assert_eq!(sequence(datagram), Some(expected), "{datagram:?}");
            for length in 0..datagram.len() {
                assert_eq!(sequence(&datagram[..length]), None, "{length} bytes of {datagram:?}");
            }
            assert_eq!(sequence(&[datagram, &[0]].concat()), None, "and one more: {datagram:?}");
        }
    }

    #[test]
    fn what_is_neither_redundancy_nor_parity_is_none() {
        let strange: [&[u8]; 3] =
            [&[0, 7, 1, 6, 1, 0], &[0, 7, 1, 6, 0x80, 2, 0, 3, 0], &[0, 7, 0xc1, 6, 0, 0]];
        assert!(strange.iter().all(|datagram| sequence(datagram).is_none()));
    }

    /// 20 ms of A-law, whatever its number.
    #[test]
    fn a_packet_of_sound_is_none() {
        let mut packet = [0xd5; 172];
        packet[..12].copy_from_slice(&[0x80, 8, 0, 0, 0x12, 0x34, 0x56, 0x78, 0x0b, 0xad, 0xca, 0xfe]);
        for number in 0..=u16::MAX {
            packet[2..4].copy_from_slice(&number.to_be_bytes());
            assert_eq!(sequence(&packet), None, "{number}");
        }
    }
}
