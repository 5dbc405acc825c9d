//! What each party hears in each stage.

use mangrove_proto::{
    id::LegId,
    media::{Conference, Echo, Mix, Peer, Play, endpoint::Hears},
};

use crate::{
    call::{
        Call,
        announce::Announcement,
        confer::{self, Conferring},
        echo, monitor,
        party::Party,
        stage::{Part, Stage, Waiting},
    },
    config::{Music, TenantConfig},
    rules,
};

/// What asks for a conference's PIN.
const PIN: &str = "conference-pin";

/// By what it is decided who hears what: the company's configuration and the group's rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct Score<'a> {
    pub(super) config: &'a TenantConfig,
    pub(super) rules: u32,
}

/// The sound for `party`; none is silence.
pub(super) fn hears(call: &Call, party: &Party, score: Score<'_>) -> Option<Hears> {
    let (guest, config) = (party.id == call.guest, score.config);
    match &call.stage {
        Stage::Arriving { .. } | Stage::Over(_) => None,
        Stage::Playing { play, prompt, said, .. } => guest.then(|| {
            let prompts = match &said[..] {
                [] => vec![format!("prompt/{}/{prompt}", config.language)],
                _ => said.clone(),
            };
            Hears::Play(Play { id: play.clone(), prompts, ..Play::default() })
        }),
        Stage::Leaving(leaving) => guest.then(|| heard_while_leaving(&leaving.part)),
        Stage::Waiting(waiting) => guest.then(|| in_line(waiting, score)),
        Stage::Ringing { early } => ringing(call, party, *early, score),
        Stage::Talking(talk) if guest => talking(call, party, talk.peer, score),
        Stage::Talking(talk) if talk.peer == party.id => talking(call, party, call.guest, score),
        Stage::Talking(talk) => beside(call, party, talk.peer),
        Stage::Transferring(_) => guest.then(|| score.music(&config.music, 0)),
        Stage::Echo { .. } => guest.then_some(Hears::Echo(Echo { delay_ms: echo::DELAY_MS })),
        Stage::Conferring(conferring) => guest.then(|| self::conferring(conferring, party, score)),
    }
}

/// Who speaks hears silence: a phone behind translation must go on getting packets, and a carrier may hang up without any.
fn heard_while_leaving(part: &Part) -> Hears {
    match part {
        Part::Greeting { play, prompts } => {
            Hears::Play(Play { id: play.clone(), prompts: prompts.clone(), ..Play::default() })
        }
        Part::Message => {
            let prompts = vec!["prompt/silence".to_owned()];
            Hears::Play(Play { id: "silence".to_owned(), prompts, repeat: true, ..Play::default() })
        }
    }
}

/// Who holds plays music to themselves, which is not for the others.
fn conferring(conferring: &Conferring, party: &Party, score: Score<'_>) -> Hears {
    let config = score.config;
    match &conferring.part {
        confer::Part::Door { play, .. } => {
            let prompts = vec![format!("prompt/{}/{PIN}", config.language)];
            Hears::Play(Play { id: play.clone(), prompts, ..Play::default() })
        }
        confer::Part::Waits => score.music(&config.music, 0),
        confer::Part::In => {
            let known = config.conferences.get(&conferring.name);
            let chimes = known.is_some_and(|conference| conference.chimes);
            Hears::Conference(Conference { muted: conferring.muted || party.is_absent(), chimes })
        }
    }
}

fn in_line(waiting: &Waiting, score: Score<'_>) -> Hears {
    match &waiting.announcement {
        Some(Announcement::Heard { play, prompts, .. }) => {
            Hears::Play(Play { id: play.clone(), prompts: prompts.clone(), ..Play::default() })
        }
        _ => score.music(score.config.music_of(&waiting.group), waiting.place.number),
    }
}

fn ringing(call: &Call, party: &Party, early: Option<LegId>, score: Score<'_>) -> Option<Hears> {
    match early {
        Some(leg) if party.id == call.guest => Some(peer(leg)),
        Some(leg) if party.id == leg => Some(peer(call.guest)),
        None if party.id == call.guest && party.answered.is_some() => {
            Some(score.music(&score.config.music, 0))
        }
        _ => None,
    }
}

/// The other's voice, and those of supervisors whom they may hear. Who faxes hears the other's fax and no voice.
fn talking(call: &Call, party: &Party, leg: LegId, score: Score<'_>) -> Option<Hears> {
    let mut voices = monitor::heard_by(call, party.id);
    if voices.is_empty() || party.line.fax().is_some() {
        return other(call, leg, score);
    }
    if !call.party(leg).is_some_and(Party::is_absent) {
        voices.push(leg);
    }
    Some(sum(&voices))
}

/// What a supervisor hears who is there: both who talk, and other supervisors whom both hear.
fn beside(call: &Call, party: &Party, peer: LegId) -> Option<Hears> {
    let is_there = monitor::is_beside(call, party.id) && party.answered.is_some();
    let mut voices = monitor::barged(call, |_| true);
    voices.retain(|leg| *leg != party.id);
    voices.extend([call.guest, peer]);
    is_there.then(|| sum(&voices))
}

/// One voice as it is, several as their sum; in one order, whatever has happened before.
fn sum(voices: &[LegId]) -> Hears {
    match voices {
        [leg] => peer(*leg),
        _ => {
            let mut endpoints: Vec<String> = voices.iter().map(LegId::to_string).collect();
            endpoints.sort_unstable();
            Hears::Mix(Mix { endpoints })
        }
    }
}

/// The other's voice, or music while they hold or are away.
fn other(call: &Call, leg: LegId, score: Score<'_>) -> Option<Hears> {
    let is_absent = call.party(leg).is_some_and(Party::is_absent);
    Some(if is_absent { score.music(&score.config.music, 0) } else { peer(leg) })
}

fn peer(leg: LegId) -> Hears {
    Hears::Peer(Peer { endpoint: leg.to_string() })
}

impl Score<'_> {
    /// Music goes on while its id stays. By the clock it is a station, which plays on whoever listens; before, every wait
    /// in a queue began its own.
    fn music(self, music: &Music, wait: u64) -> Hears {
        let pieces = music.pieces();
        let by_clock = rules::plays_by_clock(self.rules);
        let id = if by_clock { format!("station-{}", pieces.join("+")) } else { format!("music-{wait}") };
        let prompts = pieces.iter().map(|piece| format!("music/{piece}")).collect();
        Hears::Play(Play { id, prompts, repeat: true, by_clock })
    }
}
