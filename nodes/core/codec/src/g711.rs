//! G.711 (ITU-T G.711, RFC 3551 section 4.5.14): a byte a sample at 8 kHz, by the tables of `mangrove-rtp`.

use mangrove_rtp::g711::{self, Law};

use crate::{Error, conceal::Repeat};

/// One stream's state: only what hides its losses.
#[derive(Debug)]
pub(crate) struct Decoder {
    law: Law,
    repeat: Repeat,
}

impl Decoder {
    pub(crate) fn new(law: Law) -> Self {
        Self { law, repeat: Repeat::new(8000) }
    }

    /// Fills `out`, which is as long as the payload.
    pub(crate) fn decode(&mut self, payload: &[u8], out: &mut [i16]) {
        for (sample, byte) in out.iter_mut().zip(payload) {
            *sample = g711::decode(self.law, *byte);
        }
        self.repeat.heard(out);
    }

    pub(crate) fn conceal(&mut self, out: &mut [i16]) {
        self.repeat.conceal(out);
    }

    pub(crate) fn reset(&mut self) {
        self.repeat.reset();
    }
}

/// Bytes written: as many as there are samples.
pub(crate) fn encode(law: Law, samples: &[i16], out: &mut [u8]) -> Result<usize, Error> {
    let out = out.get_mut(..samples.len()).ok_or(Error::Buffer)?;
    for (byte, sample) in out.iter_mut().zip(samples) {
        *byte = g711::encode(law, *sample);
    }
    Ok(samples.len())
}
