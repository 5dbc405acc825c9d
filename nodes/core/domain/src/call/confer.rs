//! A call whose guest is in a conference, or on the way in: asked for a PIN, told to wait until a moderator is there, let in.
//! What its people hear is the media node's: the sum of all who speak there, whatever calls they are of.
//!
//! ```text
//! step ─▶ door: PIN, three tries ─▶ waits for a moderator ─▶ in ─▶ hangs up
//!   │        └── wrong, locked, full: the scheme's next step     (or is removed, or the conference is ended)
//!   └── locked, full
//! ```

use std::{collections::BTreeSet, sync::Arc};

use mangrove_proto::{
    id::{CallId, LegId},
    media::Digit,
};
use serde::{Deserialize, Serialize};

use super::{Call, plan, recording, stage::Stage};
use crate::{
    cause::Cause, command::ConferenceWish, conference, config::Conference, door, effect::Reply, line, media,
    rules, scene::Scene, stamp::Moment,
};

/// How often a PIN may be typed.
const TRIES: u32 = 3;
/// How long somebody may take to begin, once they were asked.
const FIRST_KEY_MS: u64 = 20_000;
/// How long from one key to the next: what was typed is the PIN then.
const NEXT_KEY_MS: u64 = 5_000;
/// More keys than a PIN has are not kept.
const MOST_KEYS: usize = 16;

/// The guest of a call in a conference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conferring {
    /// Of the conference.
    pub name: Arc<str>,
    /// How far they are.
    pub part: Part,
    /// They know the moderators' PIN.
    pub moderator: bool,
    /// They hear and are not heard.
    pub muted: bool,
    /// Since when they are there; before, since when they are asked.
    pub since: Moment,
}

/// How far somebody is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Part {
    /// Asked for the PIN, as the play with this id.
    Door { play: String, typed: Typed, wrong: u32, until: u64 },
    /// Hears music until a moderator is there.
    Waits,
    /// Hears all others.
    In,
}

/// What somebody has typed of a PIN: nobody reads it here.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Typed(String);

impl std::fmt::Debug for Typed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Typed(…)")
    }
}

impl Conferring {
    /// Whether they are there: let in, or waiting for a moderator.
    pub fn is_there(&self) -> bool {
        !matches!(self.part, Part::Door { .. })
    }
}

impl Call {
    /// The guest's part in a conference, if the call is in one or on its way in.
    pub fn conferring(&self) -> Option<&Conferring> {
        match &self.stage {
            Stage::Conferring(conferring) => Some(conferring),
            _ => None,
        }
    }

    /// Whether the guest hears the others of a conference.
    pub(crate) fn is_in_conference(&self) -> bool {
        self.conferring().is_some_and(|conferring| conferring.part == Part::In)
    }
}

/// The guest comes to a conference. The cause says why they can't.
pub(crate) fn arrive(call: &mut Call, name: &Arc<str>, scene: &mut Scene<'_>) -> Result<(), Cause> {
    let config = scene.tenant.config.clone();
    let conference = config.conferences.get(name).filter(|_| rules::confers(scene.state.rules()));
    let conference = conference.ok_or(Cause::NotFound)?;
    match conference.asks_pin() {
        false => admit(conference, false, scene)?,
        true if conference.pin.is_some() && door::is_shut(call, name, scene) => return Err(Cause::Forbidden),
        true => {}
    }
    if !media::gather(call, name, scene) {
        return Err(Cause::NoMedia);
    }
    recording::leave(call, scene.now());
    line::answer(call, call.guest, scene);
    match conference.asks_pin() {
        true => ask(call, name, 0, scene),
        false => enter(call, conference, false, scene),
    }
    Ok(())
}

/// Whether somebody more may come in now.
fn admit(conference: &Conference, moderator: bool, scene: &Scene<'_>) -> Result<(), Cause> {
    let Some(present) = scene.tenant.conferences.get(&conference.name) else { return Ok(()) };
    if present.locked && !moderator {
        return Err(Cause::Forbidden);
    }
    let is_there = |call: &&CallId| {
        let conferring = scene.tenant.call(**call).and_then(Call::conferring);
        conferring.is_some_and(Conferring::is_there)
    };
    let is_full = |most: u32| present.calls.iter().filter(is_there).count() >= most as usize;
    if conference.most.is_some_and(is_full) { Err(Cause::Busy) } else { Ok(()) }
}

/// Asks for the PIN.
fn ask(call: &mut Call, name: &Arc<str>, wrong: u32, scene: &mut Scene<'_>) {
    // Music that was refused earlier says nothing about this prompt.
    call.media.silenced = false;
    let play = format!("pin-{}", scene.tenant.next_number());
    let (since, until) = (scene.moment(), scene.now() + FIRST_KEY_MS);
    let part = Part::Door { play, typed: Typed::default(), wrong, until };
    let name = name.clone();
    call.move_to(Stage::Conferring(Conferring { name, part, moderator: false, muted: false, since }), since);
    scene.tell(call, "asks for the PIN", if wrong == 0 { "" } else { "again" });
}

/// A key of the guest's: of a PIN, `#` ends it and `*` begins it anew.
pub(super) fn pressed(call: &mut Call, digit: &Digit, scene: &mut Scene<'_>) {
    let is_guests = digit.endpoint.parse().is_ok_and(|leg: LegId| leg == call.guest);
    let Stage::Conferring(Conferring { part: Part::Door { typed: Typed(typed), until, .. }, .. }) =
        &mut call.stage
    else {
        return;
    };
    if !is_guests {
        return;
    }
    match digit.digit.as_str() {
        "#" => return check(call, scene),
        "*" => typed.clear(),
        key if typed.len() < MOST_KEYS => typed.push_str(key),
        _ => {}
    }
    *until = scene.now() + NEXT_KEY_MS;
}

