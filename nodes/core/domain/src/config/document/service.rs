//! Groups, schemes and recording rules as people write them.

use std::fmt;

use mangrove_proto::live::{RecordingChannels, RecordingFormat};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Duration, Step, is_default};
use crate::config::{AtMaxWait, Music, Recorded, RecordedAs, RecordedCalls, RecordingKeys, Strategy};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub extension: String,
    /// The extension when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub name: String,
    #[serde(default = "longest_idle")]
    pub strategy: Strategy,
    #[serde(default)]
    pub members: Vec<Member>,
    #[serde(default = "offer")]
    pub ring: Duration,
    #[serde(default)]
    pub wrap_up: Duration,
    #[serde(default)]
    pub queue: Queue,
    #[serde(default, skip_serializing_if = "is_default")]
    pub overflow: Overflow,
    #[serde(default)]
    pub no_answer: NoAnswer,
    /// `always`, `never` or `on-demand`; the number's rule when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<Recorded>,
    /// `{format: opus, channels: mixed}`, each of them or both; what is said less in particular when absent.
    #[serde(default, skip_serializing_if = "RecordedAs::is_silent")]
    pub recorded_as: RecordedAs,
}

impl Group {
    /// What this group is known by.
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.extension)
    }
}

fn longest_idle() -> Strategy {
    Strategy::LongestIdle
}

fn offer() -> Duration {
    Duration::seconds(20)
}

/// An employee by extension or id: `"101"` or `{extension: "101", priority: 1}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub extension: String,
    /// Lower is asked first.
    pub priority: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "member")]
struct MemberFields {
    extension: String,
    #[serde(default)]
    priority: u32,
}

impl Serialize for Member {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.priority == 0 {
            return serializer.serialize_str(&self.extension);
        }
        MemberFields { extension: self.extension.clone(), priority: self.priority }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> de::Visitor<'de> for Reader {
            type Value = Member;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an extension in quotes (\"101\") or {extension: \"101\", priority: 1}")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Member, E> {
                Ok(Member { extension: text.to_owned(), priority: 0 })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Member, A::Error> {
                let fields = MemberFields::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Member { extension: fields.extension, priority: fields.priority })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// For ever when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_wait: Option<Duration>,
    /// No limit when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    pub music: Music,
    pub at_max_wait: AtMaxWait,
    pub service_level: ServiceLevel,
    /// Nothing is announced when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub announce: Option<Announce>,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            max_wait: None,
            max_length: None,
            music: Music::default(),
            at_max_wait: AtMaxWait::FinishRinging,
            service_level: ServiceLevel { seconds: 20, percent: 80 },
            announce: None,
        }
    }
}

/// What waiting callers are told: `{every: 30s}` is both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announce {
    pub every: Duration,
    /// How many callers are ahead.
    #[serde(default = "yes")]
    pub position: bool,
    /// How long it may take.
    #[serde(default = "yes")]
    pub expected_wait: bool,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceLevel {
    pub seconds: u32,
    pub percent: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Overflow {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waited: Vec<Step>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub full: Vec<Step>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nobody: Vec<Step>,
}

impl Overflow {
    /// The three lists with their keys.
    pub fn lists(&self) -> [(&'static str, &[Step]); 3] {
        [("waited", &self.waited), ("full", &self.full), ("nobody", &self.nobody)]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoAnswer {
    pub misses: u32,
    pub pause: Duration,
}

impl Default for NoAnswer {
    fn default() -> Self {
        Self { misses: 3, pause: Duration::seconds(2) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    pub name: String,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recording {
    pub calls: RecordedCalls,
    /// Those of the others that may be recorded by hand.
    #[serde(skip_serializing_if = "RecordedCalls::is_none")]
    pub on_demand: RecordedCalls,
    /// `dual` or `mixed`.
    pub channels: RecordingChannels,
    /// `wav` or `opus`.
    #[serde(skip_serializing_if = "RecordingFormat::is_wav")]
    pub format: RecordingFormat,
    /// When a pause ends by itself; with its talk only when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_after: Option<Duration>,
    /// `{record: "*1", pause: "*2"}`; none when absent.
    #[serde(skip_serializing_if = "RecordingKeys::is_none")]
    pub keys: RecordingKeys,
    /// For ever when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<Duration>,
}

impl Default for Recording {
    fn default() -> Self {
        Self {
            calls: RecordedCalls::None,
            on_demand: RecordedCalls::None,
            channels: RecordingChannels::Dual,
            format: RecordingFormat::Wav,
            resume_after: None,
            keys: RecordingKeys::default(),
            retention: None,
        }
    }
}
