//! Opus in Ogg (RFC 7845): its head is read here, its packets by `mangrove-codec`.

use mangrove_codec::{Decoder, Encoding};

/// What libopus gives.
const RATE: u32 = 16_000;
/// The longest packet (RFC 6716 section 3.2.5): 120 ms.
const LONGEST: usize = 120 * RATE as usize / 1000;

/// One stream of one or two channels.
pub(crate) struct Opus {
    decoder: Decoder,
    /// Samples at the beginning that are not to be heard.
    skip: usize,
    gain: f32,
    samples: Vec<i16>,
}

impl Opus {
    /// From the head (RFC 7845 section 5.1). The error says what is not supported.
    pub(crate) fn open(head: &[u8]) -> Result<Self, String> {
        let word = |at: usize| head.get(at..at + 2).map(|b| [b[0], b[1]]).ok_or("its head is cut off");
        let (skip, gain) = (u16::from_le_bytes(word(10)?), i16::from_le_bytes(word(16)?));
        if head.get(18) != Some(&0) {
            return Err("it has several streams, or more than two channels".to_owned());
        }
        let decoder = Decoder::new(Encoding::Opus).map_err(|error| error.to_string())?;
        Ok(Self {
            decoder,
            // Counted at 48 kHz.
            skip: usize::from(skip) / 3,
            // In 1/256 dB.
            gain: 10f32.powf(f32::from(gain) / (20.0 * 256.0)),
            samples: vec![0; LONGEST],
        })
    }

    /// Makes `piece` the packet's sound, and gives its rate.
    pub(crate) fn decode(&mut self, packet: &[u8], piece: &mut Vec<f32>) -> Result<u32, String> {
        let count = self.decoder.decode_into(packet, &mut self.samples).map_err(|error| error.to_string())?;
        let skipped = self.skip.min(count);
        self.skip -= skipped;
        piece.clear();
        piece.extend(
            self.samples[skipped..count].iter().map(|sample| f32::from(*sample) / 32_768.0 * self.gain),
        );
        Ok(RATE)
    }
}
