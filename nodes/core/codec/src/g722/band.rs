//! One of the two bands: the predictor (two poles, six zeros) and the scale of the quantiser, both of which follow the
//! sound. Encoder and decoder run the same steps on the same codes and so know the same. The names in brackets are the
//! blocks of ITU-T G.722; numbers are 16-bit in the standard, and saturate where it says so.

use super::tables::{ILB, QM2, QM4, WH, WL};

/// State of a band.
#[derive(Debug, Clone)]
pub(super) struct Band {
    /// What the predictor expects next: the sum of both sections.
    pub(super) expected: i32,
    /// What the quantiser's steps are multiplied by (DETL, DETH).
    pub(super) scale: i32,
    /// Its logarithm (NBL, NBH).
    log_scale: i32,
    /// The part of the zeros in what is expected.
    by_zeros: i32,
    poles: [i32; 2],
    zeros: [i32; 6],
    /// The last differences, newest first.
    differences: [i32; 6],
    /// The last two of the signal, and of it without the poles' part.
    signal: [i32; 2],
    partial: [i32; 2],
}

pub(super) fn saturated(value: i32) -> i32 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX))
}

impl Band {
    /// At reset the standard has a scale of 32 in the lower band and 8 in the upper.
    pub(super) fn new(scale: i32) -> Self {
        Self {
            expected: 0,
            scale,
            log_scale: 0,
            by_zeros: 0,
            poles: [0; 2],
            zeros: [0; 6],
            differences: [0; 6],
            signal: [0; 2],
            partial: [0; 2],
        }
    }

    /// Follows a code of the lower band, of which only the 4 upper bits count.
    pub(super) fn follow_low(&mut self, code: usize) {
        let code = (code >> 2) & 15;
        let difference = (self.scale * QM4[code]) >> 15;
        self.rescale(WL[code], 18_432, 8);
        self.adapt(difference);
    }

    /// Follows a code of the upper band and gives the difference that it stands for.
    pub(super) fn follow_high(&mut self, code: usize) -> i32 {
        let code = code & 3;
        let difference = (self.scale * QM2[code]) >> 15;
        self.rescale(WH[code], 22_528, 10);
        self.adapt(difference);
        difference
    }

    /// Adapts the scale (LOGSCL, SCALEL; LOGSCH, SCALEH).
    fn rescale(&mut self, change: i32, most: i32, shift: i32) {
        self.log_scale = (((self.log_scale * 127) >> 7) + change).clamp(0, most);
        let mantissa = ILB[((self.log_scale >> 6) & 31) as usize];
        let down = shift - (self.log_scale >> 11);
        let scale = if down < 0 { mantissa << -down } else { mantissa >> down };
        self.scale = scale << 2;
    }

    /// Adapts the predictor to a difference, and predicts (block 4).
    fn adapt(&mut self, difference: i32) {
        let signal = saturated(self.expected + difference);
        let partial = saturated(self.by_zeros + difference);
        self.adapt_poles(partial);
        self.adapt_zeros(difference);
        self.signal = [signal, self.signal[0]];
        self.partial = [partial, self.partial[0]];
        self.predict();
    }

    /// UPPOL2 and UPPOL1.
    fn adapt_poles(&mut self, partial: i32) {
        let sign = partial >> 15;
        let (like_last, like_before) = (sign == self.partial[0] >> 15, sign == self.partial[1] >> 15);
        let first = saturated(self.poles[0] << 2);
        let pull = if like_last { -first } else { first };
        let push = if like_before { 128 } else { -128 };
        let second =
            ((pull.min(32_767) >> 7) + push + ((self.poles[1] * 32_512) >> 15)).clamp(-12_288, 12_288);
        let push = if like_last { 192 } else { -192 };
        let most = 15_360 - second;
        let first = (push + ((self.poles[0] * 32_640) >> 15)).clamp(-most, most);
        self.poles = [first, second];
    }

    /// UPZERO, and DELAYA of the differences.
    fn adapt_zeros(&mut self, difference: i32) {
        let step = if difference == 0 { 0 } else { 128 };
        for (zero, before) in self.zeros.iter_mut().zip(self.differences) {
            let push = if before >> 15 == difference >> 15 { step } else { -step };
            *zero = saturated(push + ((*zero * 32_640) >> 15));
        }
        self.differences.copy_within(..5, 1);
        self.differences[0] = difference;
    }

    /// FILTEP, FILTEZ and PREDIC.
    fn predict(&mut self) {
        let part = |factor: i32, value: i32| (factor * saturated(value << 1)) >> 15;
        let by_poles = part(self.poles[0], self.signal[0]) + part(self.poles[1], self.signal[1]);
        let by_zeros: i32 =
            self.zeros.iter().zip(self.differences).map(|(zero, value)| part(*zero, value)).sum();
        self.by_zeros = saturated(by_zeros);
        self.expected = saturated(saturated(by_poles) + self.by_zeros);
    }
}
