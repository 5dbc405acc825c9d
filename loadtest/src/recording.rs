//! Listens to a recording of a run: the caller's tone is left, the agent's right.

use mangrove_rtp::{FRAME, wav};

use crate::{ear, ledger::Offer};

/// Bytes of one frame of both channels.
const FRAME_BYTES: usize = FRAME * 4;
/// Share of the frames in the middle half of a recording that must carry the side's tone.
const PRESENT: f64 = 0.8;

/// Says what is wrong with the recording (a WAV file as the product makes it) of the talk that the agent lived.
pub fn check(file: &[u8], offer: &Offer) -> Result<(), String> {
    wav::read(file).map_err(|error| format!("it can't be read: {error}"))?;
    let frames = file.get(wav::HEADER..).unwrap_or_default().chunks_exact(FRAME_BYTES);
    let (skipped, half) = (frames.len() / 4, frames.len() / 2);
    let middle: Vec<[Vec<i16>; 2]> = frames.skip(skipped).take(half).map(sides).collect();
    for (side, name, hertz) in [(0, "left", offer.caller_hertz), (1, "right", offer.hertz)] {
        let toned = middle.iter().filter(|frame| ear::carries(&frame[side], f64::from(hertz))).count();
        if (toned as f64) < PRESENT * middle.len().max(1) as f64 {
            return Err(format!("{toned} of {} frames carry {hertz} Hz on the {name}", middle.len()));
        }
    }
    Ok(())
}

fn sides(frame: &[u8]) -> [Vec<i16>; 2] {
    [0, 2].map(|at| frame.chunks_exact(4).map(|both| i16::from_le_bytes([both[at], both[at + 1]])).collect())
}

#[cfg(test)]
mod tests {
    use mangrove_rtp::{RATE, tone};

    use super::*;
    use crate::ledger::Counters;

    fn offer() -> Offer {
        Offer {
            agent: "1000".into(),
            caller: "1".into(),
            at: 0,
            answered_at: Some(0),
            confirmed_at: None,
            ended_at: 2_000,
            sound: Counters::default(),
            heard_caller: None,
            silences: Vec::new(),
            hung_up: false,
            hertz: 1_060,
            caller_hertz: 420,
        }
    }

    fn file(left: f64, right: f64) -> Vec<u8> {
        let [left, right] = [left, right].map(|hertz| tone::sine(hertz, 12_000.0, 0, 16_000));
        let both = left.iter().zip(&right).flat_map(|(l, r)| [l.to_le_bytes(), r.to_le_bytes()].concat());
        let data: Vec<u8> = both.collect();
        [&wav::header(2, RATE, data.len() as u64)[..], &data].concat()
    }

    #[test]
    fn sides_that_are_exchanged_or_silent_are_named() {
        assert_eq!(check(&file(420.0, 1_060.0), &offer()), Ok(()));
        let error = |left, right| check(&file(left, right), &offer()).err().unwrap_or_default();
        assert_eq!(error(1_060.0, 420.0), "0 of 50 frames carry 420 Hz on the left");
        assert_eq!(error(420.0, 0.0), "0 of 50 frames carry 1060 Hz on the right");
        assert!(check(b"GIF89a", &offer()).is_err());
    }
}
