//! One customer contact, as data: its parties (one SIP dialog each), where it stands, who is being rung, what its
//! media should be. The rules that move it are the modules below, one per turn of events.

pub(crate) mod agree;
pub(crate) mod announce;
pub(crate) mod answer;
pub(crate) mod arrive;
mod attended;
pub(crate) mod away;
pub mod confer;
pub mod devices;
pub(crate) mod dial_out;
pub(crate) mod echo;
pub(crate) mod end;
pub(crate) mod enqueue;
pub(crate) mod fact;
pub(crate) mod hold;
pub(crate) mod incoming;
pub(crate) mod keyed;
pub(crate) mod media_event;
pub mod monitor;
pub(crate) mod moved;
pub(crate) mod offer;
pub(crate) mod party;
mod pass_through;
pub(crate) mod plan;
pub(crate) mod record;
mod recorded;
pub(crate) mod recording;
mod refusal;
pub(crate) mod relay_offer;
pub(crate) mod replace;
pub(crate) mod retell;
pub(crate) mod secret;
pub(crate) mod sent_on;
pub(crate) mod stage;
pub(crate) mod timer;
pub(crate) mod transfer;
mod unusable;
pub(crate) mod voicemail;

use std::{collections::BTreeMap, sync::Arc};

use mangrove_proto::{
    id::{CallId, EmployeeId, GroupId, LegId, TenantId},
    live::{Direction, Mark, RecordingChannels, RecordingFormat},
};
use serde::{Deserialize, Serialize};

use crate::{
    ask::Asks,
    call::{party::Party, plan::Plan, stage::Stage},
    media::Session,
    stamp::Moment,
};

/// A call, from its INVITE until its last retransmission is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Ours.
    pub id: CallId,
    /// Whose.
    pub tenant: TenantId,
    /// Who called whom.
    pub direction: Direction,
    /// The caller's number or extension.
    pub caller: String,
    /// What was dialled.
    pub called: String,
    /// The public number that was called.
    pub number: Option<String>,
    /// Where that number is advertised.
    pub source: Option<String>,
    /// The trunk it came in or went out through.
    pub trunk: Option<String>,
    /// What marks the INVITE: ingress peer, Call-ID, From tag, CSeq.
    pub arrival: Arc<str>,
    /// When it came.
    pub started: Moment,
    /// Since when in the present stage.
    pub since: Moment,
    /// When a person answered.
    pub answered: Option<Moment>,
    /// The last group whose queue it was in.
    pub group: Option<GroupId>,
    /// The last employee who answered.
    pub employee: Option<EmployeeId>,
    /// How early it is served in queues, unless a step says otherwise: as [`crate::queue::Place::priority`].
    #[serde(default)]
    pub priority: i32,
    /// What is to happen.
    pub plan: Plan,
    /// Where it stands.
    pub stage: Stage,
    /// All legs, dead ones included.
    pub parties: BTreeMap<LegId, Arc<Party>>,
    /// Those who have gone over into another call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<moved::Moved>,
    /// Whom the scheme serves and the music plays for; the caller unless they transferred the other away.
    pub guest: LegId,
    /// Phones being rung now.
    pub offers: Vec<Offer>,
    /// Its session on a media node.
    pub media: Session,
    /// Its recording, once there was one to make: the one that runs, or the last one.
    pub recording: Option<Recording>,
    /// Those that somebody ended before another one was begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Recording>,
    /// What was granted last of what people asked for about its recording.
    #[serde(default, skip_serializing_if = "Asks::is_empty")]
    pub(crate) asks: Asks,
    /// Whether those who talk may begin a recording, and end it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
    /// Milliseconds in queues so far.
    pub wait_ms: u64,
    /// Milliseconds between people so far, the present talk left out.
    pub talk_ms: u64,
    /// Milliseconds on hold so far, the present hold left out.
    pub hold_ms: u64,
    /// Since when somebody holds.
    pub held_since: Option<u64>,
    /// Since when both who talk should be heard: before that, silence meant nothing.
    #[serde(default)]
    pub expects_sound_since: u64,
    /// An offer of T.38 of one who talks that waits for the other's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) relayed: Option<relay_offer::Relayed>,
    /// Counted against the limits named here until it ends.
    pub channels: Vec<String>,
}

/// The attempt to ring one person, or one outside number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The fencing number: rises within the tenant with every offer.
    pub number: u64,
    /// Who is reserved; none for an outside number.
    pub employee: Option<EmployeeId>,
    /// The phones being rung, still alive.
    pub legs: Vec<LegId>,
    /// Since when.
    pub since: Moment,
    /// Until when it may ring.
    pub until: u64,
    /// The person's devices that do not ring yet.
    #[serde(default)]
    pub later: Option<devices::Later>,
    /// The limit that it was counted against by itself.
    pub channel: Option<String>,
    /// Why the last phone dropped out.
    pub failure: Option<crate::cause::Cause>,
}

