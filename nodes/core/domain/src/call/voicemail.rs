//! A caller leaves a message: hears the box's greeting and a tone, and then speaks, until they hang up, press `#`, have had
//! the box's time, or nothing comes from them any more. `#` while the greeting is heard goes to the tone's end. The message
//! is the caller's recording; it is in its box at once, so that neither the media node's end nor ours loses it.

use std::sync::Arc;

use mangrove_proto::{id::LegId, media::PlayFinished};
use serde::{Deserialize, Serialize};

use super::{
    Call, plan, recording,
    stage::{Leaving, Part, Stage},
};
use crate::{
    cause::Cause,
    config::Mailbox,
    lamp,
    mailbox::{Message, Place},
    scene::Scene,
};

/// After it the caller speaks.
const TONE: &str = "prompt/beep";
/// What ends a greeting and a message.
const KEY: &str = "#";
/// No greeting is longer: one whose end was never reported has ended by then.
const GREETING_MS: u64 = 21 * 60_000;
/// Who is gone sooner has said nothing.
const SHORTEST_MS: u64 = 1_000;

/// Of which message a recording is the sound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The message.
    pub place: Place,
    /// Whether there was something to keep.
    pub kept: bool,
}

/// Greets; the caller was answered. A talk that the call had before is over, and its recording.
pub(crate) fn greet(call: &mut Call, mailbox: &Mailbox, greeting: Option<&Arc<str>>, scene: &mut Scene<'_>) {
    recording::leave(call, scene.now());
    scene.tell(call, format!("is asked for a message for {}", mailbox.name), "");
    let language = scene.tenant.config.language.clone();
    let greeting = greeting.or(mailbox.greeting.as_ref());
    let greeting = greeting.map(|greeting| format!("prompt/{language}/{greeting}"));
    let prompts = greeting.into_iter().chain([TONE.to_owned()]).collect();
    play(call, mailbox.name.clone(), prompts, scene);
}

fn play(call: &mut Call, mailbox: Arc<str>, prompts: Vec<String>, scene: &mut Scene<'_>) {
    // Music that was refused earlier says nothing about this greeting.
    call.media.silenced = false;
    let play = format!("voicemail-{}", scene.tenant.next_number());
    let until = scene.now() + GREETING_MS;
    let part = Part::Greeting { play, prompts };
    call.move_to(Stage::Leaving(Leaving { mailbox, part, until }), scene.moment());
}

/// A play has ended. If it was the greeting, the caller's word begins.
pub(super) fn finished(call: &mut Call, finished: &PlayFinished, scene: &mut Scene<'_>) {
    let Stage::Leaving(Leaving { part: Part::Greeting { play, .. }, .. }) = &call.stage else { return };
    if *play == finished.play {
        record(call, scene);
    }
}

/// The greeting can't be played: the tone alone, and without that not even the tone.
pub(super) fn give_up_greeting(call: &mut Call, scene: &mut Scene<'_>) {
    let Stage::Leaving(Leaving { mailbox, part: Part::Greeting { prompts, .. }, .. }) = &call.stage else {
        return;
    };
    let (mailbox, has_greeting) = (mailbox.clone(), prompts.len() > 1);
    match has_greeting {
        true => play(call, mailbox, vec![TONE.to_owned()], scene),
        false => record(call, scene),
    }
}

/// Whether it is the greeting that is heard.
pub(super) fn is_greeted(call: &Call) -> bool {
    matches!(&call.stage, Stage::Leaving(Leaving { part: Part::Greeting { .. }, .. }))
}

fn record(call: &mut Call, scene: &mut Scene<'_>) {
    let Stage::Leaving(leaving) = &call.stage else { return };
    let mailbox = leaving.mailbox.clone();
    let longest = scene.tenant.config.voicemail.get(&mailbox).map(|mailbox| mailbox.longest_ms);
    let Some(longest) = longest else { return go_on(call, scene) };
    let place = Place { mailbox: mailbox.clone(), number: scene.tenant.next_number() };
    recording::begin_message(call, Left { place, kept: false }, scene);
    // Who was silent while they listened has their time from here on.
    call.expects_sound_since = scene.now();
    scene.tell(call, "leaves a message", "");
    let until = scene.now().saturating_add(longest);
    call.move_to(Stage::Leaving(Leaving { mailbox, part: Part::Message, until }), scene.moment());
}

