//! What of an RTP packet is not encrypted, as far as sealing and opening need it: padding is not looked at, for it is
//! counted in what is encrypted.

/// The front of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) sequence: u16,
    pub(super) ssrc: u32,
    /// Where the payload begins.
    pub(super) body: usize,
}

impl Head {
    /// None when it is no RTP of version 2, or ends within its header.
    pub(super) fn read(packet: &[u8]) -> Option<Self> {
        let fixed: &[u8; 12] = packet.first_chunk()?;
        if fixed[0] >> 6 != 2 {
            return None;
        }
        let mut body = fixed.len() + 4 * usize::from(fixed[0] & 0x0f);
        if fixed[0] & 0x10 != 0 {
            let words = packet.get(body + 2..body + 4)?;
            body += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
        }
        (body <= packet.len()).then_some(Self {
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
            body,
        })
    }
}
