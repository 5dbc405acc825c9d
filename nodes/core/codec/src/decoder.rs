//! From payloads to sound.

use crate::{Encoding, Error, LONGEST_MS, encoding::Codec, g711, g722, g729, opus};

/// One stream's decoder. After `new` nothing allocates, and whatever bytes come, nothing panics.
pub struct Decoder {
    encoding: Encoding,
    state: State,
}

enum State {
    G711(g711::Decoder),
    G722(Box<g722::Decoder>),
    G729(g729::Decoder),
    Opus(opus::Decoder),
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").field("encoding", &self.encoding).finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder that has heard nothing. Fails as `Error::Library` for want of memory only.
    pub fn new(encoding: Encoding) -> Result<Self, Error> {
        let state = match encoding.codec() {
            Codec::G711(law) => State::G711(g711::Decoder::new(law)),
            Codec::G722 => State::G722(Box::new(g722::Decoder::new())),
            Codec::G729 => State::G729(g729::Decoder::new()?),
            Codec::Opus => State::Opus(opus::Decoder::new()?),
        };
        Ok(Self { encoding, state })
    }

    /// What it decodes.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// How many samples a payload stands for, judged by its outside: at least one, at most `LONGEST_MS`.
    pub fn samples(&self, payload: &[u8]) -> Result<usize, Error> {
        let samples = match &self.state {
            State::G711(_) => payload.len(),
            State::G722(_) => payload.len() * 2,
            State::G729(_) => g729::Decoder::samples(payload)?,
            State::Opus(_) => opus::Decoder::samples(payload)?,
        };
        match samples {
            0 => Err(Error::Malformed),
            _ if samples > self.encoding.samples_of_ms(LONGEST_MS) => Err(Error::TooLong),
            _ => Ok(samples),
        }
    }

    /// Decodes a payload to the beginning of `out`: as many samples as `samples` says, which is what it gives. A payload
    /// that turns out to be broken inside is `Malformed`; what it has left in `out` is nothing to be heard.
    pub fn decode_into(&mut self, payload: &[u8], out: &mut [i16]) -> Result<usize, Error> {
        let samples = self.samples(payload)?;
        let out = out.get_mut(..samples).ok_or(Error::Buffer)?;
        match &mut self.state {
            State::G711(decoder) => decoder.decode(payload, out),
            State::G722(decoder) => decoder.decode(payload, out),
            State::G729(decoder) => decoder.decode(payload, out)?,
            State::Opus(decoder) => decoder.decode(payload, out)?,
        }
        Ok(samples)
    }

    /// Writes what may have been in so many lost samples to the beginning of `out`, and gives how many that were: fewer
    /// where `out` ends, or where the codec knows whole frames only (10 ms of G.729, 2.5 ms of Opus). `next` is the
    /// payload that comes right after them, if it is there; it has to be decoded all the same.
    pub fn conceal_into(&mut self, samples: usize, next: Option<&[u8]>, out: &mut [i16]) -> usize {
        let step = match &self.state {
            State::G711(_) | State::G722(_) => 1,
            State::G729(_) => g729::SAMPLES,
            State::Opus(_) => opus::STEP,
        };
        let count = samples.min(out.len()) / step * step;
        let out = &mut out[..count];
        match &mut self.state {
            _ if count == 0 => {}
            State::G711(decoder) => decoder.conceal(out),
            State::G722(decoder) => decoder.conceal(out),
            State::G729(decoder) => decoder.conceal(out),
            State::Opus(decoder) => decoder.conceal(next, out),
        }
        count
    }

    /// Forgets all that was heard: another stream begins.
    pub fn reset(&mut self) {
        match &mut self.state {
            State::G711(decoder) => decoder.reset(),
            State::G722(decoder) => decoder.reset(),
            State::G729(decoder) => decoder.reset(),
            State::Opus(decoder) => decoder.reset(),
        }
    }
}
