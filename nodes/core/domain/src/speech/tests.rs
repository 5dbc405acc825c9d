//! Tables of what is said, and that nothing is said that is not shipped.

use proptest::prelude::*;

use super::*;

/// The fragments with one space between them.
fn said(language: &str, saying: Saying) -> String {
    let folder = format!("prompt/{language}/");
    let keys = say(language, saying);
    keys.iter().map(|key| key.strip_prefix(&folder).unwrap_or(key)).collect::<Vec<_>>().join(" ")
}

#[test]
fn english_numbers() {
    for (number, expected) in [
        (0, "number-0"),
        (13, "number-13"),
        (20, "number-20"),
        (21, "number-20 number-1"),
        (100, "number-1 hundred"),
        (305, "number-3 hundred number-5"),
        (1000, "number-1 thousand"),
        (12_345, "number-12 thousand number-3 hundred number-40 number-5"),
        (2_000_000, "number-9 hundred number-90 number-9 thousand number-9 hundred number-90 number-9"),
    ] {
        assert_eq!(said("en", Saying::Number(number)), expected, "{number}");
    }
}

#[test]
fn russian_numbers_have_gender_where_thousands_are_counted() {
    for (number, expected) in [
        (0, "number-0"),
        (1, "number-1"),
        (42, "number-40 number-2"),
        (111, "number-100 number-11"),
        (900, "number-900"),
        (1000, "number-1-feminine thousand-1"),
        (2001, "number-2-feminine thousand-2 number-1"),
        (5000, "number-5 thousand-5"),
        (11_000, "number-11 thousand-5"),
        (21_612, "number-20 number-1-feminine thousand-1 number-600 number-12"),
    ] {
        assert_eq!(said("ru", Saying::Number(number)), expected, "{number}");
    }
}

#[test]
fn places_in_line() {
    for (callers, english, russian) in [
        (0, "you-are-next", "you-are-next"),
        (1, "there-is number-1 caller ahead-of-you", "ahead-of-you number-1 caller-1"),
        (2, "there-are number-2 callers ahead-of-you", "ahead-of-you number-2 caller-2"),
        (4, "there-are number-4 callers ahead-of-you", "ahead-of-you number-4 caller-2"),
        (5, "there-are number-5 callers ahead-of-you", "ahead-of-you number-5 caller-5"),
        (11, "there-are number-11 callers ahead-of-you", "ahead-of-you number-11 caller-5"),
        (21, "there-are number-20 number-1 callers ahead-of-you", "ahead-of-you number-20 number-1 caller-1"),
        (
            112,
            "there-are number-1 hundred number-12 callers ahead-of-you",
            "ahead-of-you number-100 number-12 caller-5",
        ),
    ] {
        assert_eq!(said("en", Saying::Ahead(callers)), english);
        assert_eq!(said("ru", Saying::Ahead(callers)), russian);
    }
}

#[test]
fn waits_are_said_roughly() {
    for (seconds, english, russian) in [
        (0, "less-than-a-minute", "less-than-a-minute"),
        (59, "less-than-a-minute", "less-than-a-minute"),
        (60, "number-1 minute", "number-1-feminine minute-1"),
        (95, "number-2 minutes", "number-2-feminine minute-2"),
        (300, "number-5 minutes", "number-5 minute-5"),
        (12 * 60, "number-10 minutes", "number-10 minute-5"),
        (13 * 60, "number-15 minutes", "number-15 minute-5"),
        (58 * 60, "number-1 hour", "number-1 hour-1"),
        (100 * 60, "number-1 hour number-45 minutes", "number-1 hour-1 number-40 number-5 minute-5"),
        (3 * 3600, "number-3 hours", "number-3 hour-2"),
    ] {
        let english = english.replace("number-45", "number-40 number-5");
        assert_eq!(said("en", Saying::Wait(seconds)), format!("expected-wait {english}"), "{seconds}");
        assert_eq!(said("ru", Saying::Wait(seconds)), format!("expected-wait {russian}"), "{seconds}");
    }
}

#[test]
fn times_of_day() {
    for (hour, minute, english, russian) in [
        (0, 0, "number-12 oclock am", "number-0 hour-5 sharp"),
        (1, 1, "number-1 oh number-1 am", "number-1 hour-1 number-1-feminine minute-1"),
        (14, 5, "number-2 oh number-5 pm", "number-14 hour-5 number-5 minute-5"),
        (12, 30, "number-12 number-30 pm", "number-12 hour-5 number-30 minute-5"),
        (
            23,
            52,
            "number-11 number-50 number-2 pm",
            "number-20 number-3 hour-2 number-50 number-2-feminine minute-2",
        ),
    ] {
        let clock = Saying::Clock { hour, minute };
        assert_eq!(said("en", clock), format!("the-time-is {english}"));
        assert_eq!(said("ru", clock), format!("the-time-is {russian}"));
    }
}

#[test]
fn a_language_without_a_grammar_is_spoken_by_the_english_one_and_russian_is_always_russian() {
    assert_eq!(say("de", Saying::Number(3)), ["prompt/de/number-3"]);
    assert_eq!(say("ru-RU", Saying::Ahead(1)), say("ru", Saying::Ahead(1)));
}

proptest! {
    #[test]
    fn nothing_is_said_that_is_not_shipped(
        language in prop_oneof![Just("en"), Just("ru")],
        number: u64,
        hour: u8,
        minute: u8,
    ) {
        let shipped = fragments(language);
        for number in [number, number % 1_000_000, number % 1000] {
            let clock = Saying::Clock { hour, minute };
            for saying in [Saying::Number(number), Saying::Ahead(number), Saying::Wait(number), clock] {
                let keys = say(language, saying);
                prop_assert!(!keys.is_empty());
                for key in keys {
                    let name = key.rsplit('/').next().unwrap_or_default();
                    prop_assert!(shipped.iter().any(|fragment| fragment == name), "{}", key);
                }
            }
        }
    }

    #[test]
    fn different_numbers_are_said_differently(one in 0..=LARGEST, other in 0..=LARGEST) {
        for language in ["en", "ru"] {
            let (a, b) = (say(language, Saying::Number(one)), say(language, Saying::Number(other)));
            prop_assert_eq!(a == b, one == other);
        }
    }
}
