//! Times as people write them: `7s`, `1m30s`, `90d`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Largest first: the order in which they are written.
const UNITS: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
const ALLOWED: &str = "a number with its unit, like 500ms, 7s, 15m, 2h, 90d or 1m30s";

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no time; allowed: {ALLOWED}")]
pub struct InvalidDuration {
    pub text: String,
}

/// A length of time, milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub u64);

impl Duration {
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds * 1000)
    }

    pub const fn days(days: u64) -> Self {
        Self(days * 86_400_000)
    }
}

/// The first number with its unit, in milliseconds, and what follows.
fn part(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, rest) = text.split_at(digits);
    let rest = rest.trim_start();
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
    Some((number.parse::<u64>().ok()?.checked_mul(*scale)?, rest.trim_start()))
}

impl FromStr for Duration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        let invalid = || InvalidDuration { text: text.chars().take(40).collect() };
        let mut rest = text.trim();
        let mut total = if rest.is_empty() { None } else { Some(0u64) };
        while !rest.is_empty() {
            let (milliseconds, behind) = part(rest).ok_or_else(invalid)?;
            total = total.and_then(|sum| sum.checked_add(milliseconds));
            rest = behind;
        }
        total.map(Self).ok_or_else(invalid)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        // One unit where it comes out even (`90d`, not `12w6d`), else the days and smaller.
        if let Some((unit, scale)) =
            UNITS[1..].iter().find(|(_, scale)| self.0.is_multiple_of(*scale) && self.0 / scale < 1000)
        {
            return write!(f, "{}{unit}", self.0 / scale);
        }
        let mut rest = self.0;
        for (unit, scale) in &UNITS[1..] {
            if rest >= *scale {
                write!(f, "{}{unit}", rest / scale)?;
                rest %= scale;
            }
        }
        Ok(())
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl de::Visitor<'_> for Reader {
            type Value = Duration;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(ALLOWED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::Duration;

    #[test]
    fn times_are_read_and_written() {
        for (text, milliseconds, written) in [
            ("7s", 7000, "7s"),
            ("90d", 7_776_000_000, "90d"),
            ("1m30s", 90_000, "90s"),
            ("1h 30m", 5_400_000, "90m"),
            ("2w", 1_209_600_000, "14d"),
            ("0s", 0, "0s"),
            ("1500ms", 1500, "1s500ms"),
            ("500 ms", 500, "500ms"),
        ] {
            let read: Duration = text.parse().unwrap();
            assert_eq!((read.0, read.to_string().as_str()), (milliseconds, written), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "7",
            "s",
            "7 parsecs",
            "-7s",
            "7.5s",
            "99999999999999999999d",
            "18446744073709551615d",
            "7s!",
            "é",
        ] {
            assert!(text.parse::<Duration>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(milliseconds: u64) {
            let duration = Duration(milliseconds);
            prop_assert_eq!(duration.to_string().parse::<Duration>().unwrap(), duration);
        }
    }
}