/// When what was typed is the PIN.
pub(super) fn due(call: &Call) -> Option<u64> {
    match call.conferring()?.part {
        Part::Door { until, .. } => Some(until),
        Part::Waits | Part::In => None,
    }
}

/// Nothing more is typed.
pub(super) fn expire(call: &mut Call, scene: &mut Scene<'_>) {
    if due(call).is_some_and(|due| due <= scene.now()) {
        check(call, scene);
    }
}

fn check(call: &mut Call, scene: &mut Scene<'_>) {
    let Some(Conferring { name, part: Part::Door { typed, wrong, .. }, .. }) = call.conferring().cloned()
    else {
        return;
    };
    let config = scene.tenant.config.clone();
    let Some(conference) = config.conferences.get(&name) else {
        return turn_away(call, Cause::NotFound, scene);
    };
    let is_shut = door::is_shut(call, &name, scene);
    if is_shut && conference.pin.is_some() {
        return turn_away(call, Cause::Forbidden, scene);
    }
    // Who needs none comes in all the same, but not as a moderator.
    let looked_at = if is_shut { "" } else { typed.0.as_str() };
    match conference.moderates(&config.id, looked_at) {
        Some(moderator) => match admit(conference, moderator, scene) {
            Ok(()) => enter(call, conference, moderator, scene),
            Err(cause) => turn_away(call, cause, scene),
        },
        None => refuse(call, &name, (&typed, wrong + 1), scene),
    }
}

/// What was typed is no PIN of theirs. Who has typed nothing has not guessed.
fn refuse(call: &mut Call, name: &Arc<str>, (typed, wrong): (&Typed, u32), scene: &mut Scene<'_>) {
    if !typed.0.is_empty() {
        door::note(call, name, scene);
    }
    if wrong < TRIES { ask(call, name, wrong, scene) } else { turn_away(call, Cause::Forbidden, scene) }
}

/// The scheme's next step is for whoever can't come in.
fn turn_away(call: &mut Call, cause: Cause, scene: &mut Scene<'_>) {
    call.media.conference.clear();
    scene.tell(call, "does not get into the conference", cause.name());
    plan::failed(call, cause);
    plan::proceed(call, scene);
}

/// The conference's node has refused a session that came from another. Who just came would hear nobody there: they can't come
/// in. Who was on the way with all others, from a node that is about to go, goes again with that.
pub(super) fn stayed_apart(call: &mut Call, scene: &mut Scene<'_>) {
    let has_come = conference::is_astray(call, scene) && !scene.state.is_draining(&call.media.node);
    let Some(conferring) = call.conferring().filter(|_| has_come) else { return };
    let stayed_ms = if conferring.is_there() { conferring.since.until(scene.moment()) } else { 0 };
    call.talk_ms += stayed_ms;
    turn_away(call, Cause::NoMedia, scene);
}

fn enter(call: &mut Call, conference: &Conference, moderator: bool, scene: &mut Scene<'_>) {
    let since = scene.moment();
    call.answered.get_or_insert(since);
    call.expects_sound_since = since.now;
    let waits = conference.waits_for_moderator && !moderator;
    let (name, part) = (conference.name.clone(), if waits { Part::Waits } else { Part::In });
    scene.convened.insert(name.clone());
    scene.tell(call, format!("enters the conference {name}"), if moderator { "as a moderator" } else { "" });
    call.move_to(Stage::Conferring(Conferring { name, part, moderator, muted: false, since }), since);
}

/// Those who wait are let in once a moderator is there.
pub(crate) fn let_in(name: &str, calls: &BTreeSet<CallId>, scene: &mut Scene<'_>) {
    let part_of = |call: &CallId| scene.tenant.call(*call).and_then(Call::conferring);
    let moderates = |call: &CallId| part_of(call).is_some_and(|one| one.moderator && one.is_there());
    let is_open = scene.tenant.config.conferences.get(name).is_none_or(|known| !known.waits_for_moderator);
    if !is_open && !calls.iter().any(moderates) {
        return;
    }
    let waits = |call: &&CallId| part_of(call).is_some_and(|one| one.part == Part::Waits);
    for call in calls.iter().filter(waits).copied().collect::<Vec<CallId>>() {
        scene.with_call(call, |call, scene| {
            scene.tell(call, "is let in", "a moderator is there");
            call.expects_sound_since = scene.now();
            if let Stage::Conferring(conferring) = &mut call.stage {
                conferring.part = Part::In;
            }
        });
    }
}

/// Grants a wish about the guest, or about the conference that they are in.
pub(crate) fn grant(call: &mut Call, wish: ConferenceWish, scene: &mut Scene<'_>) -> Result<(), Reply> {
    let Some(conferring) = call.conferring().filter(|conferring| conferring.is_there()).cloned() else {
        return Err(Reply::Refused { why: "the call is in no conference now".into() });
    };
    match wish {
        ConferenceWish::Mute => mute(call, true),
        ConferenceWish::Unmute => mute(call, false),
        ConferenceWish::Lock => conference::lock(&conferring.name, true, scene),
        ConferenceWish::Unlock => conference::lock(&conferring.name, false, scene),
        ConferenceWish::End => conference::close(&conferring.name, scene),
    }
    scene.tell(call, format!("conference {}: {}", conferring.name, wish.name()), "");
    Ok(())
}

fn mute(call: &mut Call, is_muted: bool) {
    if let Stage::Conferring(conferring) = &mut call.stage {
        conferring.muted = is_muted;
    }
}
