//! Prompts and music for a far end that does not speak G.711: the frames that all share, encoded for this one.

use mangrove_codec::{Encoder, Resampler};
use mangrove_rtp::{
    FRAME, RATE,
    encoding::Encoding,
    g711::{self, Law},
};

use super::voice::{Open, known};

/// One endpoint's.
#[derive(Debug)]
pub(super) struct Announcer {
    encoding: Encoding,
    encoder: Encoder,
    resampler: Resampler,
    sound: [i16; FRAME],
    /// The same at the rate of the encoding: 16 kHz at most.
    resampled: [i16; 2 * FRAME],
    _open: Open,
}

impl Announcer {
    /// None for want of memory only.
    pub(super) fn new(encoding: Encoding) -> Option<Box<Self>> {
        let encoder = Encoder::new(known(encoding)).ok()?;
        let resampler = Resampler::new(RATE, known(encoding).sample_rate());
        let (sound, resampled) = ([0; FRAME], [0; 2 * FRAME]);
        Some(Box::new(Self { encoding, encoder, resampler, sound, resampled, _open: Open::new() }))
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Encodes a frame of A-law to the beginning of `out`, and gives its bytes.
    pub(super) fn encode(&mut self, frame: &[u8], out: &mut [u8]) -> Option<usize> {
        for (sample, byte) in self.sound.iter_mut().zip(frame) {
            *sample = g711::decode(Law::A, *byte);
        }
        let count = self.resampler.resample_into(&self.sound, &mut self.resampled);
        self.encoder.encode_into(&self.resampled[..count], out).ok()
    }
}
