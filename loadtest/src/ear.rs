//! One party's ear: which of the last second's frames carry the tone it listens for, and how often it was asked and
//! said yes. Pure; times are microseconds of one clock.
//!
//! Each frame is judged alone, so that a lost or renumbered packet costs itself and not the phase of a whole second.

use std::collections::VecDeque;

use mangrove_rtp::{FRAME, FRAME_US, tone};

/// What is remembered: one second.
const WINDOW_US: u64 = 1_000_000;
const WINDOW: usize = (WINDOW_US / FRAME_US) as usize;
/// Frames of the window that must carry the tone: two in fifty may be lost, three late.
const ENOUGH: usize = WINDOW * 9 / 10;
/// Of the last second's frames at the end: a fifth of a second. More would call those deaf who talked on for less than a
/// second after a gap.
const LATELY: usize = WINDOW / 5;
/// How long the way may take to open once a talk began: nobody notices half a second.
const SETTLES_US: u64 = 500_000;
/// Mean square below which there is silence, whatever shape it has.
const QUIET: f64 = 1e4;
/// Share of a frame's power that makes it the tone's.
const PRESENT: f64 = 0.5;

/// Listens for one tone in one talk.
#[derive(Debug, Default)]
pub(crate) struct Ear {
    hertz: f64,
    began_us: u64,
    /// When each frame came and whether it carries the tone.
    frames: VecDeque<(u64, bool)>,
    due: u32,
    heard: u32,
    /// When it was asked last.
    asked_us: u64,
}

impl Ear {
    /// A talk begins: nothing that was heard before counts.
    pub(crate) fn listen(hertz: u32, now_us: u64) -> Self {
        Self { hertz: f64::from(hertz), began_us: now_us, ..Self::default() }
    }

    /// Takes a frame of the other side's sound.
    pub(crate) fn hear(&mut self, samples: &[i16], now_us: u64) {
        if self.frames.len() == WINDOW {
            self.frames.pop_front();
        }
        self.frames.push_back((now_us, carries(samples, self.hertz)));
    }

    /// Asks whether the tone filled the last second, once a second of talk has passed.
    pub(crate) fn look(&mut self, now_us: u64) {
        if now_us.saturating_sub(self.began_us) < WINDOW_US + SETTLES_US {
            return;
        }
        self.due += 1;
        self.asked_us = now_us;
        self.heard += u32::from(self.toned() >= ENOUGH);
    }

    /// Whether the tone was there in this share of the looks, and for a moment of the last second. None when the talk was too short for one look.
    pub(crate) fn verdict(&self, share: f64) -> Option<bool> {
        let often = f64::from(self.heard) >= share * f64::from(self.due);
        (self.due > 0).then_some(often && self.toned() >= LATELY)
    }

    /// Frames with the tone in the second before the last look.
    fn toned(&self) -> usize {
        let is_recent = |at: u64| self.asked_us.saturating_sub(at) <= WINDOW_US;
        self.frames.iter().filter(|(at, tone)| *tone && is_recent(*at)).count()
    }
}

/// Whether most of the frame's power is the tone's.
pub(crate) fn carries(samples: &[i16], hertz: f64) -> bool {
    let power =
        samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len().max(1) as f64;
    let tone = tone::level(samples, hertz).powi(2) / 2.0;
    power > QUIET && samples.len() == FRAME && tone / power > PRESENT
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE: f64 = 0.95;

    /// Hears frames from `from` to `to` (in frames of 20 ms), looking after each; `None` is no packet at all.
    fn lives(ear: &mut Ear, frames: std::ops::Range<u64>, sound: impl Fn(u64) -> Option<Vec<i16>>) {
        for number in frames {
            if let Some(samples) = sound(number) {
                ear.hear(&samples, number * FRAME_US);
            }
            ear.look(number * FRAME_US);
        }
    }

    fn sine(hertz: f64) -> impl Fn(u64) -> Option<Vec<i16>> {
        move |number| Some(tone::sine(hertz, 12_000.0, number * FRAME as u64, FRAME))
    }

    /// Two notes and noise, louder than the tone is.
    fn music(number: u64) -> Option<Vec<i16>> {
        let notes = [329.63, 523.25].map(|hertz| tone::sine(hertz, 7_000.0, number * FRAME as u64, FRAME));
        Some(notes[0].iter().zip(&notes[1]).map(|(a, b)| a + b).collect())
    }

    #[test]
    fn a_tone_all_along_is_heard() {
        let mut ear = Ear::listen(1060, 0);
        lives(&mut ear, 0..300, sine(1060.0));
        assert_eq!(ear.verdict(SHARE), Some(true));
    }

    #[test]
    fn music_then_silence_is_no_tone() {
        for hertz in [340, 1060] {
            let mut ear = Ear::listen(hertz, 0);
            lives(&mut ear, 0..100, music);
            assert_eq!(ear.verdict(SHARE), Some(false), "music");
            lives(&mut ear, 100..300, |_| Some(vec![8; FRAME]));
            assert_eq!(ear.verdict(0.0), Some(false), "silence");
        }
    }

    #[test]
    fn one_tone_is_not_another() {
        for (sounds, expected) in [(1060.0, 1660), (1000.0, 1060), (300.0, 340), (1660.0, 1060)] {
            let mut ear = Ear::listen(expected, 0);
            lives(&mut ear, 0..300, sine(sounds));
            assert_eq!(ear.verdict(0.01), Some(false), "{sounds} is not {expected}");
        }
    }

    #[test]
    fn a_relay_that_stops_in_mid_talk_is_noticed() {
        let mut ear = Ear::listen(700, 0);
        lives(&mut ear, 0..3_000, sine(700.0));
        lives(&mut ear, 3_000..3_040, |_| None);
        assert_eq!(ear.verdict(SHARE), Some(true), "a moment is forgiven");
        lives(&mut ear, 3_040..3_051, |_| None);
        assert_eq!(
            ear.verdict(SHARE),
            Some(false),
            "the last second was not heard, though 95 % of all looks were"
        );
    }

    #[test]
    fn who_talks_on_after_a_gap_for_a_moment_is_not_deaf() {
        let gap = |number: u64| if (500..545).contains(&number) { None } else { sine(700.0)(number) };
        for (end, expected) in [(520, true), (545, false), (555, true)] {
            let mut ear = Ear::listen(700, 0);
            lives(&mut ear, 0..end, gap);
            assert_eq!(ear.verdict(0.8), Some(expected), "{end}");
        }
    }

    #[test]
    fn a_gap_is_forgiven_up_to_the_share() {
        let gap = |number: u64| if (500..600).contains(&number) { None } else { sine(700.0)(number) };
        let mut ear = Ear::listen(700, 0);
        lives(&mut ear, 0..1_500, gap);
        assert_eq!((ear.verdict(SHARE), ear.verdict(0.8)), (Some(false), Some(true)));
    }

    #[test]
    fn single_lost_packets_are_forgiven_and_short_talks_not_judged() {
        let mut ear = Ear::listen(1180, 0);
        lives(&mut ear, 0..70, sine(1180.0));
        assert_eq!(ear.verdict(SHARE), None);
        lives(&mut ear, 70..300, |number| if number % 25 == 0 { None } else { sine(1180.0)(number) });
        assert_eq!(ear.verdict(SHARE), Some(true));
    }
}
