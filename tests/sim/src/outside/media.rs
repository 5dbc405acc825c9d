//! A simulated media node: sessions without sound, behind the product's fences.

use std::collections::BTreeMap;

use mangrove_domain::NodeInfo;
use mangrove_media::{Admission, Fences};
use mangrove_proto::{
    common::Sender,
    media::{
        Counters, EndpointAddress, Holding, Holdings, HoldingsRequest, MediaCommands, MediaEvent,
        MediaEvents, MediaExecuted, PlayFinished, Ready, RecordingFinished, SetSession, endpoint::Hears,
        media_event::Fact,
    },
};

use super::Outside;
use super::outgoing::{self, Outgoing};
use crate::company::TENANT;
use crate::plant::Plant;
use crate::post::Ask;
use crate::time;

const GROUP: u64 = 1;

/// One media node: the process that runs, and whether one does.
#[derive(Debug)]
pub(crate) struct MediaNode {
    index: usize,
    pub(crate) up: bool,
    /// When the process began: what was sent to an earlier one does not reach it.
    pub(crate) began: u64,
    fences: Fences,
    sessions: BTreeMap<String, SetSession>,
    ports: BTreeMap<String, u32>,
    last_port: u32,
    pub(crate) events: Outgoing<MediaEvent>,
}

/// As control nodes know it.
pub(crate) fn info(media: usize) -> NodeInfo {
    NodeInfo { name: format!("m{media}"), contacts: Vec::new(), media: true }
}

impl MediaNode {
    pub(crate) fn new(index: usize) -> Self {
        Self {
            index,
            up: true,
            began: 0,
            fences: Fences::default(),
            sessions: BTreeMap::new(),
            ports: BTreeMap::new(),
            last_port: 20_000,
            events: Outgoing::of(1),
        }
    }

    /// The next process, which knows nothing of the last.
    pub(crate) fn again(&mut self) {
        let run = self.events.run + 1;
        *self = Self { began: time::now(), events: Outgoing::of(run), ..Self::new(self.index) };
    }

    /// Sessions that are open.
    pub(crate) fn open(&self) -> Vec<String> {
        self.sessions.keys().cloned().collect()
    }

    pub(crate) fn hold(&self, _: HoldingsRequest) -> Holdings {
        let holding = |set: &SetSession| Holding {
            tenant: TENANT.into(),
            session: set.session.clone(),
            version: set.version,
        };
        Holdings { sessions: self.sessions.values().map(holding).collect() }
    }

    /// The wanted one, where one is wanted: after a takeover.
    fn port(&mut self, endpoint: &str, wanted: u32) -> String {
        let port = *self.ports.entry(endpoint.to_owned()).or_insert_with(|| {
            self.last_port = wanted.max(self.last_port + 2);
            if wanted > 0 { wanted } else { self.last_port }
        });
        format!("10.0.2.{}:{port}", self.index + 1)
    }
}

/// Takes the sessions that are not late.
pub(crate) fn execute(outside: &mut Outside, media: usize, commands: MediaCommands) -> MediaExecuted {
    let mut refused = Vec::new();
    let fenced = outside.plant != Some(Plant::NoFence);
    for command in commands.commands {
        let (Some(fence), Some(set)) = (command.fence, command.set) else { continue };
        let this = &mut outside.medias[media];
        let (now_us, tenant) = (time::now() * 1_000, &command.tenant);
        let admission = this.fences.admit(tenant, &set.session, fence, set.version, now_us);
        if fenced && admission != Admission::Taken {
            refused.push(command.effect);
            outside.chronicle.say(|| format!("m{media} refuses {} v{}", set.session, set.version));
            continue;
        }
        if set.close {
            this.fences.closed(tenant, &set.session, now_us);
        }
        set_session(outside, media, set);
    }
    MediaExecuted { refused }
}

fn set_session(outside: &mut Outside, media: usize, set: SetSession) {
    outside.chronicle.say(|| format!("m{media} has {} v{} close={}", set.session, set.version, set.close));
    let this = &mut outside.medias[media];
    let before = if set.close {
        this.sessions.remove(&set.session)
    } else {
        this.sessions.insert(set.session.clone(), set.clone())
    };
    if before.as_ref().is_some_and(|before| before.version == set.version) {
        return;
    }
    let before = before.unwrap_or_default();
    report_closed(outside, media, &before, &set);
    if !set.close {
        report_ready(outside, media, &set);
        begin_prompts(outside, media, &before, &set);
    }
}

fn report_ready(outside: &mut Outside, media: usize, set: &SetSession) {
    let this = &mut outside.medias[media];
    let address = |endpoint: &mangrove_proto::media::Endpoint| EndpointAddress {
        address: this.port(&endpoint.id, endpoint.port),
        endpoint: endpoint.id.clone(),
        ..EndpointAddress::default()
    };
    let addresses = set.endpoints.iter().map(address).collect();
    tell(outside, media, &set.session, Fact::Ready(Ready { version: set.version, addresses }));
}

/// What is told of endpoints and recordings that are gone.
fn report_closed(outside: &mut Outside, media: usize, before: &SetSession, now: &SetSession) {
    for endpoint in &before.endpoints {
        if !now.endpoints.iter().any(|kept| kept.id == endpoint.id) {
            let counters =
                Counters { endpoint: endpoint.id.clone(), packets_received: 50, ..Counters::default() };
            tell(outside, media, &now.session, Fact::Counters(counters));
        }
    }
    if let Some(recording) = before.recording.as_ref().filter(|_| now.recording.is_none()) {
        let finished = RecordingFinished {
            recording: recording.id.clone(),
            object: recording.object.clone(),
            duration_ms: 1_000,
            opus: recording.opus,
            mixed: recording.mixed,
            ..RecordingFinished::default()
        };
        tell(outside, media, &now.session, Fact::RecordingFinished(finished));
    }
}

fn plays(set: &SetSession) -> impl Iterator<Item = (&str, &str)> {
    set.endpoints.iter().filter_map(|endpoint| match &endpoint.hears {
        Some(Hears::Play(play)) if !play.repeat => Some((endpoint.id.as_str(), play.id.as_str())),
        _ => None,
    })
}

fn begin_prompts(outside: &mut Outside, media: usize, before: &SetSession, set: &SetSession) {
    let known: Vec<_> = plays(before).collect();
    let new: Vec<_> = plays(set).filter(|one| !known.contains(one)).collect();
    for (endpoint, play) in new {
        let (session, endpoint, play) = (set.session.clone(), endpoint.to_owned(), play.to_owned());
        let length = outside.between(200, 1_500);
        outside.after(length, move |outside| {
            let runs = outside.medias[media].sessions.get(&session);
            if runs.is_some_and(|set| plays(set).any(|one| one == (&endpoint, &play))) {
                tell(outside, media, &session, Fact::PlayFinished(PlayFinished { endpoint, play }));
            }
        });
    }
}

fn tell(outside: &mut Outside, media: usize, session: &str, fact: Fact) {
    let (tenant, session, fact) = (TENANT.to_owned(), session.to_owned(), Some(fact));
    outside.medias[media].events.push(|sequence| MediaEvent { sequence, tenant, session, fact });
    let whose = (media, info(media).name);
    outgoing::kick(outside, whose, |outside, media| &mut outside.medias[media].events, envelope);
}

fn envelope(sender: Sender, events: Vec<MediaEvent>) -> Ask {
    Ask::Media(MediaEvents { sender: Some(sender), group: GROUP, events })
}
