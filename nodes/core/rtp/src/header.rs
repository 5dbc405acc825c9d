//! The fixed RTP header (RFC 3550 section 5.1): read once, rewritten in place when a packet is passed on. Extensions
//! and contributing sources are stepped over, not interpreted.

use std::ops::Range;

use rtp_rs::RtpReader;

/// Bytes of a header without extension or contributing sources.
pub const LENGTH: usize = 12;

/// What a packet says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub payload_type: u8,
    pub marker: bool,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    /// Where the payload lies in the packet, padding left out; may be empty.
    pub payload: Range<usize>,
}

impl Header {
    /// None when the packet is no RTP version 2 or its lengths contradict each other. RTCP, whose packet types fall
    /// on payload types 64 to 95 (RFC 5761 section 4), is none either.
    pub fn read(packet: &[u8]) -> Option<Self> {
        let reader = RtpReader::new(packet).ok()?;
        if (64..96).contains(&reader.payload_type()) {
            return None;
        }
        let start = reader.payload_offset();
        Some(Self {
            payload_type: reader.payload_type(),
            marker: reader.mark(),
            sequence: reader.sequence_number().into(),
            timestamp: reader.timestamp(),
            ssrc: reader.ssrc(),
            payload: start..start + reader.payload().len(),
        })
    }
}

/// Writes a bare header to the first 12 bytes of `packet`, which must be that long.
pub fn write(packet: &mut [u8], payload_type: u8, marker: bool, sequence: u16, timestamp: u32, ssrc: u32) {
    packet[0] = 0x80;
    set_payload_type(packet, payload_type, marker);
    set_sequence(packet, sequence);
    set_timestamp(packet, timestamp);
    set_ssrc(packet, ssrc);
}

/// Changes payload type and marker of a packet that `Header::read` took.
pub fn set_payload_type(packet: &mut [u8], payload_type: u8, marker: bool) {
    packet[1] = (u8::from(marker) << 7) | (payload_type & 0x7f);
}

/// Changes the sequence number of a packet that `Header::read` took.
pub fn set_sequence(packet: &mut [u8], sequence: u16) {
    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
}

/// Changes the timestamp of a packet that `Header::read` took.
pub fn set_timestamp(packet: &mut [u8], timestamp: u32) {
    packet[4..8].copy_from_slice(&timestamp.to_be_bytes());
}

/// Changes the source of a packet that `Header::read` took.
pub fn set_ssrc(packet: &mut [u8], ssrc: u32) {
    packet[8..12].copy_from_slice(&ssrc.to_be_bytes());
}

/// Whether sequence number `a` comes after `b` on the circle of 16 bits.
pub fn is_newer(a: u16, b: u16) -> bool {
    a != b && a.wrapping_sub(b) < 0x8000
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet() -> Vec<u8> {
        let mut packet = vec![0; LENGTH];
        write(&mut packet, 8, true, 0xfffe, 0x0102_0304, 0xdead_beef);
        packet.extend_from_slice(&[0xd5; 160]);
        packet
    }

    #[test]
    fn a_written_header_is_read_back() {
        let header = Header::read(&packet()).unwrap();
        assert_eq!(
            header,
            Header {
                payload_type: 8,
                marker: true,
                sequence: 0xfffe,
                timestamp: 0x0102_0304,
                ssrc: 0xdead_beef,
                payload: 12..172
            }
        );
    }

    #[test]
    fn what_lies_around_the_payload_is_left_out() {
        let mut packet = packet();
        packet[0] = 0x80 | 0x20 | 0x10 | 1; // padding, extension, one contributing source
        packet.splice(12..12, [1, 2, 3, 4, 0xbe, 0xde, 0, 1, 9, 9, 9, 9]);
        packet.extend_from_slice(&[0, 0, 3]);
        assert_eq!(Header::read(&packet).unwrap().payload, 24..184);
    }

    #[test]
    fn what_is_no_rtp_is_refused() {
        let cases: [(&str, Vec<u8>); 6] = [
            ("empty", vec![]),
            ("short", packet()[..11].to_vec()),
            ("version 1", [&[0x40], &packet()[1..]].concat()),
            ("RTCP sender report", [&[0x80, 200], &packet()[2..]].concat()),
            ("extension beyond the end", [&[0x90], &packet()[1..14]].concat()),
            ("padding longer than the packet", [&[0xa0], &packet()[1..], &[255]].concat()),
        ];
        for (name, bytes) in cases {
            assert_eq!(Header::read(&bytes), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_payload_inside_them(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Some(header) = Header::read(&bytes) {
                prop_assert!(header.payload.start <= header.payload.end && header.payload.end <= bytes.len());
            }
        }

        #[test]
        fn of_two_numbers_one_is_newer(a: u16, b: u16) {
            let opposite = a.wrapping_sub(b) == 0x8000;
            prop_assert!(a == b || opposite || is_newer(a, b) != is_newer(b, a));
        }
    }
}
