//! What this node holds: which commands may still change it, and what they make of it. `opening` has each session's ports
//! and its thread. The threads do the rest. Nothing here waits.

mod conference;
mod fallen;
mod fence;
mod joining;
mod made;
mod met;
mod opening;
mod plan;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

use mangrove_proto::{
    common::Fence,
    media::{Holding, Ready, Recording, Refused, SetSession, media_event::Fact},
};

pub use fence::{Admission, Fences};
pub(crate) use plan::{Sounds, keys, sounds};

use conference::Conference;
use joining::Joining;
use made::Made;

use crate::{
    Options,
    certificate::Certificate,
    clock::now_us,
    metrics::ENDPOINTS,
    outbox::{Outbox, Owner},
    ports::Ports,
    recorder::{Recorder, Ticket},
    thread::{BrowserPlan, Thread},
};

type Key = (String, String);

#[derive(Debug)]
struct Session {
    group: u64,
    number: u64,
    /// 0 while it is only prepared.
    version: u64,
    thread: usize,
    /// Local ports by endpoint.
    ports: BTreeMap<String, u16>,
    /// Keys of SRTP that were made here and that control has not given back yet, by endpoint.
    keys: BTreeMap<String, Made>,
    /// What browsers are told of this node, by endpoint.
    met: BTreeMap<String, BrowserPlan>,
    /// The recording's id and number.
    recording: Option<(String, u64)>,
    /// Those that were begun here, or are made whole here for a node that is gone.
    known: BTreeSet<String>,
    /// The name of its conference, if it is of one.
    conference: Option<String>,
}

/// All sessions of a node.
#[derive(Debug)]
pub(crate) struct Sessions {
    fences: Fences,
    sessions: BTreeMap<Key, Session>,
    /// Those of which a session is here, by tenant and name.
    conferences: BTreeMap<Key, Conference>,
    ports: Ports,
    advertised: IpAddr,
    threads: Vec<Thread>,
    /// Endpoints by thread.
    loads: Vec<usize>,
    outbox: Arc<Outbox>,
    recorder: Recorder,
    certificate: Certificate,
    last_number: u64,
    joining: Option<Joining>,
    /// How far what was played under another host is, by session, endpoint and play.
    places: BTreeMap<(Key, String, String), u64>,
}

impl Sessions {
    pub(crate) fn new(
        options: &Options,
        certificate: &Certificate,
        threads: Vec<Thread>,
        (outbox, recorder): (Arc<Outbox>, Recorder),
    ) -> Self {
        let mut ports =
            Ports::new(options.address, *options.ports.start(), *options.ports.end(), options.run);
        ports.share(options.joins);
        Self {
            fences: Fences::default(),
            sessions: BTreeMap::new(),
            conferences: BTreeMap::new(),
            ports,
            advertised: options.advertised(),
            loads: vec![0; threads.len()],
            threads,
            outbox,
            recorder,
            certificate: certificate.clone(),
            last_number: 0,
            joining: options.joins.then(Joining::default),
            places: BTreeMap::new(),
        }
    }

    /// Whether the command is in time; what it says then counts, even before it is carried out.
    pub(crate) fn admit(&mut self, _group: u64, tenant: &str, fence: Fence, set: &SetSession) -> Admission {
        self.fences.admit(tenant, &set.session, fence, set.version, now_us())
    }

    /// Makes the session what is wanted, and says where far ends are to send when that is new; or says why not, and the
    /// former version stands.
    pub(crate) fn carry_out(&mut self, group: u64, tenant: &str, set: &SetSession, sounds: &Sounds) {
        if !self.fences.is_newest(tenant, &set.session, set.version) || self.threads.is_empty() {
            return;
        }
        if set.close {
            self.close(group, tenant, set);
        } else {
            match self.set(group, tenant, set, sounds) {
                Ok(None) => {}
                Ok(Some(addresses)) => {
                    let ready = Ready { version: set.version, addresses };
                    self.outbox.post(&owner(group, tenant, set), Fact::Ready(ready));
                }
                Err(why) => self.refuse(group, tenant, set, why),
            }
        }
        metrics::gauge!(ENDPOINTS).set(self.load() as f64);
    }

