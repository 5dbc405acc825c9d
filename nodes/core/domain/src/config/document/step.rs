//! Steps of schemes and overflows as people write them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::config::Said;

/// One key names the step: `{play: NAME}`, `{group: EXTENSION}` or `{group: {extension: EXTENSION, priority: 5}}`,
/// `{employee: EXTENSION}`, `{busy: true}`, `{hang_up: {}}` or `{hang_up: {status: 603}}`, `{say: time}` or
/// `{say: {number: 42}}`, `{conference: NAME}`, `{voicemail: BOX}` or `{voicemail: {box: BOX, greeting: NAME}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Play(String),
    Group(GroupStep),
    Employee(String),
    Busy(bool),
    HangUp(HangUp),
    Say(Said),
    Conference(String),
    Voicemail(VoicemailStep),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HangUp {
    /// Final SIP status when nobody answered yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// A group by extension or id: `"200"` or `{extension: "200", priority: 5}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStep {
    pub extension: String,
    /// The caller's in this queue: higher is served first. The called number's when absent.
    pub priority: Option<i32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "group")]
struct GroupFields {
    extension: String,
    #[serde(default)]
    priority: Option<i32>,
}

impl Serialize for GroupStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.priority.is_none() {
            return serializer.serialize_str(&self.extension);
        }
        GroupFields { extension: self.extension.clone(), priority: self.priority }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for GroupStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> de::Visitor<'de> for Reader {
            type Value = GroupStep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a group's extension in quotes (\"200\") or {extension: \"200\", priority: 5}")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<GroupStep, E> {
                Ok(GroupStep { extension: text.to_owned(), priority: None })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<GroupStep, A::Error> {
                let fields = GroupFields::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(GroupStep { extension: fields.extension, priority: fields.priority })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A box by name, with its own greeting or another: `"sales"` or `{box: sales, greeting: closed}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoicemailStep {
    pub mailbox: String,
    /// The box's own when absent.
    pub greeting: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "voicemail")]
struct VoicemailFields {
    #[serde(rename = "box")]
    mailbox: String,
    #[serde(default)]
    greeting: Option<String>,
}

impl Serialize for VoicemailStep {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.greeting.is_none() {
            return serializer.serialize_str(&self.mailbox);
        }
        VoicemailFields { mailbox: self.mailbox.clone(), greeting: self.greeting.clone() }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for VoicemailStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> de::Visitor<'de> for Reader {
            type Value = VoicemailStep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a box by its name (sales) or {box: sales, greeting: closed}")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<VoicemailStep, E> {
                Ok(VoicemailStep { mailbox: text.to_owned(), greeting: None })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<VoicemailStep, A::Error> {
                let fields = VoicemailFields::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(VoicemailStep { mailbox: fields.mailbox, greeting: fields.greeting })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
