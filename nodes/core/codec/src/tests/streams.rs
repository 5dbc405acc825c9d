//! Numbers and lengths: what packets say about time is what frames say.

use mangrove_rtp::g711::{self, Law};

use super::{Heard, Said, Talker, feed, feed_all, tone_of};
use crate::{Encoding, Error, Packet, Transcoder};

/// Packets of mu-law.
fn pcmu(ms: u32, count: usize) -> Vec<Said> {
    let talker = Talker::new(Encoding::Pcmu, ms, tone_of(Encoding::Pcmu, 440.0, ms * count as u32));
    let said: Vec<Said> = talker.collect();
    assert_eq!(said.len(), count);
    said
}

/// To A-law in 20 ms.
fn to_pcma() -> Transcoder {
    Transcoder::new(Encoding::Pcmu, Encoding::Pcma, 20).unwrap()
}

/// Timestamps and markers. The sequence numbers follow one another in any case.
fn times(heard: &[Heard]) -> Vec<(u32, bool)> {
    let first = heard.first().map_or(0, |frame| frame.sequence);
    assert!((first..).zip(heard).all(|(sequence, frame)| frame.sequence == sequence), "{heard:?}");
    heard.iter().map(|frame| (frame.timestamp, frame.marker)).collect()
}

#[test]
fn the_first_frame_begins_a_stream_that_goes_on_in_the_clock_of_its_encoding() {
    for to in Encoding::ALL {
        let mut transcoder = Transcoder::new(Encoding::Pcmu, to, 20).unwrap();
        let heard = feed_all(&mut transcoder, &pcmu(20, 4));
        let step = to.clock_rate() / 50;
        assert_eq!(times(&heard), [(0, true), (step, false), (2 * step, false), (3 * step, false)], "{to:?}");
        assert_eq!(heard.iter().filter(|frame| frame.anew).count(), 1);
        assert!(heard[0].anew);
        assert_eq!((transcoder.incoming(), transcoder.outgoing()), (Encoding::Pcmu, to));
    }
}

#[test]
fn lengths_change_and_no_sample_is_lost() {
    for (ms, frame_ms) in
        [10, 20, 30, 40, 60].into_iter().flat_map(|ms| [10, 20, 30, 40, 60].map(|out| (ms, out)))
    {
        let said = pcmu(ms, 1200 / ms as usize);
        let mut transcoder = Transcoder::new(Encoding::Pcmu, Encoding::Pcma, frame_ms).unwrap();
        let heard = feed_all(&mut transcoder, &said);
        assert_eq!(heard.len() as u32, 1200 / frame_ms, "{ms} to {frame_ms}");
        let expected: Vec<(u32, bool)> = (0..1200 / frame_ms).map(|n| (n * frame_ms * 8, n == 0)).collect();
        assert_eq!(times(&heard), expected);
        let mut bytes: Vec<u8> = said.into_iter().flat_map(|said| said.payload).collect();
        g711::transcode(Law::Mu, Law::A, &mut bytes);
        assert_eq!(heard.into_iter().flat_map(|frame| frame.payload).collect::<Vec<u8>>(), bytes);
    }
}

#[test]
fn each_encoding_makes_the_lengths_that_it_has() {
    for to in Encoding::ALL {
        for frame_ms in [10, 20, 30, 40, 60] {
            match Transcoder::new(Encoding::G722, to, frame_ms) {
                Ok(mut transcoder) => {
                    let talker = Talker::new(Encoding::G722, 20, tone_of(Encoding::G722, 440.0, 240));
                    let said: Vec<Said> = talker.collect();
                    let heard = feed_all(&mut transcoder, &said);
                    assert_eq!(heard.len() as u32, 240 / frame_ms, "{to:?} {frame_ms}");
                    assert_eq!(heard[1].timestamp, to.clock_rate() / 1000 * frame_ms);
                }
                Err(error) => assert_eq!((error, to, frame_ms), (Error::Length, Encoding::Opus, 30)),
            }
        }
    }
    assert_eq!(Transcoder::new(Encoding::G722, Encoding::Pcmu, 25).err(), Some(Error::Length));
}

#[test]
fn late_and_doubled_packets_are_left_out() {
    let said = pcmu(20, 5);
    let heard = feed_all(&mut to_pcma(), [0usize, 0, 1, 3, 2, 3, 4].map(|index| &said[index]));
    let expected = [(0, true), (160, false), (320, false), (480, false), (640, false)];
    assert_eq!(times(&heard), expected, "the lost one was made up before it came");
}

#[test]
fn of_a_long_gap_three_frames_are_made_up_and_the_rest_is_silence() {
    let said = pcmu(20, 8);
    let heard = feed_all(&mut to_pcma(), [&said[0], &said[6], &said[7]]);
    let expected = [(0, true), (160, false), (320, false), (480, false), (960, true), (1120, false)];
    assert_eq!(times(&heard), expected);
    assert_eq!(heard.iter().filter(|frame| frame.anew).count(), 1);
}

