//! The bindings of one address of record (RFC 3261 section 10.3) with `Path` (RFC 3327) and outbound flows (RFC 5626).
//!
//! Plain data and rules: whose address it is, and whether the sender may change it, is decided before. Times are
//! milliseconds of whatever clock the caller uses throughout.

mod binding;
mod request;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::{Message, Source};
pub use binding::Binding;
use request::{Change, Wanted};

/// The shortest registration granted, in seconds; shorter wishes get 423.
pub const MIN_EXPIRES: u32 = 60;
/// The longest registration granted, and what is granted when nothing is said, in seconds.
pub const MAX_EXPIRES: u32 = 3600;
/// Contacts one address may have.
pub const MAX_BINDINGS: usize = 10;

/// Why a REGISTER changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("register refused with {status}: {words}")]
pub struct Refused {
    pub status: u16,
    pub words: &'static str,
    pub headers: Vec<(&'static str, String)>,
}

impl Refused {
    pub(crate) fn new(status: u16, words: &'static str) -> Self {
        Refused { status, words, headers: Vec::new() }
    }

    /// The whole answer.
    pub fn answer(&self, request: &Message) -> Message {
        let mut answer = Message::reply_to(request, self.status).with_reason(self.words);
        answer.set_to_tag(&request::tag_for(request));
        for (name, value) in &self.headers {
            answer.push(name, value);
        }
        answer
    }
}

/// A REGISTER that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// 200 with all live bindings.
    pub response: Message,
    /// Whether anything but expiry and sequence numbers is new: only then need others be told at once.
    pub changed: bool,
}

/// All contacts of one address of record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bindings {
    bindings: Vec<Binding>,
}

impl Bindings {
    /// Carries out a REGISTER, whole or not at all. The same request again, by its Call-ID and CSeq, gives the same
    /// result, so that another edge may answer a retransmission.
    pub fn register(&mut self, request: &Message, source: &Source, now: u64) -> Result<Registered, Refused> {
        let wanted = Wanted::of(request, source, now)?;
        let mut next = self.clone();
        next.expire(now);
        let before = next.clone();
        next.carry_out(&wanted)?;
        let changed = !next.same_but_for_time(&before);
        *self = next;
        Ok(Registered { response: self.response(request, &wanted, now), changed })
    }

    /// The bindings in force, the ones to be tried first in front: by q, then by the latest registration.
    pub fn live(&self, now: u64) -> impl Iterator<Item = &Binding> {
        let mut live: Vec<&Binding> = self.bindings.iter().filter(|b| b.expires_at > now).collect();
        live.sort_by(|a, b| b.q.cmp(&a.q).then(b.registered_at.cmp(&a.registered_at)));
        live.into_iter()
    }

    /// Takes away and gives what is over.
    pub fn expire(&mut self, now: u64) -> Vec<Binding> {
        let (over, live) = std::mem::take(&mut self.bindings).into_iter().partition(|b| b.expires_at <= now);
        self.bindings = live;
        over
    }

    /// Whether a binding lives at `now`.
    pub fn any_live(&self, now: u64) -> bool {
        self.bindings.iter().any(|binding| binding.expires_at > now)
    }

    /// When the next binding is over.
    pub fn next_expiry(&self) -> Option<u64> {
        self.bindings.iter().map(|binding| binding.expires_at).min()
    }

    /// Takes away the bindings of a connection that was lost: over it nobody can be reached any more.
    pub fn drop_flow(&mut self, flow: &str) -> Vec<Binding> {
        let of_flow = |binding: &Binding| binding.source.flow.as_deref() == Some(flow);
        let (lost, kept) = std::mem::take(&mut self.bindings).into_iter().partition(of_flow);
        self.bindings = kept;
        lost
    }

    /// Gives every binding more time: a new leader cannot know of refreshes in the gap before it.
    pub fn extend(&mut self, by_ms: u64) {
        self.bindings.iter_mut().for_each(|binding| binding.expires_at += by_ms);
    }

    /// Forgets who spoke of ICE.
    pub fn forget_ice(&mut self) {
        self.bindings.iter_mut().for_each(|binding| binding.ice = false);
    }

    pub fn is_empty(&self) -> bool {
        self.bindings.is_empty()
    }

    fn carry_out(&mut self, wanted: &Wanted) -> Result<(), Refused> {
        for binding in &self.bindings {
            let concerned = match &wanted.change {
                Change::Contacts(contacts) => contacts.iter().any(|contact| contact.replaces(binding)),
                Change::RemoveAll => true,
            };
            if concerned && wanted.is_older_than(binding) {
                return Err(Refused::new(500, "CSeq Out of Order"));
            }
        }
        match &wanted.change {
            Change::RemoveAll => self.bindings.clear(),
            Change::Contacts(contacts) => contacts.iter().for_each(|contact| self.put(contact)),
        }
        if self.bindings.len() > MAX_BINDINGS {
            return Err(Refused::new(403, "Too Many Contacts"));
        }
        Ok(())
    }

    /// One contact takes the place of those it stands for; one whose time is over leaves it empty.
    fn put(&mut self, contact: &Binding) {
        let at = self.bindings.iter().position(|known| contact.replaces(known));
        self.bindings.retain(|known| !contact.replaces(known));
        if contact.expires_at > contact.registered_at {
            let at = at.unwrap_or(self.bindings.len()).min(self.bindings.len());
            self.bindings.insert(at, contact.clone());
        }
    }

    fn same_but_for_time(&self, other: &Bindings) -> bool {
        self.bindings.len() == other.bindings.len()
            && self.bindings.iter().zip(&other.bindings).all(|(a, b)| a.same_but_for_time(b))
    }

    fn response(&self, request: &Message, wanted: &Wanted, now: u64) -> Message {
        let mut response = Message::reply_to(request, 200);
        response.set_to_tag(&request::tag_for(request));
        for binding in self.live(now) {
            response.push("Contact", binding.as_contact(now));
        }
        for path in &wanted.path {
            response.push("Path", path);
        }
        if wanted.outbound {
            response.push("Require", "outbound");
        }
        response.push("Supported", "path, outbound");
        response
    }
}
