//! INVITEs by call: for ACKs of a 2xx, PRACKs and merged requests, which the branch does not tell.

use std::collections::BTreeMap;

use super::Key;
use crate::message::{Message, Method};

/// Call-ID, From tag and CSeq number.
type Call = (String, String, u32);

/// Server transactions of INVITEs, both ways.
#[derive(Debug, Default)]
pub(super) struct CallIndex {
    keys: BTreeMap<Call, Key>,
    calls: BTreeMap<Key, Call>,
}

fn call_of(message: &Message, number: u32) -> Option<Call> {
    let tag = message.from_tag().unwrap_or_default();
    Some((message.call_id()?.to_owned(), tag.to_owned(), number))
}

impl CallIndex {
    pub(super) fn insert(&mut self, invite: &Message, key: &Key) {
        let Some(call) = invite.cseq().ok().and_then(|(number, _)| call_of(invite, number)) else { return };
        self.keys.insert(call.clone(), key.clone());
        self.calls.insert(key.clone(), call);
    }

    pub(super) fn remove(&mut self, key: &Key) {
        let Some(call) = self.calls.remove(key) else { return };
        if self.keys.get(&call) == Some(key) {
            self.keys.remove(&call);
        }
    }

    /// The INVITE that an ACK with a branch of its own acknowledges.
    pub(super) fn find(&self, ack: &Message) -> Option<Key> {
        let (number, _) = ack.cseq().ok()?;
        self.keys.get(&call_of(ack, number)?).cloned()
    }

    /// The RSeq that a PRACK names, and the INVITE it was sent for.
    pub(super) fn find_by_rack(&self, prack: &Message) -> Option<(u32, Key)> {
        let mut parts = prack.header("RAck")?.split_ascii_whitespace();
        let rseq = parts.next()?.parse().ok()?;
        let number = parts.next()?.parse().ok()?;
        let key = self.keys.get(&call_of(prack, number)?)?;
        (parts.next() == Some(Method::INVITE.as_str())).then(|| (rseq, key.clone()))
    }

    /// Whether the same request came by another way too (RFC 3261 section 8.2.2.2).
    pub(super) fn is_merged(&self, invite: &Message, key: &Key) -> bool {
        invite.to_tag().is_none() && self.find(invite).is_some_and(|known| known != *key)
    }
}
