//! English: nothing but singular and plural.

use super::{LARGEST, Saying, number_name, rough};

pub(super) fn say(saying: Saying) -> Vec<String> {
    match saying {
        Saying::Number(number) => counted(number),
        Saying::Ahead(0) => vec!["you-are-next".to_owned()],
        Saying::Ahead(callers) => {
            let begin = if callers == 1 { "there-is" } else { "there-are" };
            let mut all = vec![begin.to_owned()];
            all.extend(things(callers, "caller", "callers"));
            all.push("ahead-of-you".to_owned());
            all
        }
        Saying::Wait(seconds) => [vec!["expected-wait".to_owned()], wait(seconds)].concat(),
        Saying::Clock { hour, minute } => [vec!["the-time-is".to_owned()], clock(hour, minute)].concat(),
    }
}

pub(super) fn all() -> Vec<String> {
    let numbers = (0..20).chain((20..100).step_by(10)).map(number_name);
    let words = [
        "hundred",
        "thousand",
        "caller",
        "callers",
        "minute",
        "minutes",
        "hour",
        "hours",
        "you-are-next",
        "there-is",
        "there-are",
        "ahead-of-you",
        "expected-wait",
        "less-than-a-minute",
        "the-time-is",
        "oclock",
        "oh",
        "am",
        "pm",
    ];
    numbers.chain(words.map(str::to_owned)).collect()
}

fn counted(number: u64) -> Vec<String> {
    let number = number.min(LARGEST);
    let (thousands, rest) = (number / 1000, number % 1000);
    let mut all = Vec::new();
    if thousands > 0 {
        all.extend(below_thousand(thousands));
        all.push("thousand".to_owned());
    }
    if rest > 0 || thousands == 0 {
        all.extend(below_thousand(rest));
    }
    all
}

fn below_thousand(number: u64) -> Vec<String> {
    let (hundreds, rest) = (number / 100, number % 100);
    let mut all = Vec::new();
    if hundreds > 0 {
        all.extend([number_name(hundreds), "hundred".to_owned()]);
    }
    match rest {
        0 if hundreds > 0 => {}
        20.. => {
            all.push(number_name(rest / 10 * 10));
            all.extend((rest % 10 > 0).then(|| number_name(rest % 10)));
        }
        _ => all.push(number_name(rest)),
    }
    all
}

fn things(number: u64, one: &str, several: &str) -> Vec<String> {
    let mut all = counted(number);
    all.push(if number == 1 { one } else { several }.to_owned());
    all
}

fn wait(seconds: u64) -> Vec<String> {
    let Some((hours, minutes)) = rough(seconds) else { return vec!["less-than-a-minute".to_owned()] };
    let mut all = Vec::new();
    if hours > 0 {
        all.extend(things(hours, "hour", "hours"));
    }
    if minutes > 0 {
        all.extend(things(minutes, "minute", "minutes"));
    }
    all
}

/// By twelve hours: two oh five p.m.
fn clock(hour: u8, minute: u8) -> Vec<String> {
    let half = if hour % 24 < 12 { "am" } else { "pm" };
    let mut all = counted(match hour % 12 {
        0 => 12,
        hour => hour.into(),
    });
    match minute % 60 {
        0 => all.push("oclock".to_owned()),
        few @ 1..=9 => all.extend(["oh".to_owned(), number_name(few.into())]),
        minute => all.extend(counted(minute.into())),
    }
    all.push(half.to_owned());
    all
}
