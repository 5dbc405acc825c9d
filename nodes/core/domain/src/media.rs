//! The media side of a call, declared: what its session should be follows from the stage and the parties alone.
//! After every command [`sync`] compares it with what was asked for last; a difference goes out under a new version.

mod encodings;
mod hears;
mod keys;
mod leaving;
mod udptl;
mod webrtc;

use std::sync::Arc;

use mangrove_proto::{
    common,
    id::LegId,
    media::{Endpoint, MediaCommand, Recording, SetSession, endpoint::Hears},
};
use serde::{Deserialize, Serialize};

use hears::Score;
pub(crate) use keys::take as take_keys;
pub(crate) use leaving::{begin, former, lose, note_addresses, ready, turn_back};
pub(crate) use webrtc::{Association, is_another, is_complete, secure};

use crate::{
    call::{Call, keyed, monitor, party::Party, stage::Stage},
    conference,
    effect::{Action, Effect, ObjectRef},
    scene::Scene,
    stamp::Stamp,
    state::hash_of,
};

/// A call's session on a media node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Which node; empty: there is none, and never was.
    pub node: String,
    /// The last version asked for.
    pub version: u64,
    /// Prompts and music were refused: only voices are asked for.
    pub silenced: bool,
    /// The known ports were given up after a refusal, and the node has not agreed since.
    #[serde(default)]
    pub moved: bool,
    /// The conference that it is of, by name; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub conference: String,
    /// What was asked for, wanted ports left out.
    pub(crate) asked: Option<Arc<SetSession>>,
    /// What is left of it at the node that it leaves, or left last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) former: Option<Arc<leaving::Former>>,
}

impl Session {
    /// Whether the node was told to end it.
    pub fn is_closed(&self) -> bool {
        self.asked.as_ref().is_none_or(|asked| asked.close)
    }

    /// Whether a node was told to have it, now or last before, and is told itself if it is to end it.
    pub fn is_known_to(&self, node: &str) -> bool {
        self.node == node || self.was_at(node)
    }

    /// Whether any sound but voices was asked for last.
    pub(crate) fn plays(&self) -> bool {
        let heard = self.asked.iter().flat_map(|asked| &asked.endpoints).filter_map(|end| end.hears.as_ref());
        heard.into_iter().any(is_play)
    }

    /// Whether somebody was to hear several at once, or a side of the recording was.
    pub(crate) fn mixes(&self) -> bool {
        let Some(asked) = &self.asked else { return false };
        let is_mix = |endpoint: &Endpoint| matches!(endpoint.hears, Some(Hears::Mix(_)));
        let adds = |of: &Recording| !(of.left_too.is_empty() && of.right_too.is_empty());
        asked.endpoints.iter().any(is_mix) || asked.recording.as_ref().is_some_and(adds)
    }

    /// The next version asks for any port in place of the known ones, which the parties must forget too.
    pub(crate) fn forget_ports(&mut self) {
        self.moved = true;
        self.asked = None;
    }
}

/// Takes the least loaded media node for a call, or that of the conference that it is about to come to. False: there is none.
pub(crate) fn open(call: &mut Call, scene: &mut Scene<'_>) -> bool {
    let conference = conference::ahead(call, scene).map_or_else(String::new, |name| name.to_string());
    call.media = Session { conference, ..Session::default() };
    let Some(node) = place(call, scene) else { return false };
    scene.state.count_session(&node, true);
    call.media.node = node;
    true
}

/// The node for the call's session, were it to be opened now.
fn place(call: &Call, scene: &mut Scene<'_>) -> Option<String> {
    match call.media.conference.as_str() {
        "" => scene.state.least_loaded_media(),
        name => conference::place(name, scene),
    }
}

/// The session goes to where the conference's others are. Where it was opened for that, nothing changes; else its far ends
/// are told another address. False: there is no media node.
pub(crate) fn gather(call: &mut Call, name: &str, scene: &mut Scene<'_>) -> bool {
    if call.media.conference == name {
        return true;
    }
    let Some(node) = conference::place(name, scene) else { return false };
    name.clone_into(&mut call.media.conference);
    if node != call.media.node {
        leaving::leave_for(call, node, scene);
        return true;
    }
    // The node says where it has them now: at other ports if another of its threads has the conference. Who knows only the
    // node that is left is told in any case.
    let told = call.parties.keys().copied().filter(|leg| !call.media.is_untold(*leg));
    for leg in told.collect::<Vec<LegId>>() {
        if let Some(party) = call.party_mut(leg) {
            party.forget_address();
        }
    }
    true
}

