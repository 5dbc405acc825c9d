//! Whatever comes from outside: nothing panics, and what comes out is bounded.

use proptest::{collection::vec, prelude::*};

use crate::{Decoder, Encoder, Encoding, LONGEST_MS, MOST_BYTES, Packet, Transcoder};

fn encoding() -> impl Strategy<Value = Encoding> {
    proptest::sample::select(Encoding::ALL.to_vec())
}

/// Any bytes; whole frames of G.729; something with the first byte of an Opus packet of one frame.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let frames = vec(any::<[u8; 10]>(), 0..8).prop_map(|frames| frames.concat());
    let opus = (0..64u8, vec(any::<u8>(), 0..200)).prop_map(|(kind, mut bytes)| {
        bytes.insert(0, kind << 2);
        bytes
    });
    prop_oneof![vec(any::<u8>(), 0..700), frames, opus]
}

#[derive(Debug, Clone)]
struct Step {
    source: u64,
    ahead: u16,
    timestamp: u32,
    marker: bool,
    is_sound: bool,
    payload: Vec<u8>,
}

fn step() -> impl Strategy<Value = Step> {
    let ahead = prop_oneof![8 => 0..4u16, 1 => 65_530..=65_535u16, 1 => any::<u16>()];
    let timestamp = prop_oneof![8 => 0..2000u32, 1 => any::<u32>()];
    let stream = (prop_oneof![20 => Just(1u64), 1 => Just(2)], ahead, timestamp);
    (stream, any::<bool>(), proptest::bool::weighted(0.9), payload()).prop_map(
        |((source, ahead, timestamp), marker, is_sound, payload)| Step {
            source,
            ahead,
            timestamp,
            marker,
            is_sound,
            payload,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_make_a_decoder_panic(
        encoding in encoding(),
        payloads in vec((payload(), 0..4000usize, 0..4000usize), 1..12),
    ) {
        let mut decoder = Decoder::new(encoding).expect("memory");
        let most = encoding.samples_of_ms(LONGEST_MS);
        let mut out = vec![0; 4000];
        for (payload, room, lost) in payloads {
            match decoder.decode_into(&payload, &mut out[..room]) {
                Ok(count) => prop_assert!(count > 0 && count <= room.min(most)),
                Err(_) => prop_assert!(decoder.conceal_into(lost, Some(payload.as_slice()), &mut out) <= lost),
            }
            prop_assert!(decoder.conceal_into(lost, None, &mut out[..room]) <= lost.min(room));
        }
        decoder.reset();
    }

    #[test]
    fn no_sound_makes_an_encoder_panic(
        encoding in encoding(),
        frames in vec((vec(any::<i16>(), 0..1000), 0..200usize), 1..6),
        loudness in 0..16u32,
    ) {
        let mut encoder = Encoder::new(encoding).expect("memory");
        let mut decoder = Decoder::new(encoding).expect("memory");
        let (mut bytes, mut out) = ([0; MOST_BYTES], vec![0; 4000]);
        for (mut samples, room) in frames {
            samples.iter_mut().for_each(|sample| *sample >>= loudness);
            if let Ok(count) = encoder.encode_into(&samples, &mut bytes[..room]) {
                prop_assert!(count <= room);
            }
            for ms in [10, 20, 40, 60] {
                samples.resize(encoding.samples_of_ms(ms), i16::MIN);
                let count = encoder.encode_into(&samples, &mut bytes).expect("a length that it has");
                prop_assert_eq!(decoder.decode_into(&bytes[..count], &mut out), Ok(samples.len()));
            }
        }
    }

    #[test]
    fn no_packets_make_a_transcoder_panic_or_burst(
        from in encoding(),
        to in encoding(),
        wanted in 0..70u32,
        steps in vec(step(), 1..60),
    ) {
        let frame_ms = to.frame_ms(wanted);
        let mut transcoder = Transcoder::new(from, to, frame_ms).expect("memory");
        let (mut sequence, mut timestamp, mut expected) = (0u16, 0u32, 0u16);
        for step in steps {
            sequence = sequence.wrapping_add(step.ahead);
            timestamp = timestamp.wrapping_add(step.timestamp);
            if !step.is_sound {
                transcoder.skip(step.source, sequence);
                continue;
            }
            let Step { source, marker, payload, .. } = &step;
            let packet = Packet { source: *source, sequence, timestamp, marker: *marker, payload: payload.as_slice() };
            let mut lengths = Vec::new();
            transcoder.feed(&packet, |frame| lengths.push((frame.sequence, frame.payload.len())));
            // What waited, what is made up, a filler on either side of a pause, and the payload itself.
            let most = (180 + LONGEST_MS) / frame_ms + 4;
            prop_assert!(lengths.len() as u32 <= most, "{} frames", lengths.len());
            for (number, length) in lengths {
                prop_assert!(number == expected && (1..=MOST_BYTES).contains(&length));
                expected = expected.wrapping_add(1);
            }
        }
    }
}
