//! Russian: one and two have a gender, and what is counted stands in one of three forms. Phrases are such that all stands
//! in the nominative: «Перед вами в очереди: две …».

use super::{LARGEST, Saying, number_name, rough};

/// Of the thing that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gender {
    Masculine,
    Feminine,
}

use Gender::{Feminine, Masculine};

pub(super) fn say(saying: Saying) -> Vec<String> {
    match saying {
        Saying::Number(number) => counted(number, Masculine),
        Saying::Ahead(0) => vec!["you-are-next".to_owned()],
        Saying::Ahead(callers) => {
            [vec!["ahead-of-you".to_owned()], things(callers, "caller", Masculine)].concat()
        }
        Saying::Wait(seconds) => [vec!["expected-wait".to_owned()], wait(seconds)].concat(),
        Saying::Clock { hour, minute } => [vec!["the-time-is".to_owned()], clock(hour, minute)].concat(),
    }
}

pub(super) fn all() -> Vec<String> {
    let numbers = (0..20).chain((20..100).step_by(10)).chain((100..1000).step_by(100)).map(number_name);
    let feminine = ["number-1-feminine", "number-2-feminine"].map(str::to_owned);
    let counted = ["thousand", "caller", "minute", "hour"].into_iter();
    let forms = counted.flat_map(|thing| [1, 2, 5].map(|number| form(number, thing)));
    let phrases =
        ["you-are-next", "ahead-of-you", "expected-wait", "less-than-a-minute", "the-time-is", "sharp"];
    numbers.chain(feminine).chain(forms).chain(phrases.map(str::to_owned)).collect()
}

/// `caller-1` is абонент, `caller-2` абонента, `caller-5` абонентов.
fn form(number: u64, thing: &str) -> String {
    let form = match (number % 100, number % 10) {
        (11..=14, _) => 5,
        (_, 1) => 1,
        (_, 2..=4) => 2,
        _ => 5,
    };
    format!("{thing}-{form}")
}

fn things(number: u64, thing: &str, gender: Gender) -> Vec<String> {
    let number = number.min(LARGEST);
    let mut all = counted(number, gender);
    all.push(form(number, thing));
    all
}

fn counted(number: u64, gender: Gender) -> Vec<String> {
    let number = number.min(LARGEST);
    let (thousands, rest) = (number / 1000, number % 1000);
    let mut all = Vec::new();
    if thousands > 0 {
        // Одна тысяча, две тысячи.
        all.extend(below_thousand(thousands, Feminine));
        all.push(form(thousands, "thousand"));
    }
    if rest > 0 || thousands == 0 {
        all.extend(below_thousand(rest, gender));
    }
    all
}

fn below_thousand(number: u64, gender: Gender) -> Vec<String> {
    let (hundreds, rest) = (number / 100, number % 100);
    let mut all = Vec::new();
    if hundreds > 0 {
        all.push(number_name(hundreds * 100));
    }
    match rest {
        0 if hundreds > 0 => {}
        20.. => {
            all.push(number_name(rest / 10 * 10));
            all.extend((rest % 10 > 0).then(|| digit(rest % 10, gender)));
        }
        _ => all.push(digit(rest, gender)),
    }
    all
}

fn digit(number: u64, gender: Gender) -> String {
    match (number, gender) {
        (1 | 2, Feminine) => format!("number-{number}-feminine"),
        _ => number_name(number),
    }
}

fn wait(seconds: u64) -> Vec<String> {
    let Some((hours, minutes)) = rough(seconds) else { return vec!["less-than-a-minute".to_owned()] };
    let mut all = Vec::new();
    if hours > 0 {
        all.extend(things(hours, "hour", Masculine));
    }
    if minutes > 0 {
        all.extend(things(minutes, "minute", Feminine));
    }
    all
}

/// By twenty-four hours: четырнадцать часов пять минут.
fn clock(hour: u8, minute: u8) -> Vec<String> {
    let hours = things((hour % 24).into(), "hour", Masculine);
    let minutes = match minute % 60 {
        0 => vec!["sharp".to_owned()],
        minute => things(minute.into(), "minute", Feminine),
    };
    [hours, minutes].concat()
}
