//! Replaces (RFC 3891): which dialog of ours an INVITE is to take the place of.

use super::{Leg, Phase};

/// The names of a dialog, as the far end of it writes them for us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// The Call-ID.
    pub call_id: String,
    /// Our tag.
    pub to_tag: String,
    /// The far end's tag.
    pub from_tag: String,
    /// Only while it is not answered yet.
    pub early_only: bool,
}

impl Replaces {
    /// Reads the value of a header. None: a tag is missing or stands twice (section 6.1).
    pub fn parse(value: &str) -> Option<Self> {
        let mut pieces = value.split(';').map(str::trim);
        let call_id = pieces.next().filter(|id| !id.is_empty() && !id.contains(char::is_whitespace))?;
        let (mut to_tag, mut from_tag, mut early_only) = (None, None, false);
        for piece in pieces {
            let (name, text) = piece.split_once('=').unwrap_or((piece, ""));
            let slot = match name.trim().to_ascii_lowercase().as_str() {
                "to-tag" => &mut to_tag,
                "from-tag" => &mut from_tag,
                "early-only" => {
                    early_only = true;
                    continue;
                }
                "" => return None,
                _ => continue,
            };
            if slot.replace(text.trim()).is_some() {
                return None;
            }
        }
        let tag = |tag: Option<&str>| tag.filter(|tag| !tag.is_empty()).map(str::to_owned);
        Some(Self { call_id: call_id.to_owned(), to_tag: tag(to_tag)?, from_tag: tag(from_tag)?, early_only })
    }
}

impl Leg {
    /// Whether these names are this dialog's, or those of a phone that rings for its INVITE.
    pub fn is_named_by(&self, names: &Replaces) -> bool {
        let rings = || matches!(&self.phase, Phase::Calling(calling) if calling.knows(&names.from_tag));
        let is_ours = names.call_id == self.call_id() && names.to_tag == self.local_tag();
        is_ours && (self.remote_tag() == Some(names.from_tag.as_str()) || rings())
    }
}

#[cfg(test)]
mod tests {
    use super::Replaces;

    fn read(value: &str) -> Option<(String, String, String, bool)> {
        let Replaces { call_id, to_tag, from_tag, early_only } = Replaces::parse(value)?;
        Some((call_id, to_tag, from_tag, early_only))
    }

    #[test]
    fn a_dialog_is_named_by_its_call_id_and_both_tags() {
        let named = |early_only: bool| {
            let [call_id, to_tag, from_tag] = ["a@b", "1", "2"].map(str::to_owned);
            Some((call_id, to_tag, from_tag, early_only))
        };
        for (value, expected) in [
            ("a@b;to-tag=1;from-tag=2", named(false)),
            ("a@b; from-tag=2 ; TO-TAG = 1;early-only", named(true)),
            ("a@b;to-tag=1;from-tag=2;x=y;z", named(false)),
            ("a@b;to-tag=1", None),
            ("a@b;to-tag=;from-tag=2", None),
            ("a@b;to-tag=1;to-tag=1;from-tag=2", None),
            ("a@b;;to-tag=1;from-tag=2", None),
            (";to-tag=1;from-tag=2", None),
            ("a b;to-tag=1;from-tag=2", None),
            ("", None),
        ] {
            assert_eq!(read(value), expected, "{value}");
        }
    }
}
