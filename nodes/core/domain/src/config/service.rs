//! How callers are served: schemes, groups and their queues, recording rules.

use std::sync::Arc;

use mangrove_proto::{
    id::{EmployeeId, GroupId},
    live::{RecordingChannels, RecordingFormat, ServiceLevel},
};
use serde::{Deserialize, Serialize};

use super::Music;

/// What happens to an incoming call, step by step. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheme {
    pub name: Arc<str>,
    pub steps: Vec<Step>,
}

/// One step of a scheme or of an overflow. When the steps run out the call is hung up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Plays `prompt/<prompt>` once, to its end.
    Play {
        prompt: Arc<str>,
    },
    /// Waits in the group's queue, with this priority or the called number's: higher is served first.
    Group {
        id: GroupId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        priority: Option<i32>,
    },
    /// Rings the employee's devices.
    Employee {
        id: EmployeeId,
    },
    HangUp {
        how: HangUp,
    },
    /// Speaks it, in the company's language. Builds before protocol 6 can't read it.
    Say {
        what: Said,
    },
    /// Takes a message for this box, after this greeting or the box's own. As above.
    Voicemail {
        mailbox: Arc<str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        greeting: Option<Arc<str>>,
    },
    /// Puts the guest into the conference of this name. Builds before protocol 6 can't read it.
    Conference {
        name: Arc<str>,
    },
}

/// What a step speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// The time of day where the company is.
    Time,
    Number(u64),
}

/// How the system ends a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HangUp {
    /// BYE, or 480 while unanswered.
    Normal,
    /// BYE, or 486 while unanswered.
    Busy,
    /// BYE, or this final SIP status (400-699) while unanswered.
    Status(u16),
}

/// Agents who share a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub id: GroupId,
    pub extension: Arc<str>,
    pub name: Arc<str>,
    pub strategy: Strategy,
    /// In the file's order; each employee at most once.
    pub members: Vec<Member>,
    /// One offer's ringing, milliseconds.
    pub ring_ms: u64,
    /// After-call work, milliseconds; 0: none.
    pub wrap_up_ms: u64,
    pub queue: QueueRules,
    pub overflow: Overflow,
    pub no_answer: NoAnswer,
    /// Of the talks that come through its queue; absent: what the number says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<Recorded>,
    /// Of the file that it becomes.
    #[serde(default, skip_serializing_if = "RecordedAs::is_silent")]
    pub recorded_as: RecordedAs,
}

/// Who gets the next caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    LongestIdle,
    Simultaneous,
    Sequential,
    Random,
}

impl Strategy {
    pub const ALL: [Self; 4] = [Self::LongestIdle, Self::Simultaneous, Self::Sequential, Self::Random];

    /// As files and the API write it: `longest-idle`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LongestIdle => "longest-idle",
            Self::Simultaneous => "simultaneous",
            Self::Sequential => "sequential",
            Self::Random => "random",
        }
    }
}

/// An employee's place in a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub employee: EmployeeId,
    /// Lower is asked first: the strategy chooses among the free agents of the lowest number. 0 when not given.
    pub priority: u32,
}

/// The rules of waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRules {
    /// Milliseconds from entering the queue to the overflow `waited`; absent: for ever.
    pub max_wait_ms: Option<u64>,
    /// Most callers waiting; the next one overflows as `full`. Absent: no limit.
    pub max_length: Option<u32>,
    /// The company's where it is the default.
    pub music: Music,
    pub at_max_wait: AtMaxWait,
    pub service_level: ServiceLevel,
    /// What waiting callers are told; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce: Option<Announce>,
}

/// What callers in line are told, from time to time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announce {
    /// Milliseconds from one announcement's end to the next one, and from getting in line to the first.
    pub every_ms: u64,
    /// How many callers are ahead.
    pub position: bool,
    /// How long it may take.
    pub expected_wait: bool,
}

/// What happens to a ringing offer when the caller's time is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtMaxWait {
    /// The offer may ring to its end, at most the group's ring time; no new one is made.
    FinishRinging,
    /// The offer is withdrawn at once.
    Leave,
}

/// Where callers go who can't be served; empty: hung up as busy (`full`) or normally.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    /// `max_wait` passed.
    pub waited: Vec<Step>,
    /// The queue has `max_length` callers.
    pub full: Vec<Step>,
    /// No agent of the group could take a call now or later: all are offline or unreachable.
    pub nobody: Vec<Step>,
}

/// What happens to an agent who lets the phone ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoAnswer {
    /// After so many unanswered offers in a row the agent goes on a break with the reason "no-answer"; 0: never.
    pub misses: u32,
    /// Until the next offer to this agent, milliseconds.
    pub pause_ms: u64,
}

/// What is recorded and how long it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// Where nothing is said of the talk's employees, group and number.
    pub calls: RecordedCalls,
    /// Those of the others that are recorded when somebody in them asks for it.
    #[serde(default = "RecordedCalls::none", skip_serializing_if = "RecordedCalls::is_none")]
    pub on_demand: RecordedCalls,
    /// Milliseconds after which a pause ends by itself; absent: with its talk only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_after_ms: Option<u64>,
    /// What employees press on their phones while they talk.
    #[serde(default, skip_serializing_if = "RecordingKeys::is_none")]
    pub keys: RecordingKeys,
    /// Milliseconds; absent: for ever.
    pub retention_ms: Option<u64>,
    /// The file that a recording becomes, where nothing else is said of its talk.
    #[serde(default, skip_serializing_if = "RecordingFormat::is_wav")]
    pub format: RecordingFormat,
    #[serde(default, skip_serializing_if = "RecordingChannels::is_dual")]
    pub channels: RecordingChannels,
}

/// Keys of a phone that are meant for the recording, and not passed on to the other side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordingKeys {
    /// Begins a recording and ends it, where that is left to those who talk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Arc<str>>,
    /// Pauses a recording and goes on with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Arc<str>>,
}

impl RecordingKeys {
    pub(crate) fn is_none(&self) -> bool {
        self.record.is_none() && self.pause.is_none()
    }
}

/// Which calls are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordedCalls {
    None,
    /// With a party outside of the tenant: inbound and outbound.
    External,
    /// Between employees.
    Internal,
    All,
}

impl RecordedCalls {
    pub(crate) fn none() -> Self {
        Self::None
    }

    pub(crate) fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// Whether calls with the outside, or those between employees, are among them.
    pub fn cover(self, outside: bool) -> bool {
        match self {
            Self::None => false,
            Self::External => outside,
            Self::Internal => !outside,
            Self::All => true,
        }
    }
}

/// What a number, a group or an employee says of the files that their recordings become.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedAs {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<RecordingFormat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<RecordingChannels>,
}

impl RecordedAs {
    pub(crate) fn is_silent(&self) -> bool {
        self.format.is_none() && self.channels.is_none()
    }
}

/// What a number, a group or an employee says of recording; of two the later one is the stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recorded {
    /// When somebody in the talk asks for it.
    #[serde(alias = "on_demand")]
    OnDemand,
    /// From the first word on; it can be paused and not stopped.
    Always,
    Never,
}
