//! G.711: both laws to and from 16-bit samples, and from one law to the other by table. 8 kHz, a byte a sample.

/// Which half of the world speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// PCMA, static payload type 8.
    A,
    /// PCMU, static payload type 0.
    Mu,
}

impl Law {
    /// The law of an encoding name in SDP, in any case; None for all but PCMA and PCMU.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            _ if name.eq_ignore_ascii_case("PCMA") => Some(Self::A),
            _ if name.eq_ignore_ascii_case("PCMU") => Some(Self::Mu),
            _ => None,
        }
    }

    /// The payload type that RFC 3551 fixes.
    pub const fn static_payload_type(self) -> u8 {
        match self {
            Self::A => 8,
            Self::Mu => 0,
        }
    }

    /// The law of a payload type that RFC 3551 fixes; None for all others.
    pub const fn of_static(payload_type: u8) -> Option<Self> {
        match payload_type {
            0 => Some(Self::Mu),
            8 => Some(Self::A),
            _ => None,
        }
    }

    /// The byte of silence.
    pub const fn silence(self) -> u8 {
        match self {
            Self::A => 0xd5,
            Self::Mu => 0xff,
        }
    }
}

/// One byte to its sample.
pub fn decode(law: Law, byte: u8) -> i16 {
    match law {
        Law::A => DECODE_A[byte as usize],
        Law::Mu => DECODE_MU[byte as usize],
    }
}

/// One sample to its nearest byte.
pub fn encode(law: Law, sample: i16) -> u8 {
    match law {
        Law::A => encode_a(sample),
        Law::Mu => encode_mu(sample),
    }
}

/// Changes the law of a payload in place. Both tables keep the sound within half a step of either law.
pub fn transcode(from: Law, to: Law, payload: &mut [u8]) {
    let table = match (from, to) {
        (Law::A, Law::Mu) => &A_TO_MU,
        (Law::Mu, Law::A) => &MU_TO_A,
        _ => return,
    };
    for byte in payload {
        *byte = table[*byte as usize];
    }
}

static DECODE_A: [i16; 256] = decoded(Law::A);
static DECODE_MU: [i16; 256] = decoded(Law::Mu);
static A_TO_MU: [u8; 256] = transcoded(Law::A);
static MU_TO_A: [u8; 256] = transcoded(Law::Mu);

const fn decoded(law: Law) -> [i16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match law {
            Law::A => decode_a(byte as u8),
            Law::Mu => decode_mu(byte as u8),
        };
        byte += 1;
    }
    table
}

const fn transcoded(from: Law) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match from {
            Law::A => encode_mu(decode_a(byte as u8)),
            Law::Mu => encode_a(decode_mu(byte as u8)),
        };
        byte += 1;
    }
    table
}

const fn decode_a(byte: u8) -> i16 {
    let bits = byte ^ 0x55;
    let segment = (bits & 0x70) >> 4;
    let step = ((bits & 0x0f) as i16) << 4;
    let size = match segment {
        0 => step + 8,
        _ => (step + 0x108) << (segment - 1),
    };
    if bits & 0x80 != 0 { size } else { -size }
}

const fn encode_a(sample: i16) -> u8 {
    let (size, mask) = match (sample as i32) >> 3 {
        size if size >= 0 => (size, 0xd5),
        size => (-size - 1, 0x55),
    };
    let mut segment = 0;
    while size > (0x20 << segment) - 1 {
        segment += 1;
    }
    let step = if segment < 2 { size >> 1 } else { size >> segment };
    (((segment << 4) | (step & 0x0f)) as u8) ^ mask
}

/// What mu-law adds before it looks for the segment.
const BIAS: i32 = 0x84;
/// The largest size that mu-law can say.
const CLIP: i32 = 32635;

const fn decode_mu(byte: u8) -> i16 {
    let bits = !byte;
    let size = ((((bits & 0x0f) as i32) << 3) + BIAS) << ((bits & 0x70) >> 4);
    (if bits & 0x80 != 0 { BIAS - size } else { size - BIAS }) as i16
}

const fn encode_mu(sample: i16) -> u8 {
    let (size, sign) = if sample < 0 { (-(sample as i32), 0x80) } else { (sample as i32, 0) };
    let size = (if size > CLIP { CLIP } else { size }) + BIAS;
    let segment = 24 - size.leading_zeros();
    let step = (size >> (segment + 3)) & 0x0f;
    !(sign | ((segment as u8) << 4) | step as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Points of the tables in ITU-T G.711, scaled to 16 bits.
    #[test]
    fn known_points() {
        let a = [(0xd5, 8), (0x55, -8), (0xaa, 32256), (0x2a, -32256), (0x80, 5504), (0xc5, 264)];
        let mu = [(0xff, 0), (0x80, 32124), (0x00, -32124), (0xef, 132), (0x6f, -132), (0xfe, 8)];
        for (byte, sample) in a {
            assert_eq!(decode(Law::A, byte), sample, "A {byte:02x}");
        }
        for (byte, sample) in mu {
            assert_eq!(decode(Law::Mu, byte), sample, "mu {byte:02x}");
        }
    }

    #[test]
    fn every_byte_survives_decoding_and_encoding() {
        for byte in 0..=255 {
            assert_eq!(encode(Law::A, decode(Law::A, byte)), byte);
            // Mu-law has two zeros; the negative one becomes the positive.
            let expected = if byte == 0x7f { 0xff } else { byte };
            assert_eq!(encode(Law::Mu, decode(Law::Mu, byte)), expected);
        }
    }

    #[test]
    fn silence_stays_silence() {
        let mut payload = [Law::A.silence(); 4];
        transcode(Law::A, Law::Mu, &mut payload);
        assert!(payload.iter().all(|byte| decode(Law::Mu, *byte).abs() <= 8));
        transcode(Law::Mu, Law::Mu, &mut payload);
        transcode(Law::Mu, Law::A, &mut payload);
        assert_eq!(payload, [Law::A.silence(); 4]);
    }

    proptest! {
        #[test]
        fn errors_are_within_half_a_step(sample: i16) {
            for law in [Law::A, Law::Mu] {
                let back = decode(law, encode(law, sample)) as i32;
                let size = (sample as i32).abs().max(64);
                prop_assert!((back - sample as i32).abs() <= size / 16 + 8, "{law:?} {sample} {back}");
            }
        }

        #[test]
        fn louder_stays_louder(a: i16, b: i16) {
            for law in [Law::A, Law::Mu] {
                let (low, high) = (a.min(b), a.max(b));
                prop_assert!(decode(law, encode(law, low)) <= decode(law, encode(law, high)));
            }
        }

        #[test]
        fn changing_the_law_keeps_the_sound(byte: u8) {
            for (from, to) in [(Law::A, Law::Mu), (Law::Mu, Law::A)] {
                let mut payload = [byte];
                transcode(from, to, &mut payload);
                let (before, after) = (decode(from, byte) as i32, decode(to, payload[0]) as i32);
                prop_assert!((before - after).abs() <= before.abs() / 16 + 8, "{from:?} {before} {after}");
            }
        }
    }
}
