//! A caller: rings, listens to what comes, talks when an agent answers, and hangs up when the talk is over or patience is.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use mangrove_sip::{
    Destination, NameAddr, Transport, Uri,
    sdp::{Security, g711},
    ua,
};
use tokio::time::{sleep, timeout};

use crate::{
    endpoint::{Endpoint, Line},
    hold::Hold,
    ledger::{Call, Counters, End, Ledger, wall},
    profile::Profile,
    sound::{Sound, Studio},
};

/// How often a caller looks whether an agent has answered or the agent's tone has come.
const LOOK: Duration = Duration::from_millis(50);

/// Everything a caller needs.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub endpoint: Endpoint,
    pub studio: Studio,
    pub ledger: Ledger,
    pub profile: Profile,
    pub hold: Hold,
    pub server: SocketAddr,
    pub called: String,
    /// This caller's own number and tone.
    pub number: String,
    pub hertz: u32,
}

/// What happened so far.
struct Life {
    started: Instant,
    setup: Option<u64>,
    connected: Option<u64>,
    status: u16,
    retry_after: Option<u32>,
    hung_up: bool,
}

impl Caller {
    /// Lives the whole call and writes it into the ledger.
    pub(crate) async fn run(self) {
        let at = wall();
        let mut life = Life::begins();
        let sound = self.studio.open(self.endpoint.local().ip(), self.hertz).ok();
        let (end, heard_agent) = match &sound {
            Some(sound) => self.live(sound, &mut life).await,
            None => (End::Unfinished, None),
        };
        let silences = sound.as_ref().map(Sound::silences).unwrap_or_default();
        let sound = sound.map_or_else(Counters::default, |sound| sound.counters());
        self.ledger.call(Call {
            caller: self.number.clone(),
            at,
            setup_ms: life.setup,
            connected_ms: life.connected,
            ended_ms: life.elapsed(),
            end,
            hung_up: life.hung_up,
            status: life.status,
            retry_after: life.retry_after,
            sound,
            heard_agent,
            silences,
        });
    }

    async fn live(&self, sound: &Sound, life: &mut Life) -> (End, Option<bool>) {
        let mut line = self.endpoint.call(self.invite(sound));
        let patience = self.profile.patience.draw();
        let waited = timeout(patience, self.wait(&mut line, sound, life)).await;
        match waited {
            Err(_) => (End::GaveUp, None),
            Ok(Some(end)) => (end, None),
            Ok(None) => self.talk(&mut line, sound, life).await,
        }
    }

    fn invite(&self, sound: &Sound) -> ua::Call {
        let (server, local) = (self.server, self.endpoint.local());
        let called = Uri::sip(Some(&self.called), &server.ip().to_string(), Some(server.port()));
        let caller = Uri::sip(Some(&self.number), &local.ip().to_string(), Some(local.port()));
        let destination = Destination { transport: Transport::Udp, address: server, flow: None };
        ua::Call {
            target: ua::Target { uri: called.clone(), route: Vec::new(), destination },
            from: NameAddr::new(caller),
            to: NameAddr::new(called),
            offer: Some(sound.media()),
            codecs: g711().to_vec(),
            security: Security::Off,
            ours: None,
            webrtc: None,
            headers: Vec::new(),
        }
    }

    /// Until an agent talks (none) or the call is over.
    async fn wait(&self, line: &mut Line, sound: &Sound, life: &mut Life) -> Option<End> {
        loop {
            if let Ok(fact) = timeout(LOOK, line.facts.recv()).await {
                if let Some(end) = self.note(fact?, line, sound, life) {
                    return Some(end);
                }
            } else if self.ledger.talk(&self.number).is_some() {
                return None;
            }
        }
    }

    async fn talk(&self, line: &mut Line, sound: &Sound, life: &mut Life) -> (End, Option<bool>) {
        if let Some(talk) = self.ledger.talk(&self.number) {
            sound.listen(talk.hertz);
        }
        let mut hold = self.hold.clone();
        let plan = async {
            hold.is_over().await;
            sleep(self.profile.talk.draw()).await;
        };
        tokio::pin!(plan);
        loop {
            tokio::select! {
                () = &mut plan => {
                    life.hung_up = true;
                    return (End::Talked, self.profile.verdict(sound));
                }
                fact = timeout(LOOK, line.facts.recv()) => match fact {
                    Ok(Some(fact)) => if let Some(end) = self.note(fact, line, sound, life) {
                        return (end, self.profile.verdict(sound));
                    },
                    Ok(None) => return (End::Dropped, self.profile.verdict(sound)),
                    Err(_) if self.ledger.is_talking(&self.number) => sound.look(),
                    Err(_) => {}
                },
            }
        }
    }

    /// Takes a fact; gives the end if it is one.
    fn note(&self, fact: ua::Fact, line: &Line, sound: &Sound, life: &mut Life) -> Option<End> {
        match fact {
            ua::Fact::Ringing { .. } => life.first(),
            ua::Fact::Answered { audio } => {
                life.first();
                life.connected.get_or_insert(life.started.elapsed().as_millis() as u64);
                life.status = 200;
                if let Some(audio) = audio.filter(|_| self.profile.sound) {
                    sound.send_to(audio.remote);
                }
            }
            ua::Fact::OfferReceived { audio } => {
                if self.profile.sound {
                    sound.send_to(audio.remote);
                }
                line.accept_offer(sound.media());
            }
            ua::Fact::Failed { status, retry_after, .. } => {
                (life.status, life.retry_after) = (status, retry_after);
                return Some(End::Refused);
            }
            ua::Fact::HungUp { .. } => return Some(self.hung_up()),
            ua::Fact::SessionExpired | ua::Fact::Vanished | ua::Fact::Moved { .. } => {
                return Some(End::Dropped);
            }
            _ => {}
        }
        None
    }

    fn hung_up(&self) -> End {
        match self.ledger.talk(&self.number) {
            Some(talk) if talk.over => End::Talked,
            Some(_) => End::Dropped,
            None => End::Turned,
        }
    }
}

impl Life {
    fn begins() -> Self {
        let started = Instant::now();
        Self { started, setup: None, connected: None, status: 0, retry_after: None, hung_up: false }
    }

    fn elapsed(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    fn first(&mut self) {
        let now = self.elapsed();
        self.setup.get_or_insert(now);
    }
}