/// The recording of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// Names it in media events.
    pub id: String,
    /// Key of the finished file in the object store.
    pub object: String,
    /// On the left channel.
    pub left: LegId,
    /// On the right channel, now.
    pub right: Option<LegId>,
    /// Still wanted.
    pub running: bool,
    /// Since when, monotonic milliseconds; none of one that an earlier build began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Until when, if it was ended before its call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Nothing is kept now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
    /// Pauses so far.
    #[serde(default, skip_serializing_if = "recording::is_unpaused")]
    pub pauses: u64,
    /// What happened in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// The file that it becomes, as was decided when it began.
    #[serde(default, skip_serializing_if = "RecordingFormat::is_wav")]
    pub format: RecordingFormat,
    #[serde(default, skip_serializing_if = "RecordingChannels::is_dual")]
    pub channels: RecordingChannels,
    /// Of one that was ended before another began: the media node that makes it whole; empty when that is gone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub node: String,
    /// The message whose sound it is; none of a talk's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<voicemail::Left>,
    /// What became of it.
    pub finished: Option<mangrove_proto::live::CdrRecording>,
}

/// A pause of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Counts the recording's pauses from 1: what a media node says of an earlier one is not of this one.
    pub number: u64,
    /// When it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// Whether the media node has said that nothing is kept.
    pub confirmed: bool,
}

impl Offer {
    /// When something about it is due: the next device, or its end.
    pub(crate) fn due(&self) -> u64 {
        devices::due(&self.later).map_or(self.until, |next| next.min(self.until))
    }
}

impl Call {
    /// The party that called; where another phone took its place, that one.
    pub fn caller_party(&self) -> Option<&Party> {
        let callers =
            self.parties.values().map(Arc::as_ref).filter(|party| party.role == party::Role::Caller);
        callers.max_by_key(|caller| (caller.is_alive() && caller.replaces.is_none(), caller.started.now))
    }

    /// The leg that an INVITE began: the one that began the call, or one that came to take a leg's place.
    pub(crate) fn begun_by(&self, arrival: &str) -> Option<&Party> {
        let parties = || self.parties.values().map(Arc::as_ref);
        let came_later = parties().find(|party| party.arrival.as_deref() == Some(arrival));
        came_later
            .or_else(|| parties().find(|party| party.role == party::Role::Caller && party.arrival.is_none()))
    }

    /// A dialog is this edge's from now on.
    pub(crate) fn carry(&mut self, leg: LegId, edge: &str) {
        if let Some(party) = self.party_mut(leg) {
            edge.clone_into(&mut party.line.edge);
        }
    }

    pub(crate) fn party(&self, leg: LegId) -> Option<&Party> {
        self.parties.get(&leg).map(Arc::as_ref)
    }

    /// A leg, to be changed. Others keep sharing theirs with the state as it was.
    pub(crate) fn party_mut(&mut self, leg: LegId) -> Option<&mut Party> {
        self.parties.get_mut(&leg).map(Arc::make_mut)
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over(_))
    }

    /// The two who talk, in the order guest, other.
    pub fn talkers(&self) -> Option<(LegId, LegId)> {
        match &self.stage {
            Stage::Talking(talk) => Some((self.guest, talk.peer)),
            _ => None,
        }
    }

    /// Whether the guest hears us already.
    pub(crate) fn guest_is_up(&self) -> bool {
        self.party(self.guest).is_some_and(|party| party.answered.is_some() && party.is_alive())
    }

    /// Whether the guest is waited for.
    pub(crate) fn guest_is_away(&self) -> bool {
        self.party(self.guest).is_some_and(|guest| guest.away.is_some())
    }

    pub(crate) fn direction_word(&self) -> &'static str {
        match self.direction {
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
            Direction::Internal => "internal",
        }
    }

    pub(crate) fn offer_of(&self, leg: LegId) -> Option<usize> {
        self.offers.iter().position(|offer| offer.legs.contains(&leg))
    }

    /// Whether a far end was told where to send its sound: it has answered, was answered, or rings with our offer.
    pub(crate) fn knows_address(&self, leg: LegId) -> bool {
        let comes = |party: &Party| party.monitor.is_some() && party.replaces.is_none();
        let rings = self.offer_of(leg).is_some() || self.party(leg).is_some_and(comes);
        self.party(leg).is_some_and(|party| party.answered.is_some() || (rings && !party.line.is_planned()))
    }

    pub(crate) fn move_to(&mut self, stage: Stage, at: Moment) {
        self.stage = stage;
        self.since = at;
    }
}
