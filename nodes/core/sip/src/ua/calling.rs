//! Our INVITE while it is unanswered, and the forks it may have met.

use serde::{Deserialize, Serialize};

use super::confirm::Acknowledgement;
use super::dialog::Peer;
use super::{Outgoing, Output};
use crate::sdp::{self, Audio};
use crate::{Destination, Method, Rendered, Uri};

/// More forks than devices a person can own.
pub(super) const MAX_FORKS: usize = 32;

/// An INVITE of ours as it was sent, and what is needed to cancel it or to ask anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Invitation {
    pub(super) branch: String,
    pub(super) cseq: u32,
    pub(super) uri: Uri,
    pub(super) route: Vec<String>,
    pub(super) destination: Destination,
    pub(super) headers: Vec<(String, String)>,
    pub(super) offered: bool,
    /// Empty once it is answered.
    pub(super) message: Rendered,
    /// Answered with an offer that waits for our answer in the ACK.
    pub(super) ack_due: bool,
}

impl Invitation {
    pub(super) fn output(&self) -> Output {
        Output::Send(Outgoing::Request {
            branch: self.branch.clone(),
            method: Method::INVITE,
            destination: self.destination.clone(),
            message: self.message.clone(),
        })
    }
}

/// What happens before the final answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Calling {
    /// The far end has spoken: CANCEL may be sent (RFC 3261 9.1).
    pub(super) provisional: bool,
    pub(super) forks: Vec<Fork>,
    pub(super) cancel: Option<Cancel>,
}

/// We gave up; the final answer is awaited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Cancel {
    pub(super) reason: Option<String>,
    pub(super) sent: bool,
    /// After that the INVITE counts as cancelled, answer or not.
    pub(super) until: u64,
}

/// One early dialog.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Fork {
    pub(super) peer: Peer,
    /// Its last reliable response.
    pub(super) rseq: Option<u32>,
    /// Offer and answer with it, once it described itself.
    pub(super) session: Option<sdp::Session>,
    /// The answer came reliably: no later one counts.
    pub(super) settled: bool,
}

/// A fork that answered too late: acknowledged and hung up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stray {
    pub(super) peer: Peer,
    pub(super) ack: Acknowledgement,
}

impl Calling {
    pub(super) fn rings(&self) -> bool {
        !self.forks.is_empty()
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.is_some()
    }

    pub(super) fn knows(&self, tag: &str) -> bool {
        self.forks.iter().any(|fork| fork.peer.tag == tag)
    }

    pub(super) fn fork(&mut self, tag: &str) -> Option<&mut Fork> {
        self.forks.iter_mut().find(|fork| fork.peer.tag == tag)
    }

    /// Early media of the newest fork, of those with a key if there is one: what another sends does not open under it, and
    /// is not heard. Without a key what it encrypts would be heard as noise.
    pub(super) fn audio(&self) -> Option<&Audio> {
        let described = || self.forks.iter().rev().filter_map(|fork| fork.session.as_ref()?.agreed());
        described().find(|audio| audio.crypto.is_some()).or_else(|| described().next())
    }
}
