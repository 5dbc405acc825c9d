//! A call's recordings as they run: begun by rule or by hand, paused while a card number is said, ended. A pause counts once
//! the media node has said that nothing is kept; it ends when somebody ends it, when its time is up, and with its talk.
//! Whoever takes the session over is told of it with the session, so no node records what another one did not.

use mangrove_proto::{
    id::LegId,
    live::{CdrRecording, Mark, MarkKind},
    media::RecordingPaused,
};

use super::{Call, Pause, Recording, recorded, voicemail::Left};
use crate::{command::RecordingWish, config::Recorded, day, mailbox::Message, rules, scene::Scene};

/// Recordings of one call, at most: each is a file.
const MOST: usize = 50;
/// Marks of one recording, at most.
const MARKS: usize = 1_000;

/// The guest and `peer` talk: begins the recording, goes on with it for another pair, or ends it.
pub(super) fn follow(call: &mut Call, peer: LegId, scene: &mut Scene<'_>) {
    let (rule, now) = (recorded::rule(call, peer, scene), scene.now());
    let has_rules = rules::records_by_rule(scene.state.rules());
    let ends = has_rules && recorded::is_forbidden(call, peer, scene);
    call.by_hand = has_rules && rule == Recorded::OnDemand;
    let guest = call.guest;
    match &mut call.recording {
        Some(recording) if recording.running => {
            let is_another = recording.pair(guest, peer);
            if ends {
                recording.stop(now);
                scene.tell(call, "recording ends", "as the rules for this talk say");
            } else if has_rules && is_another {
                recording.resume(now);
                recording.mark(MarkKind::Transfer, now);
            }
        }
        _ if rule == Recorded::Always => begin(call, peer, scene),
        _ => {}
    }
}

fn begin(call: &mut Call, peer: LegId, scene: &Scene<'_>) {
    begin_with(call, Some(peer), None, scene);
}

/// A recording of the guest alone.
pub(super) fn begin_message(call: &mut Call, left: Left, scene: &Scene<'_>) {
    begin_with(call, None, Some(left), scene);
}

/// Ends the recording of a message that runs: where it lies, kept if it is as long as `shortest_ms`, and what is known of its
/// sound.
pub(super) fn end_message(call: &mut Call, shortest_ms: u64, now: u64) -> Option<(Left, Message)> {
    let running = |recording: &&mut Recording| recording.running && recording.message.is_some();
    let recording = call.recording.as_mut().filter(running)?;
    let duration_ms = recording.place(now);
    recording.stop(now);
    let left = recording.message.as_mut()?;
    left.kept = duration_ms >= shortest_ms;
    let mut message = Message {
        call: call.id,
        caller: String::new(),
        at: 0,
        recording: recording.id.clone(),
        object: recording.object.clone(),
        duration_ms,
        sha256: None,
        heard: false,
        mail_due: false,
        deleted: false,
    };
    if let Some(sound) = &recording.finished {
        message.store(sound);
    }
    Some((left.clone(), message))
}

fn begin_with(call: &mut Call, right: Option<LegId>, message: Option<Left>, scene: &Scene<'_>) {
    if let Some(mut former) = call.recording.take() {
        call.media.leaves().unwrap_or(&call.media.node).clone_into(&mut former.node);
        call.earlier.push(former);
    }
    let (number, date) = (call.earlier.len() + 1, day::date(scene.day()));
    // A message is mailed as it is.
    let (format, channels) = right.map(|peer| recorded::file(call, peer, scene)).unwrap_or_default();
    let ending = if format.is_wav() { "wav" } else { "opus" };
    call.recording = Some(Recording {
        id: format!("rec_{}_{number}", call.id),
        object: format!("recordings/{}/{date}/{}-{number}.{ending}", call.tenant, call.id),
        left: call.guest,
        right,
        running: true,
        since: Some(scene.now()),
        until: None,
        pause: None,
        pauses: 0,
        marks: Vec::new(),
        format,
        channels,
        node: String::new(),
        message,
        finished: None,
    });
}

