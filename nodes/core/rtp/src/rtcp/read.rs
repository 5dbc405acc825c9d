//! Reads a compound packet. Allocates its list: RTCP comes every few seconds.

use super::{Block, Packet, SenderReport};

/// Why bytes are no RTCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the first RTCP packet is neither a sender nor a receiver report of version 2")]
    NotReport,
    #[error("an RTCP packet is longer than the datagram")]
    Truncated,
}

/// All packets of a compound, in order. The first must be a report (RFC 3550 section 6.1); trailing bytes of less
/// than a header are ignored.
pub fn read(mut bytes: &[u8]) -> Result<Vec<Packet>, Error> {
    if bytes.len() < 8 || bytes[0] >> 6 != 2 || !matches!(bytes[1], 200 | 201) {
        return Err(Error::NotReport);
    }
    let mut packets = Vec::new();
    while bytes.len() >= 4 {
        let length = (u16::from_be_bytes([bytes[2], bytes[3]]) as usize + 1) * 4;
        let packet = bytes.get(..length).ok_or(Error::Truncated)?;
        packets.push(read_one(packet)?);
        bytes = &bytes[length..];
    }
    Ok(packets)
}

fn read_one(packet: &[u8]) -> Result<Packet, Error> {
    let count = usize::from(packet[0] & 0x1f);
    match packet[1] {
        200 => {
            let report = SenderReport {
                ssrc: word(packet, 1)?,
                ntp: (u64::from(word(packet, 2)?) << 32) | u64::from(word(packet, 3)?),
                timestamp: word(packet, 4)?,
                packets: word(packet, 5)?,
                octets: word(packet, 6)?,
            };
            Ok(Packet::SenderReport(report, blocks(packet, 7, count)?))
        }
        201 => Ok(Packet::ReceiverReport { ssrc: word(packet, 1)?, blocks: blocks(packet, 2, count)? }),
        203 => Ok(Packet::Goodbye),
        other => Ok(Packet::Other(other)),
    }
}

fn blocks(packet: &[u8], first: usize, count: usize) -> Result<Vec<Block>, Error> {
    (0..count).map(|index| block(packet, first + index * 6)).collect()
}

fn block(packet: &[u8], at: usize) -> Result<Block, Error> {
    let loss = word(packet, at + 1)?;
    let lost = loss & 0xff_ffff;
    Ok(Block {
        ssrc: word(packet, at)?,
        fraction_lost: (loss >> 24) as u8,
        lost: if lost & 0x80_0000 != 0 { 0 } else { lost },
        highest: word(packet, at + 2)?,
        jitter: word(packet, at + 3)?,
        last_sr: word(packet, at + 4)?,
        delay: word(packet, at + 5)?,
    })
}

fn word(packet: &[u8], index: usize) -> Result<u32, Error> {
    match packet.get(index * 4..index * 4 + 4) {
        Some(&[a, b, c, d]) => Ok(u32::from_be_bytes([a, b, c, d])),
        _ => Err(Error::Truncated),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::super::{cname, receiver_report, sender_report};
    use super::*;

    const BLOCK: Block = Block {
        ssrc: 0xcafe,
        fraction_lost: 12,
        lost: 345,
        highest: 0x0001_2345,
        jitter: 80,
        last_sr: 0x1234_5678,
        delay: 65_536,
    };
    const REPORT: SenderReport = SenderReport {
        ssrc: 0xbeef,
        ntp: 0x0102_0304_0506_0708,
        timestamp: 99,
        packets: 1000,
        octets: 160_000,
    };

    #[test]
    fn reports_are_read_back() {
        let mut bytes = Vec::new();
        sender_report(&mut bytes, &REPORT, &[BLOCK]);
        cname(&mut bytes, REPORT.ssrc, "a-name");
        assert_eq!(read(&bytes).unwrap(), [Packet::SenderReport(REPORT, vec![BLOCK]), Packet::Other(202)]);

        bytes.clear();
        receiver_report(&mut bytes, 7, &[BLOCK, BLOCK]);
        assert_eq!(read(&bytes).unwrap(), [Packet::ReceiverReport { ssrc: 7, blocks: vec![BLOCK, BLOCK] }]);
        bytes.extend_from_slice(&[0x81, 203, 0, 1, 0, 0, 0, 7]);
        assert_eq!(read(&bytes).unwrap()[1], Packet::Goodbye);
    }

    #[test]
    fn forged_lengths_are_refused() {
        let mut bytes = Vec::new();
        receiver_report(&mut bytes, 7, &[]);
        let refused = |bytes: &[u8]| read(bytes).unwrap_err();
        assert_eq!(refused(&[]), Error::NotReport);
        assert_eq!(refused(&[0x80, 203, 0, 1, 0, 0, 0, 7]), Error::NotReport);
        assert_eq!(refused(&[&[0x80, 201, 0, 9], &bytes[4..]].concat()), Error::Truncated);
        assert_eq!(
            refused(&[&[0x9f], &bytes[1..]].concat()),
            Error::Truncated,
            "31 blocks named, none there"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 200..206u8) {
            let _ = read(&bytes);
            if bytes.len() >= 4 {
                bytes[0] = 0x80 | (bytes[0] & 0x1f);
                bytes[1] = kind;
                bytes[2] = 0;
                bytes[3] %= 16;
                let _ = read(&bytes);
            }
        }
    }
}
