//! What names a server transaction (RFC 3261 section 17.2.3).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::message::{Message, Method};

/// The same for a request, its retransmissions, and the responses to it. Ordered, so that it can be a key; opaque
/// otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Unique part first: comparing two keys mostly ends there.
    name: String,
    method: String,
}

impl Key {
    /// The key of a request or of a response to one; None without a readable Via or CSeq. Branches of elements before
    /// RFC 3261, and empty ones, are not trusted: Call-ID, From tag, CSeq number and sent-by stand in for them.
    pub fn of(message: &Message) -> Option<Key> {
        let via = message.top_via().ok()?;
        let method = message.method();
        let sent_by = via.sent_by().to_ascii_lowercase();
        let name = match via.branch() {
            Some(branch) if via.has_magic_branch() => format!("{branch} {sent_by}"),
            _ => {
                let (number, _) = message.cseq().ok()?;
                let tag = message.from_tag().unwrap_or_default();
                format!("{} {tag} {number} {sent_by}", message.call_id()?)
            }
        };
        Some(Key { name, method: method.as_str().to_owned() })
    }

    /// The key of the INVITE that an ACK or CANCEL with this key belongs to.
    pub(super) fn of_invite(&self) -> Key {
        Key { name: self.name.clone(), method: Method::INVITE.as_str().to_owned() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.name)
    }
}
