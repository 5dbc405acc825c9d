//! Opus for files that are kept: one voice, or two side by side, at 8 kHz, as telephones sound. Two voices are two streams
//! in one packet (RFC 6716, appendix B), not stereo: who speaks on one side is never heard on the other, and who is silent
//! costs next to nothing. Nothing is lost on a disk, so there is no redundancy; and no comfort noise either: what was
//! silent stays so.

use libopus::{Application, Bitrate, MSEncoder, Signal};

use crate::Error;

/// Samples of each voice in a packet: 20 ms.
pub const KEPT_FRAME: usize = 160;

/// Samples a second.
const RATE: u32 = 8_000;
/// Bits a second for a voice that speaks: for so narrow a sound more is not heard.
const BITRATE: i32 = 16_000;
/// What the encoder thinks that it costs: 0 to 10.
const COMPLEXITY: i32 = 5;
/// Which stream a voice is.
const STREAMS: [u8; 2] = [0, 1];

/// An encoder of one file.
#[derive(Debug)]
pub struct KeptEncoder {
    encoder: MSEncoder,
    voices: usize,
}

impl KeptEncoder {
    /// For one or two voices; other numbers are `Error::Length`. Fails as `Error::Library` for want of memory only.
    pub fn new(voices: usize) -> Result<Self, Error> {
        let streams = STREAMS.get(..voices).filter(|streams| !streams.is_empty()).ok_or(Error::Length)?;
        let mut encoder = MSEncoder::new(RATE, streams.len() as u8, 0, streams, Application::Voip)?;
        encoder.set_bitrate(Bitrate::Bits(BITRATE * streams.len() as i32))?;
        encoder.set_complexity(COMPLEXITY)?;
        encoder.set_signal(Signal::Voice)?;
        Ok(Self { encoder, voices })
    }

    /// Samples that a decoder gives before the first that was encoded.
    pub fn lookahead(&mut self) -> Result<usize, Error> {
        Ok(self.encoder.get_lookahead()?.max(0) as usize)
    }

    /// Encodes the next `KEPT_FRAME` samples of each voice, which take turns, to the beginning of `out`, and gives their
    /// bytes; `MOST_BYTES` are enough. Another number of samples is `Error::Length`.
    pub fn encode_into(&mut self, samples: &[i16], out: &mut [u8]) -> Result<usize, Error> {
        if samples.len() != KEPT_FRAME * self.voices {
            return Err(Error::Length);
        }
        Ok(self.encoder.encode(samples, out)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use libopus::MSDecoder;
    use mangrove_rtp::tone;

    use super::*;
    use crate::MOST_BYTES;

    /// What comes out of so many voices, each by itself.
    fn kept(voices: &[Vec<i16>]) -> Vec<Vec<i16>> {
        let (count, streams) = (voices.len(), &STREAMS[..voices.len()]);
        let mut encoder = KeptEncoder::new(count).unwrap();
        let mut decoder = MSDecoder::new(RATE, count as u8, 0, streams).unwrap();
        let (mut out, mut bytes, mut heard) = (vec![Vec::new(); count], 0, vec![0; KEPT_FRAME * count]);
        for begin in (0..voices[0].len()).step_by(KEPT_FRAME) {
            let places = (begin..begin + KEPT_FRAME).flat_map(|at| voices.iter().map(move |voice| voice[at]));
            let (samples, mut packet) = (places.collect::<Vec<i16>>(), [0; MOST_BYTES]);
            let length = encoder.encode_into(&samples, &mut packet).unwrap();
            bytes += length;
            assert_eq!(decoder.decode(&packet[..length], &mut heard, false).unwrap(), KEPT_FRAME);
            for pair in heard.chunks(count) {
                out.iter_mut().zip(pair).for_each(|(voice, sample)| voice.push(*sample));
            }
        }
        assert!(3 * bytes < voices[0].len() * count, "less than a third of G.711: {bytes}");
        out
    }

    #[test]
    fn two_voices_stay_apart_and_keep_their_levels() {
        let (caller, agent) = (tone::sine(440.0, 8000.0, 0, 16_000), tone::sine(1000.0, 8000.0, 0, 16_000));
        let heard = kept(&[caller, agent]);
        for (voice, own, other) in [(&heard[0], 440.0, 1000.0), (&heard[1], 1000.0, 440.0)] {
            let levels = [own, other].map(|hertz| tone::level(&voice[8000..], hertz));
            assert!(levels[0] > 6000.0 && levels[1] < 500.0, "{levels:?}");
        }
    }

    #[test]
    fn who_is_silent_stays_so_beside_who_speaks() {
        let heard = kept(&[tone::sine(440.0, 16_000.0, 0, 8000), vec![0; 8000]]);
        assert!(heard[1].iter().all(|sample| sample.abs() < 32), "{:?}", heard[1].iter().max());
    }

    #[test]
    fn one_voice_is_enough_and_other_numbers_and_lengths_are_refused() {
        let heard = kept(&[tone::sine(440.0, 8000.0, 0, 16_000)]);
        assert!(tone::level(&heard[0][8000..], 440.0) > 6000.0);
        for voices in [0, 3] {
            assert!(matches!(KeptEncoder::new(voices), Err(Error::Length)), "{voices}");
        }
        let mut encoder = KeptEncoder::new(2).unwrap();
        assert_eq!(encoder.encode_into(&[0; KEPT_FRAME], &mut [0; MOST_BYTES]), Err(Error::Length));
        assert!((1..200).contains(&encoder.lookahead().unwrap()));
    }
}
