//! A call's recording as its user gets it: WAV or Opus, the caller left and the other side right.

mod ogg;

use std::io::Cursor;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{api::Api, sound};

/// Samples a second.
const RATE: usize = 8_000;

/// A downloaded recording.
#[derive(Debug)]
pub struct Recording {
    /// The caller, as samples.
    left: Vec<i16>,
    /// Whoever the caller talked to.
    right: Vec<i16>,
}

/// Which side of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

impl Recording {
    /// The only recording of a call's record.
    pub async fn of(api: &Api, record: &Value) -> Result<Self> {
        let [recording] = record["recordings"].as_array().context("no list of recordings")?.as_slice() else {
            anyhow::bail!("not one recording: {record}");
        };
        let (call, id) =
            (record["call"].as_str().context("no id")?, recording["id"].as_str().context("no id")?);
        Self::read(api.bytes(&format!("/recordings/{call}/{id}")).await?)
    }

    /// Of the bytes of a file.
    pub fn read(bytes: Vec<u8>) -> Result<Self> {
        if bytes.starts_with(b"OggS") {
            let sides = <[Vec<i16>; 2]>::try_from(ogg::read(&bytes)?);
            let [left, right] = sides.map_err(|other| anyhow::anyhow!("{} channels", other.len()))?;
            return Ok(Self { left, right });
        }
        let mut wav = hound::WavReader::new(Cursor::new(bytes))?;
        let spec = wav.spec();
        anyhow::ensure!((spec.channels, spec.sample_rate) == (2, RATE as u32), "another format: {spec:?}");
        let samples: Vec<i16> = wav.samples::<i16>().collect::<Result<_, _>>()?;
        let side = |side: usize| samples.iter().skip(side).step_by(2).copied().collect();
        Ok(Self { left: side(0), right: side(1) })
    }

    /// Its length in seconds.
    pub fn seconds(&self) -> f64 {
        self.left.len() as f64 / RATE as f64
    }

    /// How strong a tone is on one side in each half second, from the start on; see `sound::level`.
    pub fn levels(&self, side: Side, hertz: f64) -> Vec<f64> {
        let samples = if side == Side::Left { &self.left } else { &self.right };
        samples.chunks_exact(RATE / 2).map(|half| sound::level(half, hertz, RATE as f64)).collect()
    }

    /// Whether somewhere on a side a tone is clear, and whether it is on the other side anywhere.
    pub fn has_only_on(&self, side: Side, hertz: f64) -> bool {
        let other = if side == Side::Left { Side::Right } else { Side::Left };
        let most = |side| self.levels(side, hertz).into_iter().fold(0.0, f64::max);
        most(side) > 0.9 && most(other) < 0.1
    }
}
