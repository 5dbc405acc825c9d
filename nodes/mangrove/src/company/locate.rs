//! On which line and column of a YAML text a path (`groups[0].members[1]`) stands.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_saphyr::{Location, Spanned};

/// A place in a text, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

/// The places of all values of one text. Empty for a text that is no YAML.
#[derive(Debug, Default)]
pub(crate) struct Places(BTreeMap<String, Place>);

impl Places {
    pub(crate) fn read(text: &str) -> Self {
        let mut places = Self::default();
        if let Ok(node) = serde_saphyr::from_str::<Spanned<Node>>(text) {
            places.add(String::new(), &node);
        }
        places
    }

    /// The place of a path, or of the nearest thing around it; none for the whole.
    pub(crate) fn of(&self, path: &str) -> Option<Place> {
        let (mut path, mut found) = (path, None);
        while found.is_none() && !path.is_empty() {
            found = self.0.get(path).copied();
            path = path.rfind(['.', '[']).map_or("", |end| &path[..end]);
        }
        found
    }

    /// The place of this very path.
    pub(crate) fn exactly(&self, path: &str) -> Option<Place> {
        self.0.get(path).copied().filter(|_| !path.is_empty())
    }

    fn add(&mut self, path: String, node: &Spanned<Node>) {
        match &node.value {
            Node::Scalar => {}
            Node::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.add(format!("{path}[{at}]"), item);
                }
            }
            Node::Map(entries) => {
                for (key, value) in entries {
                    self.add(if path.is_empty() { key.clone() } else { format!("{path}.{key}") }, value);
                }
            }
        }
        self.0.insert(path, node.referenced.into());
    }
}

/// The shape of a text without its values.
#[derive(Debug)]
enum Node {
    Scalar,
    List(Vec<Spanned<Node>>),
    Map(Vec<(String, Spanned<Node>)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> de::Visitor<'de> for Reader {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Map(entries))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_str<E>(self, _: &str) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Scalar)
            }

            fn visit_none<E>(self) -> Result<Node, E> {
                Ok(Node::Scalar)
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