/// Somebody asks for something. The error says why it can't be; what is so already is granted.
pub(crate) fn ask(call: &mut Call, wish: RecordingWish, scene: &mut Scene<'_>) -> Result<(), &'static str> {
    if !rules::records_by_rule(scene.state.rules()) {
        return Err("not all nodes know recording by hand yet: upgrade them all first");
    }
    match wish {
        RecordingWish::Start => start(call, scene),
        RecordingWish::Stop => stop(call, scene),
        RecordingWish::Pause => pause(call, scene),
        RecordingWish::Resume => resume(call, scene),
    }
}

/// Of a talk: a message is nobody's to begin or to end.
fn running(call: &mut Call) -> Option<&mut Recording> {
    call.recording.as_mut().filter(|recording| recording.running && recording.message.is_none())
}

fn start(call: &mut Call, scene: &mut Scene<'_>) -> Result<(), &'static str> {
    let Some((_, peer)) = call.talkers() else { return Err("nobody talks in this call now") };
    if running(call).is_some() {
        return Ok(());
    }
    if !call.by_hand {
        return Err("by its rules this call is not recorded: `on-demand` would allow it");
    }
    if call.earlier.len() + 1 >= MOST {
        return Err("this call has as many recordings as one may have");
    }
    begin(call, peer, scene);
    scene.tell(call, "recording begins", "by hand");
    Ok(())
}

fn stop(call: &mut Call, scene: &mut Scene<'_>) -> Result<(), &'static str> {
    let (now, by_hand) = (scene.now(), call.by_hand);
    let Some(recording) = running(call) else { return Ok(()) };
    if !by_hand {
        return Err("by its rules this call is recorded: pause the recording instead");
    }
    recording.stop(now);
    scene.tell(call, "recording ends", "by hand");
    Ok(())
}

fn pause(call: &mut Call, scene: &mut Scene<'_>) -> Result<(), &'static str> {
    let now = scene.now();
    let until = scene.tenant.config.recording.resume_after_ms.map(|after| now.saturating_add(after));
    let Some(recording) = running(call) else { return Err("this call is not recorded now") };
    if recording.pause.is_none() {
        recording.pauses += 1;
        recording.pause = Some(Pause { number: recording.pauses, until, confirmed: false });
        recording.mark(MarkKind::Pause, now);
        scene.tell(call, "recording is to pause", "");
    }
    Ok(())
}

fn resume(call: &mut Call, scene: &mut Scene<'_>) -> Result<(), &'static str> {
    let now = scene.now();
    let Some(recording) = running(call) else { return Err("this call is not recorded now") };
    if recording.resume(now) {
        scene.tell(call, "recording goes on", "");
    }
    Ok(())
}

/// The media node keeps nothing from here on. False: that is known, or was said of another pause.
pub(super) fn confirmed(call: &mut Call, paused: &RecordingPaused) -> bool {
    let recording = call.recording.as_mut().filter(|recording| recording.id == paused.recording);
    let pause = recording.and_then(|recording| recording.pause.as_mut());
    match pause.filter(|pause| pause.number == paused.pause && !pause.confirmed) {
        Some(pause) => {
            pause.confirmed = true;
            true
        }
        None => false,
    }
}

/// When a pause ends by itself.
pub(super) fn due(call: &Call) -> Option<u64> {
    call.recording.as_ref()?.pause?.until
}

/// Ends a pause whose time is up.
pub(super) fn expire(call: &mut Call, scene: &mut Scene<'_>) {
    let now = scene.now();
    if due(call).is_some_and(|due| due <= now)
        && let Some(recording) = &mut call.recording
    {
        recording.resume(now);
        scene.tell(call, "recording goes on", "the pause had its time");
    }
}

/// Somebody holds, or nobody does any more.
pub(super) fn held(call: &mut Call, holds: bool, scene: &Scene<'_>) {
    if !rules::records_by_rule(scene.state.rules()) {
        return;
    }
    let Some(recording) = running(call) else { return };
    match holds {
        true => recording.mark(MarkKind::Hold, scene.now()),
        false => recording.close(MarkKind::Hold, scene.now()),
    }
}

/// The call is over, and so is what lasted in it.
pub(super) fn end(call: &mut Call, now: u64) {
    let Some(recording) = running(call) else { return };
    recording.resume(now);
    recording.close(MarkKind::Hold, now);
    recording.running = false;
}

/// The talk is over and the call goes on without a recording.
pub(super) fn leave(call: &mut Call, now: u64) {
    if let Some(recording) = running(call) {
        recording.stop(now);
    }
}

pub(super) fn is_unpaused(pauses: &u64) -> bool {
    *pauses == 0
}

impl Call {
    /// All of them, in order.
    pub(crate) fn recordings(&self) -> impl Iterator<Item = &Recording> {
        self.earlier.iter().chain(&self.recording)
    }
}

impl Recording {
    /// As the call's record has it, once it is finished. A message's sound is its box's.
    pub(super) fn record(&self) -> Option<CdrRecording> {
        if self.message.is_some() {
            return None;
        }
        Some(CdrRecording { marks: self.marks.clone(), ..self.finished.clone()? })
    }

    /// Puts these two on the channels. Who is on one stays there, the other takes the newcomer. Whether there was one.
    fn pair(&mut self, guest: LegId, peer: LegId) -> bool {
        let before = (self.left, self.right);
        let other = |leg| if leg == guest { peer } else { guest };
        let stays = |leg: &LegId| [guest, peer].contains(leg);
        (self.left, self.right) = match self.right.filter(stays) {
            _ if stays(&self.left) => (self.left, Some(other(self.left))),
            Some(right) => (other(right), Some(right)),
            None => (guest, Some(peer)),
        };
        before != (self.left, self.right)
    }

    fn stop(&mut self, now: u64) {
        self.resume(now);
        self.close(MarkKind::Hold, now);
        (self.running, self.until) = (false, Some(now));
    }

    /// Whether it was paused.
    fn resume(&mut self, now: u64) -> bool {
        self.close(MarkKind::Pause, now);
        self.pause.take().is_some()
    }

    /// Its length at that instant.
    fn place(&self, now: u64) -> u64 {
        self.since.map_or(0, |since| now.saturating_sub(since))
    }

    fn mark(&mut self, kind: MarkKind, now: u64) {
        if self.marks.len() < MARKS {
            self.marks.push(Mark { kind, at_ms: self.place(now), until_ms: None });
        }
    }

    fn close(&mut self, kind: MarkKind, now: u64) {
        let place = self.place(now);
        let open = self.marks.iter_mut().rev().find(|mark| mark.kind == kind && mark.until_ms.is_none());
        if let Some(mark) = open {
            mark.until_ms = Some(place);
        }
    }
}
