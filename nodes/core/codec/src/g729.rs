//! G.729 Annex A (RFC 3551 section 4.5.6): ten bytes for each 10 ms at 8 kHz. Comfort noise of Annex B is decoded when
//! somebody sends it, never made: SDP says `annexb=no`. The library's objects have both directions in them, so that
//! each decoder and encoder here has some 12 kB.

use codec_core::{
    codecs::g729::G729Codec,
    types::{AudioCodec, AudioCodecExt, CodecConfig, CodecType},
};

use crate::Error;

/// Samples of a frame.
pub(crate) const SAMPLES: usize = G729Codec::FRAME_SAMPLES;
/// Bytes of a frame of speech.
const SPEECH: usize = G729Codec::MAX_ENCODED_BYTES;
/// Bytes of a frame that describes noise: at most one, the last of a payload.
const NOISE: usize = 2;

fn codec(kind: CodecType) -> Result<Box<G729Codec>, Error> {
    G729Codec::new(CodecConfig::new(kind)).map(Box::new).map_err(|_| Error::Library)
}

/// One stream's decoder.
pub(crate) struct Decoder(Box<G729Codec>);

impl Decoder {
    pub(crate) fn new() -> Result<Self, Error> {
        codec(CodecType::G729BA).map(Self)
    }

    /// Samples that a payload stands for.
    pub(crate) fn samples(payload: &[u8]) -> Result<usize, Error> {
        let frames = payload.len() / SPEECH;
        match payload.len() % SPEECH {
            0 => Ok(frames * SAMPLES),
            NOISE => Ok((frames + 1) * SAMPLES),
            _ => Err(Error::Malformed),
        }
    }

    /// Fills `out`, which is as long as `samples` says.
    pub(crate) fn decode(&mut self, payload: &[u8], out: &mut [i16]) -> Result<(), Error> {
        for (frame, out) in payload.chunks(SPEECH).zip(out.chunks_exact_mut(SAMPLES)) {
            self.0.decode_to_buffer(frame, out).map_err(|_| Error::Malformed)?;
        }
        Ok(())
    }

    /// Fills `out`, which is whole frames long. The library is silent after ten of them.
    pub(crate) fn conceal(&mut self, out: &mut [i16]) {
        for out in out.chunks_exact_mut(SAMPLES) {
            if self.0.decode_to_buffer(&[], out).is_err() {
                out.fill(0);
            }
        }
    }

    pub(crate) fn reset(&mut self) {
        // It makes both states anew, in place, and can't fail.
        let _ = self.0.reset();
    }
}

/// One stream's encoder.
pub(crate) struct Encoder(Box<G729Codec>);

impl Encoder {
    pub(crate) fn new() -> Result<Self, Error> {
        codec(CodecType::G729A).map(Self)
    }

    /// Bytes written. The samples must be whole frames.
    pub(crate) fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> Result<usize, Error> {
        if !samples.len().is_multiple_of(SAMPLES) {
            return Err(Error::Length);
        }
        let length = samples.len() / SAMPLES * SPEECH;
        let out = out.get_mut(..length).ok_or(Error::Buffer)?;
        for (frame, out) in samples.chunks_exact(SAMPLES).zip(out.chunks_exact_mut(SPEECH)) {
            self.0.encode_to_buffer(frame, out).map_err(|_| Error::Library)?;
        }
        Ok(length)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_frames_of_speech_and_one_of_noise_at_the_end() {
        let lengths = [0, 2, 10, 12, 20, 22, 60].map(|bytes| Decoder::samples(&vec![0; bytes]).unwrap());
        assert_eq!(lengths, [0, 80, 80, 160, 160, 240, 480]);
        for bytes in [1, 3, 9, 11, 24] {
            assert_eq!(Decoder::samples(&vec![0; bytes]), Err(Error::Malformed), "{bytes}");
        }
    }

    #[test]
    fn noise_is_heard_and_two_frames_make_a_payload() {
        let mut decoder = Decoder::new().unwrap();
        let mut bytes = [0; 30];
        assert_eq!(Encoder::new().unwrap().encode(&[500; 160], &mut bytes), Ok(20));
        assert_eq!(decoder.decode(&bytes[..20], &mut [0; 160]), Ok(()));
        let mut noise = [0; 80];
        assert_eq!(decoder.decode(&[0x12, 0x3e], &mut noise), Ok(()));
        assert_eq!(Encoder::new().unwrap().encode(&[0; 81], &mut bytes), Err(Error::Length));
        assert_eq!(Encoder::new().unwrap().encode(&[0; 80], &mut bytes[..9]), Err(Error::Buffer));
    }
}
