//! Reads a WAV file to mono samples.

use crate::g711::{self, Law};

/// Why a file can't be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("it is no WAV file: it does not begin with RIFF and WAVE")]
    NotWav,
    #[error("its `{chunk}` chunk is missing or cut off")]
    Truncated { chunk: &'static str },
    #[error("its format {code} with {bits} bits is not supported: use PCM of 16 or 8 bits, A-law or mu-law")]
    Format { code: u16, bits: u16 },
    #[error("it has {0} channels: use one or two")]
    Channels(u16),
    #[error("its rate of {0} Hz is not supported: use 8000 to 192000")]
    Rate(u32),
    #[error("it holds no sound")]
    Empty,
}

/// Mono samples at the file's rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    pub rate: u32,
    pub samples: Vec<i16>,
}

#[derive(Debug, Clone, Copy)]
enum Coding {
    Byte,
    Word,
    Law(Law),
}

struct Format {
    coding: Coding,
    channels: usize,
    rate: u32,
}

/// Reads a whole file. Two channels become their mean. A data chunk that claims more than the file holds (a stream
/// that never knew its end) gives what is there.
pub fn read(file: &[u8]) -> Result<Sound, Error> {
    if file.len() < 12 || &file[0..4] != b"RIFF" || &file[8..12] != b"WAVE" {
        return Err(Error::NotWav);
    }
    let mut rest = &file[12..];
    let mut format = None;
    while let [a, b, c, d, l0, l1, l2, l3, body @ ..] = rest {
        let length = u32::from_le_bytes([*l0, *l1, *l2, *l3]) as usize;
        let chunk = &body[..length.min(body.len())];
        match &[*a, *b, *c, *d] {
            b"fmt " => format = Some(read_format(chunk)?),
            b"data" => return read_data(&format.ok_or(Error::Truncated { chunk: "fmt" })?, chunk),
            _ => {}
        }
        // Chunks are filled to an even length.
        rest = body.get(length.saturating_add(length & 1)..).unwrap_or_default();
    }
    Err(Error::Truncated { chunk: "data" })
}

fn read_format(chunk: &[u8]) -> Result<Format, Error> {
    let word = |at: usize| chunk.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]));
    let short = Error::Truncated { chunk: "fmt" };
    let (Some(code), Some(channels), Some(bits)) = (word(0), word(2), word(14)) else { return Err(short) };
    let rate = u32::from(word(4).unwrap_or(0)) | (u32::from(word(6).unwrap_or(0)) << 16);
    // WAVE_FORMAT_EXTENSIBLE names the real one at the start of its GUID.
    let code = if code == 0xfffe { word(24).unwrap_or(code) } else { code };
    let coding = match (code, bits) {
        (1, 16) => Coding::Word,
        (1, 8) => Coding::Byte,
        (6, 8) => Coding::Law(Law::A),
        (7, 8) => Coding::Law(Law::Mu),
        _ => return Err(Error::Format { code, bits }),
    };
    if !(1..=2).contains(&channels) {
        return Err(Error::Channels(channels));
    }
    if !(8_000..=192_000).contains(&rate) {
        return Err(Error::Rate(rate));
    }
    Ok(Format { coding, channels: channels.into(), rate })
}

fn read_data(format: &Format, data: &[u8]) -> Result<Sound, Error> {
    let samples: Vec<i16> = match format.coding {
        Coding::Word => data.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect(),
        Coding::Byte => data.iter().map(|byte| (i16::from(*byte) - 128) << 8).collect(),
        Coding::Law(law) => data.iter().map(|byte| g711::decode(law, *byte)).collect(),
    };
    let samples = if format.channels == 1 { samples } else { samples.chunks_exact(2).map(mean).collect() };
    if samples.is_empty() {
        return Err(Error::Empty);
    }
    Ok(Sound { rate: format.rate, samples })
}

fn mean(pair: &[i16]) -> i16 {
    ((i32::from(pair[0]) + i32::from(pair[1])) / 2) as i16
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wav::header;

    fn file(channels: u16, rate: u32, samples: &[i16]) -> Vec<u8> {
        let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        [&header(channels, rate, data.len() as u64)[..], &data].concat()
    }

    fn changed(at: usize, bytes: &[u8]) -> Vec<u8> {
        let mut file = file(1, 8000, &[1, 2, 3]);
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    }

    #[test]
    fn what_was_written_is_read_back() {
        assert_eq!(
            read(&file(1, 16_000, &[1, -2, 300])).unwrap(),
            Sound { rate: 16_000, samples: vec![1, -2, 300] }
        );
        assert_eq!(read(&file(2, 8000, &[100, 200, -4, -8])).unwrap().samples, [150, -6]);
    }

    #[test]
    fn other_codings_are_read() {
        let byte = changed(34, &8u16.to_le_bytes());
        assert_eq!(read(&byte).unwrap().samples[0], (1 - 128) << 8);
        let law = [changed(34, &8u16.to_le_bytes())].map(|mut f| {
            f[20] = 6;
            f
        });
        assert_eq!(read(&law[0]).unwrap().samples.len(), 6);
    }

    #[test]
    fn each_fault_is_named() {
        let whole = file(1, 8000, &[1, 2, 3]);
        let cases = [
            (b"GIF89a......".to_vec(), Error::NotWav),
            (vec![], Error::NotWav),
            (whole[..30].to_vec(), Error::Truncated { chunk: "fmt" }),
            (whole[..36].to_vec(), Error::Truncated { chunk: "data" }),
            (changed(20, &[85, 0]), Error::Format { code: 85, bits: 16 }),
            (changed(34, &[24, 0]), Error::Format { code: 1, bits: 24 }),
            (changed(22, &[6, 0]), Error::Channels(6)),
            (changed(22, &[0, 0]), Error::Channels(0)),
            (changed(24, &[0, 0, 0, 0]), Error::Rate(0)),
            (changed(16, &[255, 255, 255, 255]), Error::Truncated { chunk: "data" }),
            (whole[..44].to_vec(), Error::Empty),
        ];
        for (file, error) in cases {
            assert_eq!(read(&file), Err(error));
        }
    }

    #[test]
    fn a_length_that_lies_gives_what_is_there() {
        assert_eq!(read(&changed(40, &[255, 255, 255, 255])).unwrap().samples, [1, 2, 3]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(tail in proptest::collection::vec(any::<u8>(), 0..300), at in 0..44usize, byte: u8) {
            let _ = read(&tail);
            let mut file = [&header(1, 8000, 300)[..], &tail].concat();
            file[at] = byte;
            let _ = read(&file);
        }
    }
}
