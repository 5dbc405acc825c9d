//! Names of things. Ids that people choose (tenant, employee, group) are short texts; ids that the cluster makes
//! (call, leg) are 128-bit numbers drawn from the committed seed, written with their type and format version in
//! front: `call_1` followed by base 62. Every id is opaque to all but its maker.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A text that is no id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {kind} id")]
pub struct Invalid {
    /// What was wanted: "call", "leg".
    pub kind: &'static str,
    /// What came.
    pub text: String,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! made_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($kind, "_1"))?;
                write_base62(f, self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                text.strip_prefix(concat!($kind, "_1"))
                    .and_then(read_base62)
                    .map(Self)
                    .ok_or_else(|| Invalid { kind: $kind, text: text.chars().take(64).collect() })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id!(
    /// One company's exchange, as its file names it: `acme`.
    TenantId
);
text_id!(
    /// A person in a tenant, as its file names them: `anna`. Stays when the extension changes.
    EmployeeId
);
text_id!(
    /// A group of agents in a tenant; its extension unless its file says otherwise.
    GroupId
);
made_id!(
    /// One customer contact.
    CallId, "call"
);
made_id!(
    /// One SIP dialog of a call.
    LegId, "leg"
);

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^22 > 2^128: every number fits, and all are equally long.
const LENGTH: usize = 22;

fn write_base62(f: &mut fmt::Formatter<'_>, mut number: u128) -> fmt::Result {
    let mut text = [b'0'; LENGTH];
    for place in text.iter_mut().rev() {
        *place = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    f.write_str(std::str::from_utf8(&text).unwrap_or_default())
}

fn read_base62(text: &str) -> Option<u128> {
    if text.len() != LENGTH {
        return None;
    }
    text.bytes().try_fold(0u128, |number, byte| {
        let digit = DIGITS.iter().position(|d| *d == byte)?;
        number.checked_mul(62)?.checked_add(digit as u128)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_are_read_back_and_sort_like_their_numbers() {
        let mut last = String::new();
        for number in [0, 1, 61, 62, u64::MAX.into(), u128::MAX] {
            let text = CallId(number).to_string();
            assert_eq!(text.parse::<CallId>().unwrap(), CallId(number));
            assert!(text > last, "{text} after {last}");
            last = text;
        }
    }

    #[test]
    fn strangers_are_refused() {
        for text in [
            "",
            "call_1",
            "leg_10000000000000000000000",
            "call_1zzzzzzzzzzzzzzzzzzzzzz",
            "call_1000000000000000000000é",
        ] {
            assert!(text.parse::<CallId>().is_err(), "{text}");
        }
    }
}
