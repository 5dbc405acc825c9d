//! Conferences: rooms that callers and employees come to.

use std::{fmt, sync::Arc};

use mangrove_proto::id::TenantId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A conference that people may come to. How many is for the media node's CPU to say, unless there is a limit here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conference {
    /// Key in `TenantConfig::conferences`.
    pub name: Arc<str>,
    /// What employees dial to come to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Arc<str>>,
    /// SHA-256 of what is asked of whoever comes, in hex, with the company's and its own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Arc<str>>,
    /// The same of moderators, who come in where it is locked and for whom the others wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moderator_pin: Option<Arc<str>>,
    pub waits_for_moderator: bool,
    /// All hear a tone when somebody comes and when they leave.
    pub chimes: bool,
    /// Most people at once; absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
}

impl Conference {
    /// Whether who comes is asked for a PIN.
    pub fn asks_pin(&self) -> bool {
        self.pin.is_some() || self.moderator_pin.is_some()
    }

    /// Whether what somebody has typed lets them in as a moderator; None: it does not let them in at all. Where only
    /// moderators have a PIN the others type none.
    pub(crate) fn moderates(&self, tenant: &TenantId, typed: &str) -> Option<bool> {
        let typed_digest = digest(tenant.as_str(), &self.name, typed);
        if self.moderator_pin.as_deref() == Some(&*typed_digest) {
            return Some(true);
        }
        let is_right = match &self.pin {
            Some(pin) => **pin == *typed_digest,
            None => typed.is_empty(),
        };
        is_right.then_some(false)
    }
}

/// Without PINs: of so few digits a digest is soon found out.
impl fmt::Debug for Conference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conference")
            .field("name", &self.name)
            .field("extension", &self.extension)
            .finish_non_exhaustive()
    }
}

/// What is kept of a conference's PIN.
pub(crate) fn digest(tenant: &str, conference: &str, pin: &str) -> Arc<str> {
    hex::encode(Sha256::digest(format!("{tenant}:{conference}:{pin}"))).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conference(pin: Option<&str>, moderator_pin: Option<&str>) -> Conference {
        let kept = |pin: Option<&str>| pin.map(|pin| digest("acme", "weekly", pin));
        Conference {
            name: "weekly".into(),
            extension: None,
            pin: kept(pin),
            moderator_pin: kept(moderator_pin),
            waits_for_moderator: false,
            chimes: true,
            most: None,
        }
    }

    #[test]
    fn pins_tell_who_comes() {
        let both = conference(Some("1234"), Some("9999"));
        let moderators = conference(None, Some("9999"));
        for (of, typed, expected) in [
            (&both, "1234", Some(false)),
            (&both, "9999", Some(true)),
            (&both, "", None),
            (&both, "12345", None),
            (&moderators, "", Some(false)),
            (&moderators, "9999", Some(true)),
            (&moderators, "1", None),
        ] {
            assert_eq!(of.moderates(&"acme".into(), typed), expected, "{typed}");
        }
        assert_eq!(both.moderates(&"other".into(), "1234"), None, "a digest is of one company");
        let shown = format!("{both:?}");
        assert!(shown.contains("weekly") && both.pin.iter().all(|pin| !shown.contains(&**pin)));
        assert!(!conference(None, None).asks_pin() && moderators.asks_pin());
    }
}
