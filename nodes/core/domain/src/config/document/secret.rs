//! A password in a document: its text, or where the command line finds it. The server takes texts only: it never
//! opens files or variables that a document names.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};

/// A password or the place where it is kept.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Secret {
    Text(String),
    /// The environment variable that holds it.
    Env {
        env: String,
    },
    /// The file that holds it; a newline at its end is no part of it.
    File {
        file: String,
    },
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::Env { env } => f.debug_struct("Env").field("env", env).finish(),
            Self::File { file } => f.debug_struct("File").field("file", file).finish(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    Env(String),
    File(String),
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> de::Visitor<'de> for Reader {
            type Value = Secret;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text in quotes, {env: NAME} or {file: PATH}")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret::Text(text.to_owned()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
                let place = Place::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(match place {
                    Place::Env(env) => Secret::Env { env },
                    Place::File(file) => Secret::File { file },
                })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
