//! The live picture of a tenant and the record of a finished call, as pages and the HTTP API show them. Wall-clock
//! times are milliseconds since 1970 and serve as labels only; durations were measured on the monotonic clock.

use serde::{Deserialize, Serialize};

use crate::id::{CallId, EmployeeId, GroupId, LegId, TenantId};

/// All of a tenant that a supervisor watches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Live {
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub tenant: TenantId,
    pub name: String,
    /// The last event that this picture includes: resume the event stream from here.
    pub event: u64,
    /// Wall clock of the picture's making.
    pub as_of: u64,
    pub queues: Vec<Queue>,
    pub agents: Vec<Agent>,
    pub calls: Vec<Call>,
    pub today: Today,
}

/// A group and its waiting callers, first in line first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Queue {
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: GroupId,
    pub name: String,
    pub waiting: Vec<Waiting>,
    pub service_level: ServiceLevel,
    pub today: Today,
}

/// The promise to answer `percent` of the calls within `seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServiceLevel {
    pub seconds: u32,
    pub percent: u32,
}

/// A caller in a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Waiting {
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub call: CallId,
    pub caller: String,
    pub priority: i32,
    pub since: u64,
    /// The agents whose phones ring for this caller now.
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub offered_to: Vec<EmployeeId>,
}

/// What an agent does now. `Ringing`, `Busy` and `WrapUp` come from calls; the others the agent chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AgentState {
    Available,
    Ringing,
    Busy,
    WrapUp,
    Break,
    Offline,
}

/// A person who takes or makes calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Agent {
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: EmployeeId,
    pub name: String,
    pub extension: String,
    pub state: AgentState,
    /// Why, where the agent gave a reason ("lunch") or the rules did ("no-answer").
    pub reason: Option<String>,
    /// Since when in this state.
    pub since: u64,
    /// When a wrap-up ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub call: Option<CallId>,
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub groups: Vec<GroupId>,
    /// Whether at least one device is registered.
    pub reachable: bool,
    pub answered_today: u64,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CallState {
    Arriving,
    Playing,
    Waiting,
    Ringing,
    Talking,
    Held,
    /// The caller leaves a message.
    Voicemail,
    Ending,
}

/// Who called whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    Inbound,
    Outbound,
    Internal,
}

/// A call in progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Call {
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub id: CallId,
    pub direction: Direction,
    pub caller: String,
    pub called: String,
    pub state: CallState,
    pub started: u64,
    /// Since when in this state.
    pub since: u64,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub group: Option<GroupId>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub employee: Option<EmployeeId>,
    /// Who is rung for it now: several in a group that rings at once, the target of a transfer.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub ringing: Vec<EmployeeId>,
    pub recording: bool,
    /// Whether its recording is to be paused, and whether its media node has said that it is: only then nothing is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// Whether those who talk may begin a recording, and end it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub on_demand: bool,
    /// The supervisors beside the talk, as far as whoever looks may know of them.
    #[serde(default)]
    pub monitors: Vec<Monitor>,
    /// The guest's place in a conference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conference: Option<Seat>,
}

/// Somebody's place in a conference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Seat {
    /// Of the conference.
    pub name: String,
    /// Since when they are there.
    pub since: u64,
    /// They hear and are not heard.
    pub muted: bool,
    pub moderator: bool,
    /// They hear music until a moderator is there.
    pub waits: bool,
    /// Nobody else comes in.
    pub locked: bool,
}

/// A pause of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Pause {
    /// Asked for; sound may still be kept.
    Asked,
    /// Nothing that is said is kept.
    Confirmed,
}

/// A supervisor beside a talk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Monitor {
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub employee: EmployeeId,
    pub mode: MonitorMode,
    /// Since when in this mode.
    pub since: u64,
    /// Whether their phone has answered.
    pub answered: bool,
    /// Whether the employee who talks is shown them.
    pub shown: bool,
}

/// What a supervisor does beside a talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MonitorMode {
    Listen,
    Whisper,
    Barge,
    /// About to talk on in the employee's place.
    TakeOver,
}

impl MonitorMode {
    /// As the API and commands have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Whisper => "whisper",
            Self::Barge => "barge",
            Self::TakeOver => "take-over",
        }
    }
}

