//! From sound to payloads.

use mangrove_rtp::g711::Law;

use crate::{Encoding, Error, encoding::Codec, g711, g722, g729, opus};

/// One stream's encoder. After `new` nothing allocates, and whatever the sound is, nothing panics.
pub struct Encoder {
    encoding: Encoding,
    state: State,
}

enum State {
    G711(Law),
    G722(Box<g722::Encoder>),
    G729(g729::Encoder),
    Opus(opus::Encoder),
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("encoding", &self.encoding).finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder that has said nothing. Fails as `Error::Library` for want of memory only.
    pub fn new(encoding: Encoding) -> Result<Self, Error> {
        let state = match encoding.codec() {
            Codec::G711(law) => State::G711(law),
            Codec::G722 => State::G722(Box::new(g722::Encoder::new())),
            Codec::G729 => State::G729(g729::Encoder::new()?),
            Codec::Opus => State::Opus(opus::Encoder::new()?),
        };
        Ok(Self { encoding, state })
    }

    /// What it encodes to.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Encodes one frame to the beginning of `out`, and gives its bytes; `MOST_BYTES` are enough for any length that
    /// `Encoding::makes`. Other lengths are `Error::Length`, except where the codec does not care: G.711 takes any,
    /// G.722 any even number of samples, G.729 any multiple of 10 ms.
    pub fn encode_into(&mut self, samples: &[i16], out: &mut [u8]) -> Result<usize, Error> {
        match &mut self.state {
            State::G711(law) => g711::encode(*law, samples, out),
            State::G722(encoder) => encoder.encode(samples, out),
            State::G729(encoder) => encoder.encode(samples, out),
            State::Opus(encoder) => encoder.encode(samples, out),
        }
    }
}
