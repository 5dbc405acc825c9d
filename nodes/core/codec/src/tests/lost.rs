//! What is heard in place of lost packets.

use super::{AMPLITUDE, Said, Talker, energy, feed_all, sound, tone_of, vowels};
use crate::{Decoder, Encoding, Transcoder};

#[test]
fn the_tone_goes_on_where_a_packet_is_lost() {
    for from in Encoding::ALL {
        let said: Vec<Said> = Talker::new(from, 20, tone_of(from, 440.0, 2000)).collect();
        let is_lost = |number: usize| number % 10 == 5;
        let mut transcoder = Transcoder::new(from, Encoding::Pcma, 20).unwrap();
        let heard =
            feed_all(&mut transcoder, (0..).zip(&said).filter(|(n, _)| !is_lost(*n)).map(|(_, said)| said));
        assert_eq!((heard.len(), transcoder.made_up_ms()), (100, 200), "{from:?}");
        let whole = AMPLITUDE.powi(2) / 2.0 * 160.0;
        let sound = sound(Encoding::Pcma, &heard);
        for (number, frame) in sound.chunks(160).enumerate().skip(10).filter(|(number, _)| is_lost(*number)) {
            let part = energy(frame) / whole;
            // G.729 makes up noise of its own for what it takes for no voice.
            let least = if from == Encoding::G729 { 0.02 } else { 0.1 };
            assert!((least..2.0).contains(&part), "{from:?}, frame {number}: {part} of its energy");
        }
    }
}

/// How far, in parts of the lost energy, what is heard in place of every fifth packet is from what was said: 1 is no
/// better than silence.
fn error(encoding: Encoding, conceal: impl Fn(&mut Decoder, &[u8], &mut [i16])) -> f64 {
    let said: Vec<Said> = Talker::new(encoding, 20, vowels(encoding, 4000)).collect();
    let (mut whole, mut torn) = (Decoder::new(encoding).unwrap(), Decoder::new(encoding).unwrap());
    let samples = encoding.samples_of_ms(20);
    let (mut expected, mut made) = (vec![0; samples], vec![0; samples]);
    let (mut off, mut all) = (0.0, 0.0);
    for (number, packet) in said.iter().enumerate() {
        whole.decode_into(&packet.payload, &mut expected).unwrap();
        match said.get(number + 1) {
            Some(next) if number % 5 == 4 => {
                conceal(&mut torn, &next.payload, &mut made);
                let difference = expected.iter().zip(&made).map(|(a, b)| a.saturating_sub(*b));
                off += energy(&difference.collect::<Vec<i16>>());
                all += energy(&expected);
            }
            _ => assert_eq!(torn.decode_into(&packet.payload, &mut made), Ok(samples)),
        }
    }
    off / all
}

#[test]
fn what_is_made_up_is_nearer_to_speech_than_silence() {
    for encoding in [Encoding::Pcma, Encoding::Pcmu, Encoding::G722] {
        let made_up = error(encoding, |decoder, _, out| {
            assert_eq!(decoder.conceal_into(out.len(), None, out), out.len());
        });
        assert!(made_up < 0.5, "{encoding:?}: {made_up}");
    }
}

#[test]
fn the_next_packet_of_opus_has_the_lost_one_again() {
    let without = error(Encoding::Opus, |_, _, out| out.fill(0));
    let made_up = error(Encoding::Opus, |decoder, _, out| {
        decoder.conceal_into(out.len(), None, out);
    });
    let again = error(Encoding::Opus, |decoder, next, out| {
        decoder.conceal_into(out.len(), Some(next), out);
    });
    assert!(without > 0.9, "{without}");
    assert!(again < 0.5 && again < made_up, "{again} with the next packet, {made_up} without it");
}
