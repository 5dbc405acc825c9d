//! One party of a call: a SIP dialog of ours, with what the rules must know around it.

use std::{net::SocketAddr, sync::Arc};

use mangrove_proto::{
    id::{EmployeeId, LegId},
    media,
};
use serde::{Deserialize, Serialize};

use super::{away::Away, monitor::Monitor};
use crate::{cause::Cause, line::Line, media::Association, stamp::Moment};

/// What a party is to its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Who called.
    Caller,
    /// Rung by us.
    Offer,
    /// Rung by us because somebody was transferred there.
    Transfer,
    /// Rung by us because they supervise the talk.
    Monitor,
}

impl Role {
    /// The word in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Offer => "offer",
            Self::Transfer => "transfer",
            Self::Monitor => "monitor",
        }
    }
}

/// What counters a media node kept for a party.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Packets from the far end.
    pub received: u64,
    /// Packets to it.
    pub sent: u64,
    /// Missing from it.
    pub lost: u64,
    /// Interarrival jitter.
    pub jitter_us: u64,
}

impl From<&media::Counters> for Counted {
    fn from(from: &media::Counters) -> Self {
        Self {
            received: from.packets_received,
            sent: from.packets_sent,
            lost: from.packets_lost,
            jitter_us: from.jitter_us,
        }
    }
}

/// A leg of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Party {
    /// Ours; its endpoint at the media node has the same name.
    pub id: LegId,
    /// What it is to the call.
    pub role: Role,
    /// Number or extension.
    pub name: String,
    /// Whose phone it is.
    pub employee: Option<EmployeeId>,
    /// The SIP side.
    pub line: Line,
    /// Our address towards it, once the media node gave one.
    pub address: Option<SocketAddr>,
    /// What else ties it to that media node, where it is a browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) association: Option<Arc<Association>>,
    /// Where its sound really comes from, so that an heir can go on.
    pub latched: Option<SocketAddr>,
    /// The address that its session description named then; another one later makes `latched` void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latched_for: Option<SocketAddr>,
    /// Its trunk's turn to be told of a new address of ours; not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) told_at: Option<u64>,
    /// What marks its INVITE, if that is not the one which began the call: it came to take another leg's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arrival: Option<Arc<str>>,
    /// The leg whose place it is about to take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replaces: Option<LegId>,
    /// Its connection is gone, the only way to it: it is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) away: Option<Away>,
    /// It faxed with nobody and was offered audio for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) recalled: bool,
    /// It is a supervisor beside the talk, and none of the two who talk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitor: Option<Monitor>,
    /// When it was rung, or called.
    pub started: Moment,
    /// When it answered, or was answered.
    pub answered: Option<Moment>,
    /// When and why it ended.
    pub ended: Option<(Moment, Cause)>,
    /// Its media in numbers.
    pub counted: Option<Counted>,
}

impl Party {
    pub(crate) fn new(
        id: LegId,
        role: Role,
        name: String,
        employee: Option<EmployeeId>,
        line: Line,
        started: Moment,
    ) -> Self {
        Self {
            id,
            role,
            name,
            employee,
            line,
            address: None,
            association: None,
            latched: None,
            latched_for: None,
            told_at: None,
            arrival: None,
            replaces: None,
            away: None,
            recalled: false,
            monitor: None,
            started,
            answered: None,
            ended: None,
            counted: None,
        }
    }

    /// Whether it still takes part.
    pub fn is_alive(&self) -> bool {
        self.ended.is_none()
    }

    /// Whether the far end holds us: it wants to hear nothing.
    pub fn holds(&self) -> bool {
        self.line.stream().is_some_and(|(_, direction)| !direction.sends())
    }

    /// Whether others hear music in its place: it holds, or is away.
    pub fn is_absent(&self) -> bool {
        self.holds() || self.away.is_some()
    }

    /// Where its sound comes from at the address of ours that it knows, if not from where its description says.
    pub(crate) fn latched(&self) -> Option<SocketAddr> {
        if self.line.audio().is_some_and(|audio| audio.webrtc.is_some()) {
            // Its description says nothing of where it is.
            return self.latched;
        }
        let (described, _) = self.line.stream()?;
        // Without an address it is on hold, and has not moved.
        let is_same = described.ip().is_unspecified() || self.latched_for == Some(described);
        self.latched.filter(|from| is_same && self.latched_for != Some(*from))
    }

    /// It is to be told another address of ours; to that one it may send from elsewhere.
    pub(crate) fn forget_address(&mut self) {
        (self.address, self.latched, self.latched_for) = (None, None, None);
        self.association = None;
    }

    pub(crate) fn end(&mut self, at: Moment, cause: Cause) {
        if self.ended.is_none() {
            self.ended = Some((at, cause));
            (self.replaces, self.away) = (None, None);
        }
    }
}
