//! Opus (RFC 6716, RFC 7587) by libopus, its reference: one channel at 16 kHz, in which wideband speech is whole. What
//! far ends send may have two channels and any rate; the decoder makes one of 16 kHz from it.

use libopus::{Application, Bitrate, Channels, Signal};

use crate::Error;

/// Samples a second on our side.
const RATE: u32 = 16_000;
/// The shortest stretch that can be concealed: 2.5 ms.
pub(crate) const STEP: usize = 40;
/// Bits a second that are sent.
const BITRATE: i32 = 24_000;
/// What the encoder thinks that it costs: 0 to 10.
const COMPLEXITY: i32 = 5;
/// The loss in percent that the encoder is told to expect. Without any it makes no redundancy; with less than this it
/// finds 24 kbit/s too few for it, and with 6 to 10 it narrows the sound to have room for it (`decide_fec` in libopus).
const EXPECTED_LOSS: i32 = 15;

impl From<libopus::Error> for Error {
    fn from(_: libopus::Error) -> Self {
        Self::Library
    }
}

/// One stream's decoder.
#[derive(Debug)]
pub(crate) struct Decoder(libopus::Decoder);

impl Decoder {
    pub(crate) fn new() -> Result<Self, Error> {
        Ok(Self(libopus::Decoder::new(RATE, Channels::Mono)?))
    }

    /// Samples that a payload stands for; never more than 120 ms.
    pub(crate) fn samples(payload: &[u8]) -> Result<usize, Error> {
        libopus::packet::get_nb_samples(payload, RATE).map_err(|_| Error::Malformed)
    }

    /// Fills `out`, which is as long as `samples` says.
    pub(crate) fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<(), Error> {
        match self.0.decode(payload, out, false) {
            Ok(samples) if samples == out.len() => Ok(()),
            _ => Err(Error::Malformed),
        }
    }

    /// Fills `out`, a multiple of `STEP`, with what was lost. The payload that comes after it may have some of it again.
    pub(crate) fn conceal(&mut self, next: Option<&[u8]>, out: &mut [i16]) {
        let next = next.filter(|payload| !payload.is_empty());
        let made = match next {
            Some(payload) => self.0.decode(payload, out, true).or_else(|_| self.0.decode(&[], out, false)),
            None => self.0.decode(&[], out, false),
        };
        let made = made.unwrap_or(0).min(out.len());
        out[made..].fill(0);
    }

    pub(crate) fn reset(&mut self) {
        // It can't fail for a state that was made.
        let _ = self.0.reset_state();
    }

    /// Where the entropy coder ended: the same as the encoder's, or something went wrong on the way.
    #[cfg(test)]
    pub(crate) fn final_range(&mut self) -> Option<u32> {
        self.0.get_final_range().ok()
    }
}

/// One stream's encoder.
#[derive(Debug)]
pub(crate) struct Encoder(libopus::Encoder);

impl Encoder {
    pub(crate) fn new() -> Result<Self, Error> {
        let mut encoder = libopus::Encoder::new(RATE, Channels::Mono, Application::Voip)?;
        encoder.set_bitrate(Bitrate::Bits(BITRATE))?;
        encoder.set_complexity(COMPLEXITY)?;
        encoder.set_signal(Signal::Voice)?;
        encoder.set_inband_fec(true)?;
        encoder.set_packet_loss_perc(EXPECTED_LOSS)?;
        Ok(Self(encoder))
    }

    /// Bytes written. The samples must be one frame of 10, 20, 40 or 60 ms.
    pub(crate) fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> Result<usize, Error> {
        if !matches!(samples.len(), 160 | 320 | 640 | 960) {
            return Err(Error::Length);
        }
        let refused = |error: libopus::Error| match error.code() {
            libopus::ErrorCode::BufferTooSmall | libopus::ErrorCode::BadArg => Error::Buffer,
            _ => Error::Library,
        };
        self.0.encode(samples, out).map_err(refused)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_has_no_length() {
        for payload in [&b""[..], b"\xff", b"\x03", b"\x1b\x3f"] {
            assert!(!matches!(Decoder::samples(payload), Ok(1..)), "{payload:?}");
        }
        assert_eq!(Decoder::samples(&[0x48, 1, 2, 3]), Ok(320), "SILK, wideband, 20 ms");
    }

    #[test]
    fn frames_of_other_lengths_and_small_buffers_are_refused() {
        let mut encoder = Encoder::new().unwrap();
        assert_eq!(encoder.encode(&[0; 480], &mut [0; 300]), Err(Error::Length));
        assert_eq!(encoder.encode(&[0; 320], &mut []), Err(Error::Buffer));
    }
}
