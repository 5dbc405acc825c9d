//! Sounds to be played, ready as G.711 frames of 20 ms in both laws, so that a thousand listeners share one copy and
//! a frame costs a copy of 160 bytes.

use std::sync::Arc;

use crate::{FRAME, FRAME_US, g711, g711::Law};

/// One sound, encoded once.
#[derive(Clone, PartialEq, Eq)]
pub struct Prompt {
    a: Box<[u8]>,
    mu: Box<[u8]>,
}

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt").field("frames", &self.frames()).finish_non_exhaustive()
    }
}

impl Prompt {
    /// Encodes 8 kHz samples; the last frame is filled with silence.
    pub fn new(samples: &[i16]) -> Self {
        Self { a: encoded(Law::A, samples), mu: encoded(Law::Mu, samples) }
    }

    /// How many frames there are.
    pub fn frames(&self) -> usize {
        self.a.len() / FRAME
    }

    /// What it takes in memory.
    pub fn bytes(&self) -> usize {
        self.a.len() + self.mu.len()
    }

    /// How long it is.
    pub fn duration_us(&self) -> u64 {
        self.frames() as u64 * FRAME_US
    }

    /// The 160 bytes of one frame; None behind the end.
    pub fn frame(&self, law: Law, index: usize) -> Option<&[u8]> {
        let bytes = match law {
            Law::A => &self.a,
            Law::Mu => &self.mu,
        };
        bytes.get(index * FRAME..(index + 1) * FRAME)
    }
}

fn encoded(law: Law, samples: &[i16]) -> Box<[u8]> {
    let mut bytes: Vec<u8> = samples.iter().map(|sample| g711::encode(law, *sample)).collect();
    bytes.resize(samples.len().div_ceil(FRAME) * FRAME, law.silence());
    bytes.into()
}

/// One listener's place in a list of prompts.
#[derive(Debug, Clone)]
pub struct Playout {
    prompts: Arc<[Arc<Prompt>]>,
    repeat: bool,
    current: usize,
    frame: usize,
}

impl Playout {
    /// From the beginning. With `repeat` it never ends, unless there is nothing to hear at all.
    pub fn new(prompts: Arc<[Arc<Prompt>]>, repeat: bool) -> Self {
        let repeat = repeat && prompts.iter().any(|prompt| prompt.frames() > 0);
        Self { prompts, repeat, current: 0, frame: 0 }
    }

    /// Frames since the beginning of the list, counted anew each time round.
    pub fn place(&self) -> u64 {
        let before: usize = self.prompts.iter().take(self.current).map(|prompt| prompt.frames()).sum();
        (before + self.frame) as u64
    }

    /// Where a list that has been played over and over is `frames` after it began: that place counted as by `place`; the
    /// beginning where there is nothing to hear.
    pub fn place_after(prompts: &[Arc<Prompt>], frames: u64) -> u64 {
        let length: u64 = prompts.iter().map(|prompt| prompt.frames() as u64).sum();
        frames.checked_rem(length).unwrap_or_default()
    }

    /// Goes on from a place; from the end if that lies behind it.
    pub fn go_to(&mut self, place: u64) {
        let mut rest = usize::try_from(place).unwrap_or(usize::MAX);
        self.current = 0;
        while let Some(prompt) = self.prompts.get(self.current).filter(|prompt| rest > prompt.frames()) {
            rest -= prompt.frames();
            self.current += 1;
        }
        self.frame = rest;
    }

    /// The next 20 ms; None when all was played.
    pub fn next(&mut self, law: Law) -> Option<&[u8]> {
        while self.prompts.get(self.current).is_some_and(|prompt| self.frame >= prompt.frames()) {
            self.current += 1;
            self.frame = 0;
            if self.repeat && self.current == self.prompts.len() {
                self.current = 0;
            }
        }
        let frame = self.prompts.get(self.current)?.frame(law, self.frame);
        self.frame += 1;
        frame
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn list(lengths: &[usize]) -> Arc<[Arc<Prompt>]> {
        lengths.iter().map(|length| Arc::new(Prompt::new(&vec![1000; *length]))).collect()
    }

    fn count(mut playout: Playout, most: usize) -> usize {
        count_of(&mut playout, most)
    }

    fn count_of(playout: &mut Playout, most: usize) -> usize {
        (0..most).take_while(|_| playout.next(Law::A).is_some()).count()
    }

    #[test]
    fn prompts_are_filled_to_whole_frames() {
        let prompt = Prompt::new(&[1000; 161]);
        assert_eq!((prompt.frames(), prompt.duration_us()), (2, 40_000));
        assert_eq!(prompt.frame(Law::Mu, 1).unwrap()[1..], [0xff; 159]);
        assert_eq!(prompt.frame(Law::A, 2), None);
    }

    #[test]
    fn a_list_goes_on_from_its_place() {
        for place in 0..=6u64 {
            let mut playout = Playout::new(list(&[160, 0, 320, 480]), false);
            let mut later = playout.clone();
            assert_eq!(count_of(&mut playout, place as usize), place as usize);
            assert_eq!(playout.place(), place);
            later.go_to(place);
            assert_eq!(later.place(), place);
            assert_eq!(count(later, 100), 6 - place as usize);
        }
        let mut behind = Playout::new(list(&[160]), false);
        behind.go_to(9);
        assert_eq!(count(behind, 100), 0);
    }

    #[test]
    fn a_list_that_goes_round_is_where_its_frames_say() {
        let prompts = list(&[160, 0, 320, 480]);
        for frames in 0..20u64 {
            let mut playout = Playout::new(prompts.clone(), true);
            assert_eq!(count_of(&mut playout, frames as usize), frames as usize);
            let mut joined = Playout::new(prompts.clone(), true);
            joined.go_to(Playout::place_after(&prompts, frames));
            // At the end of the list is at its beginning.
            assert_eq!(joined.place() % 6, playout.place() % 6, "{frames}");
        }
        assert_eq!(Playout::place_after(&list(&[0]), 7), 0);
        assert_eq!(Playout::place_after(&[], 7), 0);
    }

    #[test]
    fn lists_are_played_once_or_for_ever() {
        assert_eq!(count(Playout::new(list(&[160, 0, 320]), false), 100), 3);
        assert_eq!(count(Playout::new(list(&[160, 0, 320]), true), 100), 100);
        assert_eq!(count(Playout::new(list(&[]), true), 100), 0);
        assert_eq!(count(Playout::new(list(&[0, 0]), true), 100), 0, "nothing to hear never hangs");
    }
}
