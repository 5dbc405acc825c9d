//! A session's way to its ports, its thread and its recording, and back.

use std::collections::{BTreeMap, BTreeSet};

use mangrove_proto::media::{Endpoint, EndpointAddress, SetSession};

use super::{Key, Session, Sessions, Sounds, owner, plan, ticket};
use crate::{
    clock::{now_us, unix_us},
    ports::Sockets,
    thread::{Command, Paused, Plan, RecordingPlan},
};

impl Sessions {
    /// As `carry_out`, with those of its sounds that could be read; `missing` says why one could not. Without what it is
    /// to play the session is refused.
    pub(crate) fn complete(
        &mut self,
        group: u64,
        tenant: &str,
        set: &SetSession,
        sounds: &Sounds,
        missing: Option<String>,
    ) {
        match missing.filter(|_| !plan::is_heard(set, sounds)) {
            Some(why) => self.refuse(group, tenant, set, why),
            None => self.carry_out(group, tenant, set, sounds),
        }
    }

    /// The addresses, if control has not been told one of them.
    pub(super) fn set(
        &mut self,
        group: u64,
        tenant: &str,
        set: &SetSession,
        sounds: &Sounds,
    ) -> Result<Option<Vec<EndpointAddress>>, String> {
        let mut endpoints = plan::endpoints(set, sounds, unix_us())?;
        let key = (tenant.to_owned(), set.session.clone());
        let known = self.go_to_conference(&key, set);
        endpoints.iter_mut().for_each(|endpoint| self.find_place(&key, endpoint));
        let mut session = self.sessions.remove(&key).unwrap_or_else(|| self.new_session(tenant, set));
        session.known.extend(known);
        let opened = match self.open_ports(&session, set) {
            Ok(opened) => opened,
            Err(why) => {
                if !session.ports.is_empty() || session.has_fallen() {
                    self.sessions.insert(key, session);
                } else {
                    self.leave_conference(tenant, &mut session);
                }
                return Err(why);
            }
        };
        let is_another = self.join_conference(tenant, &mut session, &set.conference);
        let is_news = session.version == 0 || is_another || opened.iter().any(Option::is_some);
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
        session.drop_keys(set);
        session.drop_met(set);
        let is_news = session.make_keys(&mut endpoints) || is_news;
        let is_news = session.meet(&mut endpoints, &self.certificate) || is_news;
        let recording = self.recording(&mut session, tenant, group, set);
        self.finish_former(&mut session.known, (group, tenant), set);
        (session.group, session.version) = (group, set.version);
        let conference = self.conference_of(tenant, &session);
        let owner = owner(group, tenant, set);
        let plan = Plan { number: session.number, owner, endpoints, recording, conference };
        self.threads[session.thread].send(Command::Set(Box::new(plan)));
        let addresses = is_news.then(|| self.addresses(&session, set));
        self.sessions.insert(key, session);
        Ok(addresses)
    }

    fn new_session(&mut self, tenant: &str, set: &SetSession) -> Session {
        self.last_number += 1;
        let least = || (0..self.loads.len()).min_by_key(|thread| self.loads[*thread]).unwrap_or(0);
        let thread = self.thread_of(tenant, &set.conference).unwrap_or_else(least);
        Session {
            group: 0,
            number: self.last_number,
            version: 0,
            thread,
            ports: BTreeMap::new(),
            keys: BTreeMap::new(),
            met: BTreeMap::new(),
            recording: None,
            known: BTreeSet::new(),
            conference: None,
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

    pub(super) fn close_ports(&mut self, session: &mut Session, is_gone: impl Fn(&str) -> bool) {
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
                let ticket = ticket(group, tenant, set, wanted);
                self.recorder.begin(self.last_number, ticket, now_us(), wanted.ran_ms.unwrap_or_default());
                session.known.insert(wanted.id.clone());
                self.last_number
            }
        };
        session.recording = Some((wanted.id.clone(), number));
        let pause = wanted.pause.map(|number| Paused { recording: wanted.id.clone(), number });
        let (left, right) = (wanted.left.clone(), wanted.right.clone());
        let (left_too, right_too) = (wanted.left_too.clone(), wanted.right_too.clone());
        Some(RecordingPlan { number, left, right, left_too, right_too, pause })
    }

    fn addresses(&self, session: &Session, set: &SetSession) -> Vec<EndpointAddress> {
        let address = |endpoint: &Endpoint| {
            let port = *session.ports.get(&endpoint.id)?;
            let address = std::net::SocketAddr::new(self.advertised, port).to_string();
            Some(EndpointAddress {
                endpoint: endpoint.id.clone(),
                address,
                key: session.key_to_tell(endpoint),
                webrtc: session.webrtc_to_tell(&endpoint.id),
            })
        };
        set.endpoints.iter().filter_map(address).collect()
    }

    /// `goes_on`: at another node.
    pub(super) fn end_session(&mut self, key: &Key, goes_on: bool) {
        if let Some(mut session) = self.sessions.remove(key) {
            self.threads[session.thread].send(Command::Close { number: session.number, goes_on });
            self.leave_conference(&key.0, &mut session);
            self.close_ports(&mut session, |_| true);
        }
    }
}
