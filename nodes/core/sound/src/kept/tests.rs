use mangrove_rtp::tone;
use proptest::prelude::*;

use super::*;

const FORMS: [Form; 4] = [
    Form { opus: false, mixed: false },
    Form { opus: false, mixed: true },
    Form { opus: true, mixed: false },
    Form { opus: true, mixed: true },
];

/// Both sides as a recorder has them.
fn sound(left: &[i16], right: &[i16]) -> Vec<u8> {
    left.iter().zip(right).flat_map(|(left, right)| [*left, *right]).flat_map(i16::to_le_bytes).collect()
}

/// 440 Hz left, 1000 Hz right.
fn talk(samples: usize) -> Vec<u8> {
    sound(&tone::sine(440.0, 8000.0, 0, samples), &tone::sine(1000.0, 8000.0, 0, samples))
}

fn made(form: Form, sound: &[u8], piece: usize) -> Vec<u8> {
    let mut maker = Maker::new(form, sound.len() as u64).unwrap();
    let mut file = Vec::new();
    for piece in sound.chunks(piece) {
        file.extend(maker.add(piece).unwrap());
    }
    file.extend(maker.finish().unwrap());
    file
}

#[test]
fn what_is_plain_is_the_sound_behind_its_header() {
    let sound = talk(1000);
    let whole = [&wav::header(2, RATE, 4000)[..], &sound].concat();
    assert_eq!(made(Form::default(), &sound, 999), whole);
    assert!(Form::default().is_plain() && FORMS[1..].iter().all(|form| !form.is_plain()));
    assert_eq!(Form::default().header(4000)[..], whole[..wav::HEADER]);
}

#[test]
fn a_file_is_as_long_as_its_sound_and_says_so() {
    for form in FORMS {
        for samples in [0, 1, 8, 159, 160, 7999, 8000, 12_344] {
            let file = made(form, &talk(samples), 32_000);
            assert_eq!(lasts_ms(&file), samples as u64 / 8, "{form:?} {samples}");
        }
    }
}

#[test]
fn both_are_heard_in_a_sum() {
    for form in [FORMS[1], FORMS[3]] {
        let heard = crate::read(&made(form, &talk(16_000), 32_000), 60).unwrap();
        // What decoders give before the first sample is left out; at the end the library knows no place within a packet.
        assert!((16_000..16_320).contains(&heard.len()), "{form:?}: {}", heard.len());
        for hertz in [440.0, 1000.0] {
            let level = tone::level(&heard[4000..16_000], hertz);
            assert!((5000.0..9000.0).contains(&level), "{form:?} {hertz}: {level}");
        }
    }
}

#[test]
fn a_dual_file_has_two_streams_and_a_page_a_second() {
    let file = made(FORMS[2], &talk(24_000), 5000);
    assert_eq!(&file[28..36], b"OpusHead");
    assert_eq!(file[37], 2, "channels");
    assert_eq!(file[46..51], [1, 2, 0, 0, 1], "family, streams, none coupled, left and right");
    let pages = file.windows(4).filter(|window| window.starts_with(b"OggS")).count();
    assert_eq!(pages, 2 + 3 + 1, "two of head, three seconds, and the end");
    assert!(file.len() < 24_000 * PAIR / 4, "{}", file.len());
}

#[test]
fn two_loud_ones_do_not_crack() {
    for (left, right, expected) in [
        (0, 0, 0),
        (100, -300, -200),
        (12_000, 12_576, 24_576),
        (-12_000, -12_576, -24_576),
        (i16::MAX, 0, 28_671),
        (i16::MAX, i16::MAX, 31_401),
        (i16::MIN, i16::MIN, -31_402),
    ] {
        let bent = sum(left, right);
        assert!((i32::from(bent) - expected).abs() < 5, "{left} and {right}: {bent}");
    }
    let all: Vec<i16> = (0..=i16::MAX).map(|one| sum(one, one)).collect();
    assert!(all.is_sorted(), "louder is never quieter");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn pieces_of_any_length_give_the_same_file(pieces in 1..5000usize, samples in 0..3000usize, form in 0..4usize) {
        let sound = talk(samples);
        prop_assert_eq!(made(FORMS[form], &sound, pieces), made(FORMS[form], &sound, 16_000));
    }

    #[test]
    fn no_bytes_are_too_strange_to_be_measured(bytes: Vec<u8>, head in 0..3usize) {
        lasts_ms(&[[&b"OggS"[..], b"RIFF", b""][head], &bytes].concat());
    }
}