#[test]
fn a_pause_is_no_loss_in_any_clock() {
    for from in Encoding::ALL {
        for to in Encoding::ALL {
            let mut talker = Talker::new(from, 20, tone_of(from, 440.0, 60));
            let mut transcoder = Transcoder::new(from, to, 20).unwrap();
            let mut heard = feed(&mut transcoder, &talker.next().unwrap());
            talker.pause(1000);
            heard.extend(feed(&mut transcoder, &talker.next().unwrap()));
            heard.extend(feed(&mut transcoder, &talker.next().unwrap()));
            let ms = to.clock_rate() / 1000;
            let expected = [(0, true), (1020 * ms, true), (1040 * ms, false)];
            assert_eq!(times(&heard), expected, "{from:?} to {to:?}");
        }
    }
}

#[test]
fn what_waits_for_its_frame_goes_out_before_a_pause() {
    let mut talker = Talker::new(Encoding::Pcmu, 30, tone_of(Encoding::Pcmu, 440.0, 90));
    let mut transcoder = to_pcma();
    let mut heard = feed(&mut transcoder, &talker.next().unwrap());
    talker.pause(100);
    heard.extend(feed(&mut transcoder, &talker.next().unwrap()));
    assert_eq!(times(&heard), [(0, true), (160, false), (1040, true)]);
    assert_eq!(heard[1].payload[80..], [0xd5; 80], "filled up with silence");
    talker.pause(10);
    let heard = feed(&mut transcoder, &talker.next().unwrap());
    assert_eq!(times(&heard), [(1200, false), (1360, true)], "a pause shorter than a frame is in it");
}

#[test]
fn another_stream_begins_anew_without_a_burst() {
    let said = pcmu(30, 3);
    let changes: [fn(&mut Said); 3] = [
        |said| said.source = 8,
        |said| said.sequence = said.sequence.wrapping_add(10_000),
        |said| said.timestamp = said.timestamp.wrapping_sub(1_000_000),
    ];
    for change in changes {
        let (mut transcoder, mut other) = (to_pcma(), said.clone());
        other.iter_mut().for_each(change);
        let mut heard = feed(&mut transcoder, &said[0]);
        heard.extend(feed_all(&mut transcoder, &other[1..]));
        assert_eq!(times(&heard), [(0, true), (160, true), (320, false), (480, false)]);
        let anew: Vec<bool> = heard.iter().map(|frame| frame.anew).collect();
        assert_eq!(anew, [true, true, false, false], "what waited was dropped");
    }
}

#[test]
fn digits_and_packets_without_anything_in_them_are_not_lost() {
    let (said, mut transcoder) = (pcmu(20, 8), to_pcma());
    let mut heard = feed(&mut transcoder, &said[0]);
    said[1..6].iter().for_each(|digit| transcoder.skip(7, digit.sequence));
    heard.extend(feed(&mut transcoder, &said[6]));
    assert_eq!(times(&heard), [(0, true), (960, true)]);
    let empty = Said { payload: Vec::new(), ..said[7].clone() };
    assert!(feed(&mut transcoder, &empty).is_empty());
    let next = Said { sequence: said[7].sequence.wrapping_add(1), ..said[7].clone() };
    assert_eq!(times(&feed(&mut transcoder, &next)), [(1120, false)]);
}

#[test]
fn a_payload_that_is_none_counts_as_lost() {
    let mut said: Vec<Said> = Talker::new(Encoding::G729, 20, tone_of(Encoding::G729, 440.0, 60)).collect();
    said[1].payload.truncate(7);
    let mut transcoder = Transcoder::new(Encoding::G729, Encoding::Pcma, 20).unwrap();
    let counts: Vec<usize> = said.iter().map(|said| feed(&mut transcoder, said).len()).collect();
    assert_eq!(counts, [1, 0, 2]);
}

#[test]
fn payloads_may_have_two_hundred_milliseconds_and_no_more() {
    let mut transcoder = to_pcma();
    let mut heard = 0;
    for (sequence, length) in [(0, 1600), (1, 1601)] {
        let payload = vec![0xffu8; length];
        let packet = Packet { source: 1, sequence, timestamp: 0, marker: false, payload: payload.as_slice() };
        transcoder.feed(&packet, |_| heard += 1);
    }
    assert_eq!(heard, 10);
}

#[test]
fn a_sender_that_counts_the_samples_of_g722_is_understood() {
    let mut said: Vec<Said> = Talker::new(Encoding::G722, 20, tone_of(Encoding::G722, 440.0, 80)).collect();
    (0..).zip(&mut said).for_each(|(number, said)| said.timestamp = number * 320);
    let mut transcoder = Transcoder::new(Encoding::G722, Encoding::Pcma, 20).unwrap();
    let heard = feed_all(&mut transcoder, &said);
    assert_eq!(times(&heard), [(0, true), (160, false), (320, false), (480, false)]);
}