/// A key was pressed on the guest's phone.
pub(super) fn pressed(call: &mut Call, endpoint: &str, key: &str, scene: &mut Scene<'_>) {
    let Stage::Leaving(leaving) = &call.stage else { return };
    if key != KEY || !is_guest(call, endpoint) {
        return;
    }
    match leaving.part {
        Part::Greeting { .. } => record(call, scene),
        Part::Message => go_on(call, scene),
    }
}

/// Whether this endpoint's silence is the end of a message.
pub(super) fn is_heard_at(call: &Call, endpoint: &str) -> bool {
    let records = matches!(&call.stage, Stage::Leaving(Leaving { part: Part::Message, .. }));
    records && is_guest(call, endpoint)
}

fn is_guest(call: &Call, endpoint: &str) -> bool {
    endpoint.parse::<LegId>().is_ok_and(|leg| leg == call.guest)
}

/// The greeting or the message has had its time.
pub(super) fn expire(call: &mut Call, scene: &mut Scene<'_>) {
    let Stage::Leaving(leaving) = &call.stage else { return };
    if leaving.until > scene.now() {
        return;
    }
    match leaving.part {
        Part::Greeting { .. } => record(call, scene),
        Part::Message => go_on(call, scene),
    }
}

/// The message is over, its caller is not gone: the next step's turn.
pub(super) fn go_on(call: &mut Call, scene: &mut Scene<'_>) {
    if close(call, scene) {
        plan::failed(call, Cause::VoicemailLeft);
    }
    plan::proceed(call, scene);
}

/// Ends the message that is being left, and puts it into its box. Whether there is one to keep.
pub(crate) fn close(call: &mut Call, scene: &mut Scene<'_>) -> bool {
    let Some((left, message)) = recording::end_message(call, SHORTEST_MS, scene.now()) else { return false };
    let mailbox = scene.tenant.config.voicemail.get(&left.place.mailbox);
    let mail_due = left.kept && mailbox.is_some_and(|mailbox| mailbox.email.is_some());
    let at = call.started.wall + call.started.until(scene.moment());
    let message = Message {
        call: call.id,
        caller: call.caller.clone(),
        at: at.saturating_sub(message.duration_ms),
        mail_due,
        deleted: !left.kept,
        ..message
    };
    let Place { mailbox, number } = &left.place;
    scene.tenant.messages_mut(mailbox).add(*number, message);
    if left.kept {
        scene.tell(call, format!("has left a message for {mailbox}"), "");
        lamp::show_owner(mailbox, scene);
    }
    left.kept
}

/// The sound of a message is in the store.
pub(super) fn stored(call: &Call, recording: &str, scene: &mut Scene<'_>) {
    let recording = call.recordings().find(|known| known.id == recording);
    let known =
        recording.and_then(|recording| Some((recording.message.as_ref()?, recording.finished.as_ref()?)));
    let Some((left, sound)) = known else { return };
    if let Some(message) = scene.tenant.message_mut(&left.place) {
        message.store(sound);
    }
}

/// Whether who hangs up now has said something.
pub(super) fn has_spoken(call: &Call, now: u64) -> bool {
    let recording = call.recording.as_ref().filter(|recording| recording.running);
    let since =
        recording.filter(|recording| recording.message.is_some()).and_then(|recording| recording.since);
    since.is_some_and(|since| now.saturating_sub(since) >= SHORTEST_MS)
}

impl Call {
    /// Whether its caller has left a message.
    pub(crate) fn has_left_message(&self) -> bool {
        self.recordings().any(|recording| recording.message.as_ref().is_some_and(|left| left.kept))
    }
}
