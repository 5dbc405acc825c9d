//! Callers in line are told how many are ahead of them and how long it may take, every so often; in between they hear
//! music, which goes on as if nothing had been said. Whom a phone rings for is told nothing.

use mangrove_proto::media::PlayFinished;
use serde::{Deserialize, Serialize};

use super::{
    Call,
    stage::{Stage, Talk, Waiting},
};
use crate::{
    agent::Agent,
    config::{Announce, Group},
    rules,
    scene::Scene,
    speech::{self, Saying},
};

/// No announcement is longer: one whose end was never reported has ended by then.
const LONGEST_MS: u64 = 60_000;
/// How long a talk lasts while none of the day has ended.
const TALK_MS: u64 = 180_000;

/// What a caller in line is told, or will be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Announcement {
    /// The next one begins then.
    Due { at: u64 },
    /// These prompts are heard, as the play with this id; `until` then their end is taken for granted.
    Heard { play: String, prompts: Vec<String>, until: u64 },
}

impl Announcement {
    /// When something about it is due.
    pub(super) fn due(&self) -> u64 {
        match self {
            Self::Due { at } => *at,
            Self::Heard { until, .. } => *until,
        }
    }
}

/// What is to come for a caller who gets in line now.
pub(super) fn first(group: &Group, scene: &Scene<'_>) -> Option<Announcement> {
    let announce = group.queue.announce.filter(|_| rules::announces(scene.state.rules()))?;
    Some(Announcement::Due { at: scene.now().saturating_add(announce.every_ms) })
}

/// Begins an announcement that is due, or gives up waiting for the end of one.
pub(super) fn fire(call: &mut Call, scene: &mut Scene<'_>) {
    let Stage::Waiting(waiting) = &call.stage else { return };
    if waiting.announcement.as_ref().is_none_or(|announcement| announcement.due() > scene.now()) {
        return;
    }
    let next = next(call, waiting, scene);
    if let Some(Announcement::Heard { prompts, .. }) = &next {
        scene.tell(call, "is told the place in line", prompts.join(" "));
    }
    set(call, next);
}

/// A play has ended. If it was the announcement, music goes on until the next one.
pub(super) fn finished(call: &mut Call, finished: &PlayFinished, scene: &Scene<'_>) {
    let Stage::Waiting(waiting) = &call.stage else { return };
    if matches!(&waiting.announcement, Some(Announcement::Heard { play, .. }) if *play == finished.play) {
        let next = rules_of(waiting, scene).map(|(_, announce)| later(announce, scene));
        set(call, next);
    }
}

/// Whether one is heard now.
pub(super) fn is_heard(call: &Call) -> bool {
    matches!(&call.stage, Stage::Waiting(Waiting { announcement: Some(Announcement::Heard { .. }), .. }))
}

/// It can't be played: this caller hears nothing but music from now on.
pub(super) fn give_up(call: &mut Call) {
    set(call, None);
}

fn set(call: &mut Call, announcement: Option<Announcement>) {
    if let Stage::Waiting(waiting) = &mut call.stage {
        waiting.announcement = announcement;
    }
}

/// Its group as it is configured now, if it still announces anything.
fn rules_of<'a>(waiting: &Waiting, scene: &'a Scene<'_>) -> Option<(&'a Group, Announce)> {
    let group = scene.tenant.config.groups.get(&waiting.group)?;
    Some((group, group.queue.announce?))
}

fn later(announce: Announce, scene: &Scene<'_>) -> Announcement {
    Announcement::Due { at: scene.now().saturating_add(announce.every_ms) }
}

/// What follows one that is due, or over.
fn next(call: &Call, waiting: &Waiting, scene: &mut Scene<'_>) -> Option<Announcement> {
    let (group, announce) = rules_of(waiting, scene)?;
    let is_over = matches!(&waiting.announcement, Some(Announcement::Heard { .. }));
    if is_over || !call.offers.is_empty() || call.media.silenced {
        return Some(later(announce, scene));
    }
    let prompts = prompts(group, announce, waiting, scene);
    let play = format!("announcement-{}", scene.tenant.next_number());
    Some(Announcement::Heard { play, prompts, until: scene.now() + LONGEST_MS })
}

fn prompts(group: &Group, announce: Announce, waiting: &Waiting, scene: &Scene<'_>) -> Vec<String> {
    let language = &scene.tenant.config.language;
    let ahead = ahead(waiting, scene);
    let position = announce.position.then(|| speech::say(language, Saying::Ahead(ahead)));
    let wait = announce.expected_wait.then(|| {
        let seconds = expected_ms(group, ahead, scene) / 1000;
        speech::say(language, Saying::Wait(seconds))
    });
    position.into_iter().chain(wait).flatten().collect()
}

fn ahead(waiting: &Waiting, scene: &Scene<'_>) -> u64 {
    let queue = scene.tenant.queue(&waiting.group);
    let before = queue.map(|queue| queue.waiting.keys().take_while(|place| **place < waiting.place).count());
    before.unwrap_or_default() as u64
}

/// As long as all who are ahead and this one take, by the day's mean, of the agents who are there.
fn expected_ms(group: &Group, ahead: u64, scene: &Scene<'_>) -> u64 {
    let now = scene.now();
    let talk = mean_talk_ms(group, scene).unwrap_or(TALK_MS);
    let is_present = |agent: &Agent| agent.is_present(now);
    let present = group.members.iter().filter(|m| scene.tenant.agent(&m.employee).is_some_and(is_present));
    let handling = talk.saturating_add(group.wrap_up_ms);
    (ahead + 1).saturating_mul(handling) / (present.count().max(1) as u64)
}

/// How long the day's talks were that are over; none before the first one has ended.
fn mean_talk_ms(group: &Group, scene: &Scene<'_>) -> Option<u64> {
    let today = scene.tenant.queue(&group.id)?.today.on(scene.day());
    let over = today.answered.saturating_sub(running(group, scene));
    today.talk_ms.checked_div(over).filter(|mean| *mean > 0)
}

/// The talks of today's callers that go on.
fn running(group: &Group, scene: &Scene<'_>) -> u64 {
    let agents = group.members.iter().filter_map(|member| scene.tenant.agent(&member.employee));
    let calls = agents.flat_map(Agent::calls).filter_map(|call| scene.tenant.call(call));
    let is_todays = |talk: &Talk| {
        let day = scene.tenant.config.timezone.day(talk.since.wall);
        talk.group.as_ref() == Some(&group.id) && day == scene.day()
    };
    let is_running = |call: &&Call| matches!(&call.stage, Stage::Talking(talk) if is_todays(talk));
    calls.filter(is_running).count() as u64
}