/// Moves the session to another node; what far ends were told is told anew once that one is ready.
fn move_away(call: &mut Call, scene: &mut Scene<'_>) -> bool {
    let Some(node) = place(call, scene) else { return false };
    scene.state.count_session(&node, true);
    // Should it have been there before: what was asked for then is older.
    leaving::forget(call, &node);
    call.media.node = node;
    call.media.asked = None;
    for party in call.parties.values_mut().map(Arc::make_mut) {
        party.forget_address();
    }
    true
}

/// Asks for what the call needs now, if it is not what was asked for before.
pub(crate) fn sync(call: &mut Call, scene: &mut Scene<'_>) {
    let is_left = call.media.leaves().is_some();
    if call.media.node.is_empty() || (call.is_over() && call.media.is_closed() && !is_left) {
        return;
    }
    leaving::part(call, scene);
    let score = Score { config: &scene.tenant.config, rules: scene.state.rules() };
    let mut wanted = wanted(call, score);
    if leaving::sync(call, &wanted, scene) {
        wanted = relay_only(wanted);
    }
    wanted.version = call.media.version;
    if call.media.asked.as_deref() == Some(&wanted) {
        return;
    }
    wanted.version += 1;
    call.media.version = wanted.version;
    if wanted.close {
        scene.state.count_session(&call.media.node, false);
    }
    call.media.asked = Some(wanted.into());
    scene.effects.actions.extend(again(call, scene.tenant.epoch, scene.stamp));
}

/// The present command once more, with the ports and far ends' addresses that are known and how long the recording was
/// wanted until now. Of a recording that is finished nobody is asked again.
pub(crate) fn again(call: &Call, epoch: u64, stamp: Stamp) -> Option<Effect> {
    let mut set = SetSession::clone(call.media.asked.as_ref()?);
    for endpoint in &mut set.endpoints {
        // Who is untold has the address of another node.
        let leg = endpoint.id.parse::<LegId>().ok().filter(|leg| !call.media.is_untold(*leg));
        let party = leg.and_then(|leg| call.party(leg));
        let address = party.and_then(|party| party.address);
        endpoint.port = address.map_or(0, |address| u32::from(address.port()));
        endpoint.latched = party.and_then(Party::latched).map_or_else(String::new, |from| from.to_string());
        webrtc::fill(endpoint, party.and_then(|party| party.association.as_deref()));
    }
    Some(command(call, &call.media.node, set, (epoch, stamp)))
}

fn command(call: &Call, node: &str, mut set: SetSession, (epoch, stamp): (u64, Stamp)) -> Effect {
    set.recording = set.recording.filter(|_| !set.close || !is_recorded(call));
    if let Some(recording) = &mut set.recording {
        recording.ran_ms = ran_ms(call, stamp);
    }
    let is_whole = |id: &str| call.earlier.iter().any(|former| former.id == id && former.finished.is_some());
    set.left.retain(|left| !is_whole(&left.id));
    let fence = common::Fence {
        incarnation: stamp.fence.incarnation,
        tenant_epoch: epoch,
        term: stamp.fence.term,
        index: stamp.index,
    };
    let effect = hash_of(&[set.session.as_bytes(), &set.version.to_be_bytes()]);
    let command =
        MediaCommand { effect, tenant: call.tenant.to_string(), fence: Some(fence), set: Some(set) };
    let object = ObjectRef::Call(call.tenant.clone(), call.id);
    Effect { object, action: Action::Media { node: node.to_owned(), command } }
}

fn is_recorded(call: &Call) -> bool {
    call.recording.as_ref().is_some_and(|recording| recording.finished.is_some())
}