    /// Opens the ports and relays of a session that is new, while its sounds are still being read. Nothing is said of
    /// it yet: `carry_out` completes it, `refuse` takes it back.
    pub(crate) fn prepare(&mut self, group: u64, tenant: &str, set: &SetSession) {
        let key = (tenant.to_owned(), set.session.clone());
        let is_new = self.sessions.get(&key).is_none_or(|session| session.version == 0);
        if !is_new || set.close || self.threads.is_empty() {
            return;
        }
        self.set_quietly(group, tenant, &plan::without_sounds(set), &key);
    }

    /// What can't be had will be refused when all is at hand.
    fn set_quietly(&mut self, group: u64, tenant: &str, set: &SetSession, key: &Key) {
        let _ = self.set(group, tenant, set, &Sounds::new());
        if let Some(session) = self.sessions.get_mut(key) {
            session.version = 0;
        }
    }

    /// Says that this version can't be had here.
    pub(crate) fn refuse(&mut self, group: u64, tenant: &str, set: &SetSession, why: String) {
        let key = (tenant.to_owned(), set.session.clone());
        let is_newest = self.fences.is_newest(tenant, &set.session, set.version);
        let is_prepared = |session: &Session| session.version == 0 && !session.has_fallen();
        if is_newest && self.sessions.get(&key).is_some_and(is_prepared) {
            self.end_session(&key, false);
        }
        tracing::warn!(tenant, session = set.session, version = set.version, why, "a session is refused");
        let refused = Refused { version: set.version, why };
        self.outbox.post(&owner(group, tenant, set), Fact::Refused(refused));
    }

    /// Endpoints that are open.
    pub(crate) fn load(&self) -> usize {
        self.loads.iter().sum()
    }

    /// The sessions of one group.
    pub(crate) fn holdings(&self, group: u64) -> Vec<Holding> {
        self.holdings_of(|held| held.group == group)
    }

    /// As `holdings`, of all groups.
    pub(crate) fn all_holdings(&self) -> Vec<Holding> {
        self.holdings_of(|_| true)
    }

    fn holdings_of(&self, is_meant: impl Fn(&Session) -> bool) -> Vec<Holding> {
        let meant = self.sessions.iter().filter(|(_, held)| is_meant(held) && held.version > 0);
        meant
            .map(|((tenant, session), held)| Holding {
                tenant: tenant.clone(),
                session: session.clone(),
                version: held.version,
            })
            .collect()
    }

    /// Takes the threads away: nothing is carried out any more.
    pub(crate) fn end(&mut self) -> Vec<Thread> {
        std::mem::take(&mut self.threads)
    }

    /// Closing what is not there is done, but for its recording: the node that wrote it may be gone.
    fn close(&mut self, group: u64, tenant: &str, set: &SetSession) {
        let key = (tenant.to_owned(), set.session.clone());
        let records = self.sessions.get(&key).is_some_and(|session| session.recording.is_some());
        if let (false, Some(left)) = (records, &set.recording) {
            self.recorder.finish_left(ticket(group, tenant, set, left), left.ran_ms);
        }
        let known = self.sessions.get(&key).map(|session| session.known.clone());
        self.finish_former(&mut known.unwrap_or_default(), (group, tenant), set);
        self.end_session(&key, set.goes_on);
        self.fences.closed(tenant, &set.session, now_us());
    }

    /// Has put together what nodes that are gone have left of former recordings of the call.
    fn finish_former(&self, known: &mut BTreeSet<String>, (group, tenant): (u64, &str), set: &SetSession) {
        for left in &set.left {
            if known.insert(left.id.clone()) {
                self.recorder.finish_left(ticket(group, tenant, set, left), left.ran_ms);
            }
        }
    }
}

fn ticket(group: u64, tenant: &str, set: &SetSession, recording: &Recording) -> Ticket {
    Ticket {
        group,
        tenant: tenant.to_owned(),
        session: set.session.clone(),
        recording: recording.id.clone(),
        object: recording.object.clone(),
        opus: recording.opus,
        mixed: recording.mixed,
    }
}

fn owner(group: u64, tenant: &str, set: &SetSession) -> Owner {
    Owner { group, tenant: tenant.into(), session: set.session.as_str().into() }
}