/// Counts since midnight in the tenant's time zone. Calls that came through a queue only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Today {
    pub offered: u64,
    pub answered: u64,
    /// Answered within the queue's service level.
    pub answered_in_time: u64,
    pub abandoned: u64,
    /// Left the queue by overflow.
    pub overflowed: u64,
    /// Sum over answered calls, for the average speed of answer.
    pub wait_ms: u64,
    /// Sum over answered calls, for the average handling time.
    pub talk_ms: u64,
}

/// How a call went, from the tenant's point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Answered,
    /// The caller hung up before anyone answered.
    Abandoned,
    NoAnswer,
    Busy,
    Rejected,
    Unreachable,
    /// Nobody answered, and the caller has left a message.
    Voicemail,
    /// The scheme ended the call by itself.
    Completed,
    /// We failed: no media, far end gone, lost in a restart.
    Failed,
}

/// Who or what ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EndedBy {
    Caller,
    Callee,
    System,
}

/// The record of one finished call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cdr {
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub call: CallId,
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub tenant: TenantId,
    pub direction: Direction,
    pub caller: String,
    pub called: String,
    /// The public number that was called, and where it is advertised.
    pub number: Option<String>,
    pub source: Option<String>,
    pub trunk: Option<String>,
    pub started: u64,
    /// When a person answered.
    pub answered: Option<u64>,
    pub ended: u64,
    /// In queues, until answered or given up.
    pub wait_ms: u64,
    /// Between people, holds included.
    pub talk_ms: u64,
    pub hold_ms: u64,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub group: Option<GroupId>,
    /// Who answered (the last one, after a transfer).
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub employee: Option<EmployeeId>,
    pub outcome: Outcome,
    pub ended_by: EndedBy,
    /// The one end cause: a name from the table of causes.
    pub cause: String,
    /// The SIP status that belongs to the cause.
    pub sip_status: u16,
    /// The ITU-T Q.850 cause value.
    pub q850: u8,
    pub legs: Vec<CdrLeg>,
    pub recordings: Vec<CdrRecording>,
}

/// One leg of a finished call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CdrLeg {
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub leg: LegId,
    /// "caller", "offer", "transfer", "monitor"
    pub role: String,
    pub party: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub employee: Option<EmployeeId>,
    pub started: u64,
    pub answered: Option<u64>,
    pub ended: u64,
    pub cause: String,
    pub packets_received: u64,
    pub packets_sent: u64,
    pub packets_lost: u64,
    pub jitter_us: u64,
}

/// One part of a call's recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CdrRecording {
    pub id: String,
    /// Key in the object store.
    pub object: String,
    pub duration_ms: u64,
    pub bytes: u64,
    /// Sound that is missing inside, after a takeover.
    pub missing_ms: u64,
    pub sha256: String,
    /// What happened while it ran, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// The kind of file; WAV where nothing is said.
    #[serde(default, skip_serializing_if = "RecordingFormat::is_wav")]
    pub format: RecordingFormat,
    /// What its channels are; the caller left and the agent right where nothing is said.
    #[serde(default, skip_serializing_if = "RecordingChannels::is_dual")]
    pub channels: RecordingChannels,
}

/// The kind of file that a recording is. Of two the later one keeps more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RecordingFormat {
    /// In Ogg: an eighth of WAV's bytes.
    Opus,
    #[default]
    Wav,
}

/// The channels of a recording. Of two the later one keeps more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RecordingChannels {
    /// One, in which both are heard.
    Mixed,
    /// The caller left, the agent right.
    #[default]
    Dual,
}

impl RecordingFormat {
    /// Whether it is what nobody has to say.
    pub fn is_wav(&self) -> bool {
        *self == Self::Wav
    }
}

impl RecordingChannels {
    /// Whether they are what nobody has to say.
    pub fn is_dual(&self) -> bool {
        *self == Self::Dual
    }
}

/// A recording that was finished when its call was forgotten already: it is to come into the call's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LateRecording {
    pub tenant: TenantId,
    pub call: CallId,
    pub recording: CdrRecording,
}

/// Something that happened while a recording ran, by its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mark {
    pub kind: MarkKind,
    pub at_ms: u64,
    /// The end of what lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
}

/// What a mark is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MarkKind {
    /// What was said is not kept: silence is in its place.
    Pause,
    /// Somebody held.
    Hold,
    /// One of the two was transferred.
    Transfer,
}
