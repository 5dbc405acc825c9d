//! Files of each kind, and files that are none.

use mangrove_rtp::{g711, g711::Law, tone};
use proptest::prelude::*;

use super::*;

const MP3: &[u8] = include_bytes!("../fixtures/tone.mp3");
const OPUS: &[u8] = include_bytes!("../fixtures/tone.opus");
const VORBIS: &[u8] = include_bytes!("../fixtures/tone.ogg");

/// A second of 440 Hz.
fn is_tone(samples: &[i16]) {
    assert!((7800..8600).contains(&samples.len()), "{}", samples.len());
    let middle = &samples[800..7200];
    let level = tone::level(middle, 440.0);
    assert!((level - 16_384.0).abs() < 1700.0, "{level}");
    assert!(tone::level(middle, 1000.0) < level / 50.0);
}

/// A WAV file whose `fmt ` says this. That of a law is two bytes longer: nothing more is said of it.
fn file(code: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
    let mut file = header(channels, rate, data.len() as u64).to_vec();
    file[20..22].copy_from_slice(&code.to_le_bytes());
    file[28..32].copy_from_slice(&(rate * u32::from(channels * bits / 8)).to_le_bytes());
    file[32..34].copy_from_slice(&(channels * bits / 8).to_le_bytes());
    file[34..36].copy_from_slice(&bits.to_le_bytes());
    if code > 3 {
        file[4..8].copy_from_slice(&(data.len() as u32 + 38).to_le_bytes());
        file[16..20].copy_from_slice(&18u32.to_le_bytes());
        let behind = file.split_off(36);
        file = [&file[..], &[0, 0], &behind].concat();
    }
    [&file[..], data].concat()
}

/// The same tone, as each sample's bytes are made, on each of the channels.
fn sine<const N: usize>(rate: u32, channels: usize, bytes: impl Fn(f32) -> [u8; N]) -> Vec<u8> {
    let at = |n: u32| (f64::from(n) * 440.0 * std::f64::consts::TAU / f64::from(rate)).sin() as f32 / 2.0;
    (0..rate).flat_map(|n| bytes(at(n)).repeat(channels)).collect()
}

#[test]
fn wav_of_every_coding_is_read() {
    let word = |s: f32| ((s * 32_767.0) as i16).to_le_bytes();
    let three = |s: f32| {
        let [a, b, c, _] = ((s * 8_388_607.0) as i32).to_le_bytes();
        [a, b, c]
    };
    let law = |law: Law| move |s: f32| [g711::encode(law, (s * 32_767.0) as i16)];
    for (name, file) in [
        ("8 bits", file(1, 1, 8000, 8, &sine(8000, 1, |s| [(s * 127.0 + 128.0) as u8]))),
        ("16 bits", file(1, 1, 16_000, 16, &sine(16_000, 1, word))),
        ("16 bits, two channels", file(1, 2, 44_100, 16, &sine(44_100, 2, word))),
        ("24 bits", file(1, 2, 48_000, 24, &sine(48_000, 2, three))),
        ("floating point", file(3, 1, 96_000, 32, &sine(96_000, 1, f32::to_le_bytes))),
        ("A-law", file(6, 1, 8000, 8, &sine(8000, 1, law(Law::A)))),
        ("mu-law", file(7, 2, 11_025, 8, &sine(11_025, 2, law(Law::Mu)))),
    ] {
        let samples = read(&file, 10).unwrap_or_else(|error| panic!("{name}: {error}"));
        is_tone(&samples);
        assert_eq!(samples.len(), 8000, "{name}");
    }
}

#[test]
fn mp3_and_opus_are_read() {
    for file in [MP3, OPUS] {
        is_tone(&read(file, 10).unwrap());
    }
}

/// A file of some kilobytes may ask its decoder for gigabytes.
#[test]
fn vorbis_is_refused() {
    assert!(matches!(read(VORBIS, 10), Err(Error::Coding { .. } | Error::Unknown { .. })));
}

#[test]
fn what_is_kept_is_read_back() {
    let samples = tone::sine(440.0, 16_000.0, 0, 8000);
    let kept = wav(&samples);
    assert_eq!(mangrove_rtp::wav::read(&kept).unwrap().samples, samples);
    is_tone(&read(&kept, 10).unwrap());
    assert_eq!(duration_ms(samples.len()), 1000);
}

#[test]
fn each_fault_is_named() {
    let silence = |rate: u32| file(1, 1, rate, 16, &vec![0; 2 * rate as usize]);
    assert!(matches!(read(b"GIF89a and so on", 10), Err(Error::Unknown { .. })));
    assert!(matches!(read(b"", 10), Err(Error::Unknown { .. })));
    assert!(read(&MP3[..40], 10).is_err());
    assert_eq!(read(&file(1, 1, 8000, 16, &[]), 10), Err(Error::Empty));
    assert_eq!(read(&silence(4000), 10), Err(Error::Rate(4000)));
    assert_eq!(read(&silence(8000), 0), Err(Error::TooLong { seconds: 0 }));
    assert_eq!(read(&silence(8000), 1).unwrap().len(), 8000, "just that long");
    let many = [OPUS[..46].to_vec(), OPUS[47..].to_vec()].concat();
    assert!(read(&many, 10).is_err(), "a page whose sum is wrong");
}

#[test]
fn a_file_that_is_cut_off_ends_there() {
    let whole = read(MP3, 10).unwrap().len();
    let half = read(&MP3[..MP3.len() / 2], 10).unwrap().len();
    assert!((whole / 4..whole * 3 / 4).contains(&half), "{half} of {whole}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_files_are_read_or_refused(
        which in 0..4usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let short = wav(&tone::sine(440.0, 16_000.0, 0, 800));
        let mut file = [MP3, OPUS, VORBIS, &short[..]][which].to_vec();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        // What it gives is of no matter; a panic of a library would be caught by whoever runs it.
        let read = std::panic::catch_unwind(|| read(&file, 10));
        if let Ok(Ok(samples)) = read {
            prop_assert!(samples.len() <= 80_000);
        }
    }
}
