//! The test vectors of Opus (RFC 8251), where they are at hand: no registry has them. MANGROVE_OPUS_VECTORS names the
//! folder with testvector01.bit to testvector12.bit (opus_testvectors-rfc8251.tar.gz, sha256
//! 6b26a22f9ba87b2b836906a9bb7afec5f8e54d49553b1200382520ee6fedfa55).

use crate::opus::Decoder;

/// A packet, and where its encoder's entropy coder ended.
struct Vector<'a> {
    payload: &'a [u8],
    range: u32,
}

/// The format of `opus_demo`: length, final range, payload; numbers have their high byte first.
fn vectors(mut bytes: &[u8]) -> Vec<Vector<'_>> {
    let mut all = Vec::new();
    while let Some((length, rest)) = number(bytes) {
        let (range, rest) = number(rest).unwrap();
        let (payload, rest) = rest.split_at(length as usize);
        all.push(Vector { payload, range });
        bytes = rest;
    }
    all
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*number), rest))
}

/// The decoder has read each bit as the encoder wrote it when both ended at the same range.
fn check(name: &str, bytes: &[u8]) {
    let mut decoder = Decoder::new().unwrap();
    let mut out = [0; 1920];
    for (index, vector) in vectors(bytes).iter().enumerate().filter(|(_, vector)| !vector.payload.is_empty())
    {
        let samples = Decoder::samples(vector.payload).unwrap();
        assert_eq!(decoder.decode(vector.payload, &mut out[..samples]), Ok(()), "{name}, packet {index}");
        assert_eq!(decoder.final_range(), Some(vector.range), "{name}, packet {index}");
    }
}

#[test]
// The tests' surroundings, not the product's configuration.
#[allow(clippy::disallowed_methods)]
fn the_vectors_are_decoded_bit_by_bit() {
    let Ok(folder) = std::env::var("MANGROVE_OPUS_VECTORS") else {
        eprintln!("skipped: MANGROVE_OPUS_VECTORS names no folder with the vectors of RFC 8251");
        return;
    };
    for number in 1..=12 {
        let path = format!("{folder}/testvector{number:02}.bit");
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        check(&path, &bytes);
    }
}

#[test]
fn the_format_is_read_and_ranges_are_compared() {
    let mut encoder =
        libopus::Encoder::new(48_000, libopus::Channels::Stereo, libopus::Application::Audio).unwrap();
    let (mut bytes, mut file) = ([0; 1000], Vec::new());
    for frame in 0..50i16 {
        let sound: Vec<i16> = (0..1920i16).map(|n| (n % (50 + frame)) * 100).collect();
        let length = encoder.encode(&sound, &mut bytes).unwrap();
        file.extend_from_slice(&(length as u32).to_be_bytes());
        file.extend_from_slice(&encoder.get_final_range().unwrap().to_be_bytes());
        file.extend_from_slice(&bytes[..length]);
    }
    assert_eq!(vectors(&file).len(), 50);
    check("made here", &file);
}
