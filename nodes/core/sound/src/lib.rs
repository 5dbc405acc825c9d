//! Sound files that people upload, made once into what callers hear: one channel at 8 kHz, 16 bits. WAV (PCM of any size,
//! floating point, both G.711 laws), MP3, and Ogg with Opus are read, at any usual rate and with one or two
//! channels. No clock, no files, no sockets: bytes in, samples out.
//!
//! [`read`] decodes, [`wav`] writes the form that is kept. Whatever the bytes are, memory stays below the file, the
//! sound and a fixed rest; a library that panics over hostile bytes panics here too, so run it where that is caught.
//! [`kept`] makes the files that recordings become.

mod decode;
pub mod kept;
mod opus;
mod resampler;

pub use mangrove_rtp::RATE;
use mangrove_rtp::wav::header;

use decode::Track;
use resampler::Resampler;

/// Rates of files that are taken, samples a second.
const RATES: std::ops::RangeInclusive<u32> = 6_000..=192_000;

/// Why a file can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither of the forms above, or cut off in its head.
    #[error("it is no sound file that can be read here ({why}): use WAV, MP3, or Ogg with Opus")]
    Unknown { why: String },
    /// The form is known, what it carries is not.
    #[error("what it carries can't be decoded here ({why}): use WAV, MP3, or Ogg with Opus")]
    Coding { why: String },
    /// The bytes stop making sense.
    #[error("it is damaged {after_ms} ms after its beginning: {why}")]
    Damaged { after_ms: u64, why: String },
    /// Outside of what is resampled.
    #[error("its rate of {0} Hz is not supported: use 6000 to 192000")]
    Rate(u32),
    /// More sound than was allowed; nothing behind that was decoded.
    #[error("it is longer than {seconds} s, which is the most: cut it")]
    TooLong { seconds: u32 },
    /// A head and nothing behind it.
    #[error("it holds no sound")]
    Empty,
}

/// Decodes a whole file to one channel of [`RATE`]; several channels become their mean. More than `seconds` of it are
/// refused. Single frames that can't be decoded are left out; a file of which more is bad than good is damaged. One that
/// is cut off ends where it is cut.
pub fn read(file: &[u8], seconds: u32) -> Result<Vec<i16>, Error> {
    let mut track = Track::open(file)?;
    let mut sound = Gathering { most: seconds as usize * RATE as usize, seconds, ..Gathering::default() };
    let mut piece = Vec::new();
    while let Some(rate) = track.next(&mut piece).map_err(|why| sound.damaged(why))? {
        sound.add(rate, &piece)?;
    }
    sound.finish()
}

/// The samples as a WAV file of 16 bits at [`RATE`]: the form that is kept, and that browsers play.
pub fn wav(samples: &[i16]) -> Vec<u8> {
    let mut file = Vec::with_capacity(mangrove_rtp::wav::HEADER + samples.len() * 2);
    file.extend_from_slice(&header(1, RATE, samples.len() as u64 * 2));
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

/// How long so many samples are, milliseconds.
pub fn duration_ms(samples: usize) -> u64 {
    samples as u64 * 1000 / u64::from(RATE)
}

/// The sound so far.
#[derive(Default)]
struct Gathering {
    resampler: Option<(u32, Resampler)>,
    samples: Vec<i16>,
    most: usize,
    seconds: u32,
}

impl Gathering {
    fn add(&mut self, rate: u32, piece: &[f32]) -> Result<(), Error> {
        if !RATES.contains(&rate) {
            return Err(Error::Rate(rate));
        }
        let (known, resampler) = self.resampler.get_or_insert_with(|| (rate, Resampler::new(rate)));
        if *known != rate {
            let why = format!("its rate changes from {known} to {rate} Hz");
            return Err(self.damaged(why));
        }
        resampler.push(piece, &mut self.samples);
        self.measured()
    }

    fn finish(mut self) -> Result<Vec<i16>, Error> {
        if let Some((_, mut resampler)) = self.resampler.take() {
            resampler.finish(&mut self.samples);
        }
        self.measured()?;
        if self.samples.is_empty() { Err(Error::Empty) } else { Ok(self.samples) }
    }

    fn measured(&self) -> Result<(), Error> {
        if self.samples.len() > self.most { Err(Error::TooLong { seconds: self.seconds }) } else { Ok(()) }
    }

    fn damaged(&self, why: String) -> Error {
        Error::Damaged { after_ms: duration_ms(self.samples.len()), why }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
