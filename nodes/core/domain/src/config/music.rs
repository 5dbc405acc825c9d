//! What callers hear while they wait.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeSeq as _};

/// The piece that is played where nothing else is said.
const DEFAULT: &str = "default";

/// Pieces of music, `music/<name>` each, played in their order and then from the first again. Never none. Written as a
/// name, or as a list where there are several; earlier builds know the name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Music(Vec<Arc<str>>);

impl Music {
    /// None of no pieces.
    pub fn new(pieces: Vec<Arc<str>>) -> Option<Self> {
        (!pieces.is_empty()).then_some(Self(pieces))
    }

    /// The names, in their order.
    pub fn pieces(&self) -> &[Arc<str>] {
        &self.0
    }

    /// Whether nothing but the default was asked for: in a group that is the company's music.
    pub fn is_default(&self) -> bool {
        self.0.len() == 1 && &*self.0[0] == DEFAULT
    }
}

impl Default for Music {
    fn default() -> Self {
        DEFAULT.into()
    }
}

impl From<&str> for Music {
    fn from(name: &str) -> Self {
        Self(vec![name.into()])
    }
}

impl Serialize for Music {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let [only] = &self.0[..] {
            return serializer.serialize_str(only);
        }
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for piece in &self.0 {
            list.serialize_element(&**piece)?;
        }
        list.end()
    }
}

impl<'de> Deserialize<'de> for Music {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> de::Visitor<'de> for Reader {
            type Value = Music;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a piece of music, or a list of such names")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Music, E> {
                Ok(name.into())
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Music, A::Error> {
                let mut pieces = Vec::new();
                while let Some(piece) = list.next_element::<String>()? {
                    pieces.push(piece.into());
                }
                Music::new(pieces).ok_or_else(|| de::Error::invalid_length(0, &self))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Music;

    #[test]
    fn one_is_a_name_and_several_are_a_list() {
        for json in [r#""default""#, r#"["rain","piano","rain"]"#] {
            let music: Music = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&music).unwrap(), json);
            let packed = rmp_serde::to_vec_named(&music).unwrap();
            assert_eq!(rmp_serde::from_slice::<Music>(&packed).unwrap(), music);
        }
        assert_eq!(serde_json::from_str::<Music>(r#"["rain"]"#).unwrap(), Music::from("rain"));
        assert!(Music::default().is_default() && !Music::from("rain").is_default());
    }

    #[test]
    fn none_is_refused() {
        let error = serde_json::from_str::<Music>("[]").unwrap_err().to_string();
        assert!(error.contains("a list of such names"), "{error}");
        assert!(serde_json::from_str::<Music>("5").is_err());
    }
}
