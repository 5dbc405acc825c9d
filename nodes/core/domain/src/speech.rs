//! Numbers, times, places in line and expected waits as keys of prompts, which a media node plays one after the other.
//! English and Russian have a grammar each; other languages are spoken by the English one, of a company's own prompts
//! or, where it has none, in English. Every fragment that comes out here is shipped with the media node
//! (`nodes/media/sounds`), and may be replaced by a company's own prompt of that name.

mod english;
mod russian;

/// The largest number that is spoken; a larger one is spoken as it.
pub const LARGEST: u64 = 999_999;

/// What is said; each language finds its own words, genders and plurals for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saying {
    /// A bare number.
    Number(u64),
    /// How many callers are ahead of somebody; none: they are next.
    Ahead(u64),
    /// How long it may take, in seconds; said roughly.
    Wait(u64),
    /// A time of day: hours from 0 to 23, minutes from 0 to 59.
    Clock { hour: u8, minute: u8 },
}

/// The keys of prompts that say it in the language of this tag, in their order; never none.
pub fn say(language: &str, saying: Saying) -> Vec<String> {
    let (folder, fragments) = match primary(language).as_str() {
        // Its fragments are no other language's.
        "ru" => ("ru", russian::say(saying)),
        _ => (language, english::say(saying)),
    };
    fragments.into_iter().map(|fragment| format!("prompt/{folder}/{fragment}")).collect()
}

/// The names of all fragments that may come out for this language.
pub fn fragments(language: &str) -> Vec<String> {
    match primary(language).as_str() {
        "ru" => russian::all(),
        _ => english::all(),
    }
}

/// `ru` of `ru-RU`.
fn primary(language: &str) -> String {
    language.split('-').next().unwrap_or_default().to_ascii_lowercase()
}

/// Hours and minutes of a wait, as precisely as one should promise: whole minutes up to ten, then five of them, from an
/// hour on quarters. None: less than a minute.
fn rough(seconds: u64) -> Option<(u64, u64)> {
    let to = |step: u64, minutes: u64| minutes.saturating_add(step / 2) / step * step;
    let minutes = match seconds.saturating_add(30) / 60 {
        _ if seconds < 60 => return None,
        few @ 0..=10 => few,
        some @ 11..=57 => to(5, some),
        many => to(15, many).min(LARGEST * 60),
    };
    Some((minutes / 60, minutes % 60))
}

fn number_name(number: u64) -> String {
    format!("number-{number}")
}

#[cfg(test)]
mod tests;