fn ran_ms(call: &Call, stamp: Stamp) -> Option<u64> {
    let recording = call.recording.as_ref()?;
    let now = match &call.stage {
        Stage::Over(end) => end.at.now,
        _ => stamp.now,
    };
    Some(recording.until.unwrap_or(now).saturating_sub(recording.since?))
}

fn wanted(call: &Call, score: Score<'_>) -> SetSession {
    let session = call.id.to_string();
    if call.is_over() {
        // A node that does not know the session may find what another left of its recording.
        let recording = call.recording.as_ref().map(|recording| Recording {
            id: recording.id.clone(),
            object: recording.object.clone(),
            opus: !recording.format.is_wav(),
            mixed: !recording.channels.is_dual(),
            ..Recording::default()
        });
        return SetSession { session, close: true, recording, left: left(call), ..SetSession::default() };
    }
    let alive = call.parties.values().filter(|party| party.is_alive());
    SetSession {
        session,
        version: 0,
        endpoints: alive.map(|party| endpoint(call, party, score)).collect(),
        recording: recording(call),
        left: left(call),
        conference: call.media.conference.clone(),
        ..SetSession::default()
    }
}

/// The same where another node still plays, mixes and records.
fn relay_only(mut set: SetSession) -> SetSession {
    (set.recording, set.left) = (None, Vec::new());
    for endpoint in &mut set.endpoints {
        endpoint.hears = endpoint.hears.take().filter(|hears| matches!(hears, Hears::Peer(_)));
    }
    set
}

fn endpoint(call: &Call, party: &Party, score: Score<'_>) -> Endpoint {
    let mut endpoint = Endpoint {
        id: party.id.to_string(),
        signalled_from: party.line.signalled_from().to_string(),
        hears: hears::hears(call, party, score).filter(|hears| !(call.media.silenced && is_play(hears))),
        srtp: keys::of(&party.line),
        webrtc: webrtc::of(party),
        secret: call
            .recording
            .as_ref()
            .is_some_and(|recording| recording.running && recording.pause.is_some()),
        ..Endpoint::default()
    };
    if let Some(fax) = party.line.fax() {
        udptl::describe(fax, &mut endpoint);
        return endpoint;
    }
    let Some(audio) = party.line.audio() else { return endpoint };
    endpoint.remote = audio.remote.to_string();
    encodings::describe(audio, score.rules, &mut endpoint);
    endpoint.ptime_ms = audio.ptime_ms.into();
    endpoint.send = audio.direction.sends();
    endpoint.receive = audio.direction.receives();
    endpoint.codes = keyed::codes(call, party, (score.config, score.rules));
    endpoint
}

fn is_play(hears: &Hears) -> bool {
    matches!(hears, Hears::Play(_))
}

/// Former recordings that are not whole yet, and that no other node makes so.
fn left(call: &Call) -> Vec<Recording> {
    let is_here = |node: &str| node.is_empty() || node == call.media.node;
    let open = call.earlier.iter().filter(|former| former.finished.is_none() && is_here(&former.node));
    let told = |former: &crate::call::Recording| Recording {
        id: former.id.clone(),
        object: former.object.clone(),
        ran_ms: former.until.zip(former.since).map(|(until, since)| until.saturating_sub(since)),
        opus: !former.format.is_wav(),
        mixed: !former.channels.is_dual(),
        ..Recording::default()
    };
    open.map(told).collect()
}

fn recording(call: &Call) -> Option<Recording> {
    let recording = call.recording.as_ref().filter(|recording| recording.running)?;
    let beside = |side: Option<LegId>| {
        let barged = call.talkers().map(|_| monitor::barged(call, |of| Some(of) == side));
        barged.into_iter().flatten().map(|leg| leg.to_string()).collect::<Vec<String>>()
    };
    Some(Recording {
        id: recording.id.clone(),
        object: recording.object.clone(),
        left: recording.left.to_string(),
        right: recording.right.map_or_else(String::new, |leg| leg.to_string()),
        ran_ms: None,
        pause: recording.pause.map(|pause| pause.number),
        left_too: beside(Some(recording.left)),
        right_too: beside(recording.right),
        opus: !recording.format.is_wav(),
        mixed: !recording.channels.is_dual(),
    })
}
