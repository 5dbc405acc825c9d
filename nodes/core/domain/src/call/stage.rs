//! Where a call stands. Each variant holds what is true only there.

use std::{collections::BTreeMap, sync::Arc};

use mangrove_proto::{
    id::{EmployeeId, GroupId, LegId},
    live::EndedBy,
};
use serde::{Deserialize, Serialize};

use super::{announce::Announcement, confer::Conferring};
use crate::{cause::Cause, queue::Place, stamp::Moment};

/// The stages of a call. `Over` is the last one; every other may lead to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// Admitted; its media session is being made until `until`.
    Arriving { until: u64 },
    /// The guest hears a prompt, as the play with this id; `until` then its end is taken for granted. `said`: the keys of
    /// what is heard in its place, one after the other.
    Playing {
        play: String,
        prompt: Arc<str>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        said: Vec<String>,
        #[serde(default)]
        until: Option<u64>,
    },
    /// The guest waits in a queue and hears music.
    Waiting(Waiting),
    /// Somebody is rung directly; the guest hears ringing. `early`: whose early media the guest hears.
    Ringing { early: Option<LegId> },
    /// The guest leaves a message.
    Leaving(Leaving),
    /// The guest and another talk.
    Talking(Talk),
    /// One of two transferred the other blindly; the guest waits while the target is rung.
    Transferring(Transfer),
    /// The guest is in a conference, or about to be.
    Conferring(Conferring),
    /// The guest hears themselves, until then.
    Echo { until: u64 },
    /// Ended; kept while its record waits and retransmissions may come.
    Over(End),
}

/// A caller in line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// Whose line.
    pub group: GroupId,
    /// Where in it.
    pub place: Place,
    /// Since when.
    pub since: Moment,
    /// When the queue's patience ends.
    pub deadline: Option<u64>,
    /// Whether a phone that rings then may ring to its end.
    pub finish: bool,
    /// How often each agent was offered this caller.
    pub tried: BTreeMap<EmployeeId, u32>,
    /// What they are told while they wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announcement: Option<Announcement>,
}

/// A message that is being left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    /// In which box.
    pub mailbox: Arc<str>,
    /// How far it is.
    pub part: Part,
    /// When this part ends by itself.
    pub until: u64,
}

/// A part of leaving a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// The guest hears these prompts, as the play with this id.
    Greeting { play: String, prompts: Vec<String> },
    /// The guest speaks.
    Message,
}

/// Two people talking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Talk {
    /// Who talks with the guest.
    pub peer: LegId,
    /// Since when.
    pub since: Moment,
    /// The group whose queue it came through: its wrap-up time is due afterwards.
    pub group: Option<GroupId>,
}

/// A blind transfer under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transfer {
    /// Who transferred; they wait in the line until it is settled, or have left already.
    pub referrer: LegId,
    /// Who was the guest before.
    pub guest: LegId,
    /// The talk as it was.
    pub talk: Talk,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The one cause.
    pub cause: Cause,
    /// What an unanswered caller was told.
    pub status: u16,
    /// By whom.
    pub by: EndedBy,
    /// When.
    pub at: Moment,
    /// When the record goes out, complete or not; none once it went.
    pub record_due: Option<u64>,
    /// When the call is forgotten.
    pub forget: u64,
}

impl Stage {
    /// A word for stories and logs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Arriving { .. } => "arriving",
            Self::Playing { .. } => "playing",
            Self::Waiting(_) => "waiting",
            Self::Ringing { .. } => "ringing",
            Self::Leaving(_) => "leaving a message",
            Self::Talking(_) => "talking",
            Self::Transferring(_) => "transferring",
            Self::Conferring(_) => "conferring",
            Self::Echo { .. } => "echoing",
            Self::Over(_) => "over",
        }
    }
}
