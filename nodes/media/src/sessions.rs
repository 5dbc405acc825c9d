//! What this node holds: which commands may still change it, which ports it has, on which thread it runs. The threads
//! do the rest. Nothing here waits.

mod fence;
mod joining;
mod plan;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use mangrove_proto::{
    common::Fence,
    media::{EndpointAddress, Holding, Ready, Recording, Refused, SetSession, media_event::Fact},
};

pub use fence::{Admission, Fences};
pub(crate) use plan::{Sounds, keys, sounds};

use joining::Joining;

use crate::{
    Options,
    clock::now_us,
    metrics::ENDPOINTS,
    outbox::{Outbox, Owner},
    ports::{Ports, Sockets},
    recorder::{Recorder, Ticket},
    thread::{Command, Plan, RecordingPlan, Thread},
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
    /// The recording's id and number.
    recording: Option<(String, u64)>,
}

/// All sessions of a node.
#[derive(Debug)]
pub(crate) struct Sessions {
    fences: Fences,
    sessions: BTreeMap<Key, Session>,
    ports: Ports,
    advertised: IpAddr,
    threads: Vec<Thread>,
    /// Endpoints by thread.
    loads: Vec<usize>,
    outbox: Arc<Outbox>,
    recorder: Recorder,
    last_number: u64,
    joining: Option<Joining>,
    /// How far what was played under another host is, by session, endpoint and play.
    places: BTreeMap<(Key, String, String), u64>,
}

impl Sessions {
    pub(crate) fn new(
        options: &Options,
        threads: Vec<Thread>,
        outbox: Arc<Outbox>,
        recorder: Recorder,
    ) -> Self {
        let mut ports =
            Ports::new(options.address, *options.ports.start(), *options.ports.end(), options.run);
        ports.share(options.joins);
        Self {
            fences: Fences::default(),
            sessions: BTreeMap::new(),
            ports,
            advertised: options.advertised(),
            loads: vec![0; threads.len()],
            threads,
            outbox,
            recorder,
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
        if is_newest && self.sessions.get(&key).is_some_and(|session| session.version == 0) {
            self.end_session(&key);
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

    /// The addresses, if control has not been told one of them.
    fn set(
        &mut self,
        group: u64,
        tenant: &str,
        set: &SetSession,
        sounds: &Sounds,
    ) -> Result<Option<Vec<EndpointAddress>>, String> {
        let mut endpoints = plan::endpoints(set, sounds)?;
        let key = (tenant.to_owned(), set.session.clone());
        endpoints.iter_mut().for_each(|endpoint| self.find_place(&key, endpoint));
        let mut session = self.sessions.remove(&key).unwrap_or_else(|| self.new_session());
        let opened = match self.open_ports(&session, set) {
            Ok(opened) => opened,
            Err(why) => {
                if !session.ports.is_empty() {
                    self.sessions.insert(key, session);
                }
                return Err(why);
            }
        };
        let is_news = session.version == 0 || opened.iter().any(Option::is_some);
        for (endpoint, sockets) in endpoints.iter_mut().zip(opened) {
            if let Some(sockets) = &sockets {
                match session.ports.insert(endpoint.id.to_string(), sockets.port) {
                    Some(former) => self.ports.close(former, now_us()),
                    None => self.loads[session.thread] += 1,
                }
            }
            endpoint.sockets = sockets;
        }
        self.close_ports(&mut session, |id| set.endpoints.iter().all(|e| e.id != id));
        let recording = self.recording(&mut session, tenant, group, set);
        (session.group, session.version) = (group, set.version);
        let plan = Plan { number: session.number, owner: owner(group, tenant, set), endpoints, recording };
        self.threads[session.thread].send(Command::Set(Box::new(plan)));
        let addresses = is_news.then(|| self.addresses(&session, set));
        self.sessions.insert(key, session);
        Ok(addresses)
    }

    fn new_session(&mut self) -> Session {
        self.last_number += 1;
        let thread = (0..self.loads.len()).min_by_key(|thread| self.loads[*thread]).unwrap_or(0);
        Session {
            group: 0,
            number: self.last_number,
            version: 0,
            thread,
            ports: BTreeMap::new(),
            recording: None,
        }
    }

    /// Sockets for the endpoints that are new or have another port, all or none.
    fn open_ports(&mut self, session: &Session, set: &SetSession) -> Result<Vec<Option<Sockets>>, String> {
        let now_us = now_us();
        let mut opened = Vec::new();
        for endpoint in &set.endpoints {
            let wanted = u16::try_from(endpoint.port).unwrap_or(1);
            // Another one than is open: the host of before had told it when this node did not know yet.
            if session.ports.get(&endpoint.id).is_some_and(|port| wanted == 0 || *port == wanted) {
                opened.push(None);
                continue;
            }
            match self.ports.open(wanted, now_us) {
                Ok(sockets) => opened.push(Some(sockets)),
                Err(error) => {
                    opened.iter().flatten().for_each(|s: &Sockets| self.ports.close(s.port, now_us));
                    return Err(error.to_string());
                }
            }
        }
        Ok(opened)
    }

    fn close_ports(&mut self, session: &mut Session, is_gone: impl Fn(&str) -> bool) {
        let now_us = now_us();
        session.ports.retain(|id, port| {
            let gone = is_gone(id);
            if gone {
                self.ports.close(*port, now_us);
                self.loads[session.thread] -= 1;
            }
            !gone
        });
    }

    /// The recording to go on with, or a new one.
    fn recording(
        &mut self,
        session: &mut Session,
        tenant: &str,
        group: u64,
        set: &SetSession,
    ) -> Option<RecordingPlan> {
        let Some(wanted) = &set.recording else {
            session.recording = None;
            return None;
        };
        let number = match &session.recording {
            Some((id, number)) if *id == wanted.id => *number,
            _ => {
                self.last_number += 1;
                let (ticket, ran_ms) =
                    (ticket(group, tenant, set, wanted), wanted.ran_ms.unwrap_or_default());
                self.recorder.begin(self.last_number, ticket, now_us(), ran_ms);
                self.last_number
            }
        };
        session.recording = Some((wanted.id.clone(), number));
        Some(RecordingPlan { number, left: wanted.left.clone(), right: wanted.right.clone() })
    }

    fn addresses(&self, session: &Session, set: &SetSession) -> Vec<EndpointAddress> {
        let address = |id: &str| {
            let port = *session.ports.get(id)?;
            let address = std::net::SocketAddr::new(self.advertised, port).to_string();
            Some(EndpointAddress { endpoint: id.to_owned(), address })
        };
        set.endpoints.iter().filter_map(|endpoint| address(&endpoint.id)).collect()
    }

    /// Closing what is not there is done, but for its recording: the node that wrote it may be gone.
    fn close(&mut self, group: u64, tenant: &str, set: &SetSession) {
        let key = (tenant.to_owned(), set.session.clone());
        let records = self.sessions.get(&key).is_some_and(|session| session.recording.is_some());
        if let (false, Some(left)) = (records, &set.recording) {
            self.recorder.finish_left(ticket(group, tenant, set, left), left.ran_ms);
        }
        self.end_session(&key);
        self.fences.closed(tenant, &set.session, now_us());
    }

    fn end_session(&mut self, key: &Key) {
        if let Some(mut session) = self.sessions.remove(key) {
            self.threads[session.thread].send(Command::Close(session.number));
            self.close_ports(&mut session, |_| true);
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
    }
}

fn owner(group: u64, tenant: &str, set: &SetSession) -> Owner {
    Owner { group, tenant: tenant.into(), session: set.session.as_str().into() }
}
