//! Names of things. Ids that people choose (tenant, employee, group) are short texts; ids that the cluster makes
//! (call, leg) are 128-bit numbers drawn from the committed seed, written with their type and format version in
//! front: `call_1` followed by base 62. Every id is opaque to all but its maker.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::base62;

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
                base62::write(f, self.0)
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
                    .and_then(base62::read)
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
                deserializer.deserialize_str(Read(std::marker::PhantomData))
            }
        }
    };
}

/// Reads an id from text without keeping the text.
struct Read<T>(std::marker::PhantomData<T>);

impl<T: FromStr<Err = Invalid>> de::Visitor<'_> for Read<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
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
