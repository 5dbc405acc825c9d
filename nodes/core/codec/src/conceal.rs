//! What is heard in place of lost sound, for codecs that have nothing of their own: the last pitch period again and
//! again, fading out within 60 ms, in the manner of G.711 Appendix I but without its delay. What comes after it is
//! blended in.

/// What is remembered of the sound: what is compared, and the longest period before it.
const HEARD_MS: usize = COMPARED_MS + LONGEST_MS;
/// The stretch at the end that is looked for again before it.
const COMPARED_MS: usize = 20;
/// The bounds of a period: 66 to 200 Hz, or a multiple of a higher pitch.
const SHORTEST_MS: usize = 5;
const LONGEST_MS: usize = 15;
/// Nothing is heard any more after this.
const FADE_MS: usize = 60;
/// How long the sound that is there again takes to push out what was made up.
const BLEND_MS: usize = 4;

/// One stream's memory.
#[derive(Debug, Clone)]
pub(crate) struct Repeat {
    /// Samples in a millisecond.
    per_ms: usize,
    /// The last that were heard, oldest first.
    heard: Box<[i16]>,
    /// What is repeated, in samples, while something is lost.
    period: usize,
    /// Samples made up since something was heard.
    made: usize,
}

impl Repeat {
    /// For 8000 or 16000 samples a second. Nothing was heard yet: silence.
    pub(crate) fn new(sample_rate: u32) -> Self {
        let per_ms = sample_rate as usize / 1000;
        let heard = vec![0i16; HEARD_MS * per_ms].into();
        Self { per_ms, heard, period: SHORTEST_MS * per_ms, made: 0 }
    }

    /// Forgets everything.
    pub(crate) fn reset(&mut self) {
        self.heard.fill(0);
        self.made = 0;
    }

    /// Makes up what is lost, right after what was heard or made up before.
    pub(crate) fn conceal(&mut self, out: &mut [i16]) {
        if self.made == 0 {
            self.period = self.find_period();
        }
        out.iter_mut().for_each(|sample| *sample = self.make());
    }

    /// Remembers what was decoded; its beginning is changed where it follows what was made up.
    pub(crate) fn heard(&mut self, samples: &mut [i16]) {
        if self.made > 0 {
            self.blend(samples);
        }
        let length = self.heard.len();
        let new = &samples[samples.len().saturating_sub(length)..];
        self.heard.copy_within(new.len().., 0);
        self.heard[length - new.len()..].copy_from_slice(new);
    }

    fn blend(&mut self, samples: &mut [i16]) {
        let length = (BLEND_MS * self.per_ms).min(samples.len()) as i32;
        for (place, sample) in (0..length).zip(samples.iter_mut()) {
            let (old, new) = (i32::from(self.make()), i32::from(*sample));
            *sample = ((old * (length - place) + new * place) / length) as i16;
        }
        self.made = 0;
    }

    /// The next sample of the repetition.
    fn make(&mut self) -> i16 {
        let fade = FADE_MS * self.per_ms;
        let left = fade.saturating_sub(self.made);
        let sample = self.heard[self.heard.len() - self.period + self.made % self.period];
        self.made = self.made.saturating_add(1);
        (i32::from(sample) * left as i32 / fade as i32) as i16
    }

    /// How far back the last 20 ms are most like themselves.
    fn find_period(&self) -> usize {
        let (shortest, longest) = (SHORTEST_MS * self.per_ms, LONGEST_MS * self.per_ms);
        (shortest..=longest).min_by_key(|back| self.difference(*back)).unwrap_or(shortest)
    }

    /// Every sample is compared at 8 kHz, every other one at 16.
    fn difference(&self, back: usize) -> u64 {
        let places = (LONGEST_MS * self.per_ms..self.heard.len()).step_by(self.per_ms / 8);
        places.map(|place| u64::from(self.heard[place].abs_diff(self.heard[place - back]))).sum()
    }
}

#[cfg(test)]
mod tests {
    use mangrove_rtp::tone;

    use super::*;

    fn heard(hertz: f64, count: usize) -> Repeat {
        let mut repeat = Repeat::new(8000);
        repeat.heard(&mut tone::sine(hertz, 8000.0, 0, count));
        repeat
    }

    #[test]
    fn a_tone_goes_on_in_step_and_fades_out() {
        let mut repeat = heard(440.0, 480);
        let mut made = [0; 480];
        repeat.conceal(&mut made);
        let expected = tone::sine(440.0, 8000.0, 480, 80);
        let off = made[..80].iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(off < Some(2200), "the first 10 ms are off by {off:?}");
        assert!(tone::level(&made[..160], 440.0) > 6000.0);
        assert!(tone::level(&made[320..], 440.0) < 2500.0);
        assert!(made[479].abs() < 100, "faded out");
        repeat.conceal(&mut made);
        assert_eq!(made, [0; 480]);
    }

    #[test]
    fn what_comes_again_is_blended_in() {
        let mut repeat = heard(200.0, 480);
        repeat.conceal(&mut [0; 80]);
        let mut again = [0; 160];
        repeat.heard(&mut again);
        assert!(again[..32].iter().any(|sample| *sample != 0));
        assert_eq!(again[32..], [0; 128]);
        let mut after = [5; 160];
        repeat.heard(&mut after);
        assert_eq!(after, [5; 160], "nothing is lost any more");
    }

    #[test]
    fn silence_and_pieces_of_any_length_are_fine() {
        let mut repeat = Repeat::new(16_000);
        repeat.conceal(&mut [1; 3]);
        repeat.heard(&mut []);
        repeat.conceal(&mut []);
        repeat.heard(&mut [9]);
        repeat.heard(&mut vec![7; 10_000]);
        let mut made = [0; 1];
        repeat.conceal(&mut made);
        assert_eq!(made, [7]);
    }
}
