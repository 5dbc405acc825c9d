//! The file that a recording becomes. What comes in is both sides' sound as recorders gather it: 16 bits a sample at
//! [`RATE`], left and right in turns. What goes out is WAV, or Opus in Ogg (RFC 7845), of both sides or of their sum. The
//! same sound gives the same bytes, whatever pieces it comes in; each piece's bytes are given at once, so that hours of
//! sound need no memory.

mod length;
mod opus;

use mangrove_rtp::{RATE, wav};

pub use length::lasts_ms;

/// Bytes of one sample of both sides.
const PAIR: usize = 4;
/// Up to here a sum is itself.
const KNEE: i32 = 24_576;
/// What is left above it.
const ROOM: i32 = i16::MAX as i32 - KNEE;

/// Why a file can't be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("its sound can't be encoded: {0}")]
    Codec(#[from] mangrove_codec::Error),
    #[error("its pages can't be put together: {0}")]
    Page(#[from] std::io::Error),
}

/// What kind of file. WAV of both sides where nothing else is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Form {
    /// Opus in Ogg instead of WAV.
    pub opus: bool,
    /// Both sides added up in one channel instead of one left and one right.
    pub mixed: bool,
}

impl Form {
    /// Whether the sound goes into the file as it is, behind [`Form::header`].
    pub fn is_plain(self) -> bool {
        self == Self::default()
    }

    /// The head of a WAV file for so many bytes of both sides' sound.
    pub fn header(self, bytes: u64) -> [u8; wav::HEADER] {
        wav::header(self.channels() as u16, RATE, bytes / PAIR as u64 * 2 * self.channels() as u64)
    }

    fn channels(self) -> usize {
        if self.mixed { 1 } else { 2 }
    }
}

/// A file in the making.
#[derive(Debug)]
pub struct Maker {
    form: Form,
    /// Of a sample that came in two pieces.
    rest: Vec<u8>,
    opus: Option<opus::Stream>,
    /// Not yet given out.
    made: Vec<u8>,
}

impl Maker {
    /// Begins a file for so many bytes of both sides' sound, which WAV says in its head.
    pub fn new(form: Form, bytes: u64) -> Result<Self, Error> {
        let opus = form.opus.then(|| opus::Stream::new(form.channels())).transpose()?;
        let made = if form.opus { Vec::new() } else { form.header(bytes).to_vec() };
        Ok(Self { form, rest: Vec::new(), opus, made })
    }

    /// Takes the next piece of both sides' sound, and gives what is made of the file by now.
    pub fn add(&mut self, sound: &[u8]) -> Result<Vec<u8>, Error> {
        self.rest.extend_from_slice(sound);
        let whole = self.rest.len() / PAIR * PAIR;
        let mut samples = Vec::with_capacity(whole / 2);
        for pair in self.rest[..whole].chunks_exact(PAIR) {
            let (left, right) =
                (i16::from_le_bytes([pair[0], pair[1]]), i16::from_le_bytes([pair[2], pair[3]]));
            match self.form.mixed {
                true => samples.push(sum(left, right)),
                false => samples.extend([left, right]),
            }
        }
        self.rest.drain(..whole);
        match &mut self.opus {
            Some(stream) => stream.add(&samples, &mut self.made)?,
            None => self.made.extend(samples.iter().flat_map(|sample| sample.to_le_bytes())),
        }
        Ok(std::mem::take(&mut self.made))
    }

    /// The file's end, and what was not given out yet.
    pub fn finish(mut self) -> Result<Vec<u8>, Error> {
        if let Some(stream) = self.opus {
            stream.finish(&mut self.made)?;
        }
        Ok(self.made)
    }
}

/// Both at once. Where two are loud the sum is bent to fit: cut off it would crack.
fn sum(left: i16, right: i16) -> i16 {
    let sum = i32::from(left) + i32::from(right);
    let over = (sum.abs() - KNEE).max(0);
    let bent = KNEE.min(sum.abs()) + over * ROOM / (over + ROOM);
    (bent * sum.signum()) as i16
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
