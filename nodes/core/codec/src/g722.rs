//! G.722 at 64 kbit/s (ITU-T G.722 mode 1, RFC 3551 section 4.5.2): the sound of 16 kHz in two bands of 8, six bits of
//! the lower and two of the upper in each byte. Bit by bit as the standard says it, from its reset state on; the tests
//! compare with what another implementation, proved by ITU's sequences, made.

mod band;
mod tables;

use band::{Band, saturated};
use tables::{Q6, QM6, QMF};

use crate::{Error, conceal::Repeat};

/// The last samples that the filter of the bands needs, oldest first.
#[derive(Debug, Clone)]
struct Line([i32; 24]);

impl Line {
    /// Takes two more, and gives the filter's sums over the even and the odd places.
    fn sums(&mut self, pair: [i32; 2]) -> (i32, i32) {
        self.0.copy_within(2.., 0);
        self.0[22..].copy_from_slice(&pair);
        let pairs = self.0.chunks_exact(2);
        let even = pairs.clone().zip(QMF).map(|(pair, factor)| pair[0] * factor).sum();
        let odd = pairs.zip(QMF.into_iter().rev()).map(|(pair, factor)| pair[1] * factor).sum();
        (even, odd)
    }
}

/// What both directions keep.
#[derive(Debug, Clone)]
struct State {
    line: Line,
    low: Band,
    high: Band,
}

impl State {
    fn new() -> Self {
        Self { line: Line([0; 24]), low: Band::new(32), high: Band::new(8) }
    }
}

/// One stream's decoder.
#[derive(Debug)]
pub(crate) struct Decoder {
    state: State,
    repeat: Repeat,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Self { state: State::new(), repeat: Repeat::new(16_000) }
    }

    /// Fills `out`, which has two samples for each byte.
    pub(crate) fn decode(&mut self, payload: &[u8], out: &mut [i16]) {
        for (pair, byte) in out.chunks_exact_mut(2).zip(payload) {
            pair.copy_from_slice(&self.state.decode(*byte));
        }
        self.repeat.heard(out);
    }

    pub(crate) fn conceal(&mut self, out: &mut [i16]) {
        self.repeat.conceal(out);
    }

    pub(crate) fn reset(&mut self) {
        self.state = State::new();
        self.repeat.reset();
    }
}

/// One stream's encoder.
#[derive(Debug)]
pub(crate) struct Encoder(State);

impl Encoder {
    pub(crate) fn new() -> Self {
        Self(State::new())
    }

    /// Bytes written: half as many as there are samples, which must be even in number.
    pub(crate) fn encode(&mut self, samples: &[i16], out: &mut [u8]) -> Result<usize, Error> {
        if !samples.len().is_multiple_of(2) {
            return Err(Error::Length);
        }
        let count = samples.len() / 2;
        let out = out.get_mut(..count).ok_or(Error::Buffer)?;
        for (byte, pair) in out.iter_mut().zip(samples.chunks_exact(2)) {
            *byte = self.0.encode([i32::from(pair[0]), i32::from(pair[1])]);
        }
        Ok(count)
    }
}

impl State {
    fn decode(&mut self, byte: u8) -> [i16; 2] {
        let (code, upper) = (usize::from(byte & 63), usize::from(byte >> 6));
        let heard = (self.low.scale * QM6[code]) >> 15;
        let low = (self.low.expected + heard).clamp(-16_384, 16_383);
        self.low.follow_low(code);
        let expected = self.high.expected;
        let high = (expected + self.high.follow_high(upper)).clamp(-16_384, 16_383);
        let (even, odd) = self.line.sums([low + high, low - high]);
        [saturated(odd >> 11) as i16, saturated(even >> 11) as i16]
    }

    fn encode(&mut self, pair: [i32; 2]) -> u8 {
        let (even, odd) = self.line.sums(pair);
        let low = code_of_low((odd + even) >> 14, &self.low);
        let high = code_of_high((odd - even) >> 14, &self.high);
        self.low.follow_low(low);
        self.high.follow_high(high);
        ((high << 6) | low) as u8
    }
}

/// The size that is quantised: of a negative difference one less, as its complement has it.
fn size(difference: i32) -> i32 {
    if difference < 0 { !difference } else { difference }
}

/// QUANTL: the code of the step that the difference lies in, from 0, the smallest, to 29.
fn code_of_low(sample: i32, band: &Band) -> usize {
    let difference = saturated(sample - band.expected);
    let step = Q6.iter().position(|level| size(difference) < (level * band.scale) >> 12).unwrap_or(Q6.len());
    match (difference < 0, step) {
        (true, 0 | 1) => 63 - step,
        (true, _) => 33 - step,
        (false, _) => 61 - step,
    }
}

/// QUANTH: the sign, and whether the difference is small.
fn code_of_high(sample: i32, band: &Band) -> usize {
    let difference = saturated(sample - band.expected);
    let is_small = size(difference) < (564 * band.scale) >> 12;
    (usize::from(difference >= 0) << 1) | usize::from(is_small)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What libg722 1.2.8, which passes ITU's test sequences, makes of `signal`.
    const REFERENCE: &str = "2484208420848425b38d2308ae9d0625ad90230aadbc882a07902310ecb5cd2a099623196ab0d2280a7896c7\
        f1a953260e719b49eba5dc23176cbdce320ace253e6ab0542a0b5b90c8f5a955271071974af4a67f24116d9f4f3b09cc283e6bb3572f0d\
        d4252fe6ab7b261172954bfda87f26116c98d03f08cc2a3b6bbd52740acf2b3167b05e2a10759049dcaa7827106d984df5a67024136aba\
        d779098e2b74";

    fn signal() -> Vec<i16> {
        (0..320).map(|n| ((n * 97 % 512) - 256) * 100).collect()
    }

    fn reference() -> Vec<u8> {
        let digits = REFERENCE.as_bytes().chunks(2);
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
    }

    #[test]
    fn a_signal_is_encoded_as_the_reference_does() {
        let mut bytes = [0; 160];
        assert_eq!(Encoder::new().encode(&signal(), &mut bytes), Ok(160));
        assert_eq!(bytes[..], reference()[..]);
    }

    #[test]
    fn bytes_are_decoded_as_the_reference_does() {
        let mut samples = [0; 320];
        Decoder::new().decode(&reference(), &mut samples);
        assert_eq!(samples[..12], [0, -1, -1, 0, 0, -3, -1, 8, 1, -29, 3, 104]);
        assert_eq!(samples[314..], [-9457, 1379, 10_804, 15_323, -17_357, -11_842]);
        let sum: i64 = (1..).zip(samples).map(|(place, sample)| place * i64::from(sample)).sum();
        assert_eq!(sum, 3_957_089);
    }

    #[test]
    fn odd_numbers_and_small_buffers_are_refused() {
        assert_eq!(Encoder::new().encode(&[0; 3], &mut [0; 9]), Err(Error::Length));
        assert_eq!(Encoder::new().encode(&[0; 4], &mut [0; 1]), Err(Error::Buffer));
    }
}
