//! The sounds that every media node has, whatever its companies upload. Its tests hold that it has them.

use std::collections::BTreeSet;

use crate::speech;

/// Countries whose tones are there.
pub const COUNTRIES: [&str; 5] = ["de", "fr", "gb", "ru", "us"];

/// All of them, as documents name them: `prompt/<name>` is there in one language at least, `music/<name>` for all.
pub fn keys() -> BTreeSet<String> {
    let spoken = ["en", "ru"].into_iter().flat_map(speech::fragments).map(|name| format!("prompt/{name}"));
    let tones = COUNTRIES.into_iter().flat_map(|country| {
        ["music/ringback", "prompt/busy", "prompt/reorder"].map(|tone| format!("{tone}-{country}"))
    });
    let others = ["prompt/default-greeting", "prompt/beep", "prompt/conference-pin", "music/default"];
    spoken.chain(tones).chain(others.map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn some_are_there_and_others_are_not() {
        let keys = keys();
        for key in [
            "prompt/default-greeting",
            "prompt/number-7",
            "prompt/caller-5",
            "prompt/busy-ru",
            "music/default",
            "music/ringback-gb",
        ] {
            assert!(keys.contains(key), "{key}");
        }
        for key in ["prompt/sorry", "music/rain", "music/number-7", "music/busy-ru", "default"] {
            assert!(!keys.contains(key), "{key}");
        }
    }
}
