//! Sessions go from one host to the next without an end: the next one relays beside the first, and plays, records and
//! reports only when that one has closed its sockets.

use std::collections::BTreeMap;

use mangrove_proto::{
    handover::Playing,
    media::{Holding, SetSession},
};
use tokio::sync::oneshot;

use super::{Key, Sessions, plan};
use crate::thread::{Command, EndpointPlan, HearsPlan, Thread};

/// What waits while another host still carries the same sessions.
#[derive(Debug, Default)]
pub(super) struct Joining {
    /// The host shares its ports.
    binds: bool,
    /// The newest that is wanted of each, with its group.
    wanted: BTreeMap<Key, (u64, SetSession)>,
}

impl Sessions {
    /// Opens the ports and relays of what another host still carries, and keeps the rest for `begin`. False once that was.
    pub(crate) fn join(&mut self, group: u64, tenant: &str, set: &SetSession) -> bool {
        let key = (tenant.to_owned(), set.session.clone());
        let Some(joining) = &mut self.joining else { return false };
        joining.wanted.insert(key.clone(), (group, set.clone()));
        if joining.binds {
            self.relay(&key, group, set);
        }
        true
    }

    /// The other host shares its ports from now on.
    pub(crate) fn bind(&mut self) {
        let Some(joining) = &mut self.joining else { return };
        joining.binds = true;
        for (key, (group, set)) in joining.wanted.clone() {
            self.relay(&key, group, &set);
        }
    }

    fn relay(&mut self, key: &Key, group: u64, set: &SetSession) {
        if !set.close && !self.threads.is_empty() {
            self.set_quietly(group, &key.0, &plan::relay_only(set), key);
        }
    }

    /// How many of another host's sessions are neither relayed here as well nor about to be closed.
    pub(crate) fn missing(&self, held: &[Holding]) -> usize {
        let is_there = |one: &Holding| {
            let key = (one.tenant.clone(), one.session.clone());
            let closes = |(_, set): &(u64, SetSession)| set.close;
            self.sessions.contains_key(&key)
                || self.joining.as_ref().and_then(|all| all.wanted.get(&key)).is_some_and(closes)
        };
        held.iter().filter(|one| !is_there(one)).count()
    }

    /// The other host has closed its sockets: what was kept is to be carried out now, with the group and tenant of each.
    pub(crate) fn begin(&mut self, playing: Vec<Playing>) -> Vec<(u64, String, SetSession)> {
        let Some(kept) = self.joining.take() else { return Vec::new() };
        let place = |one: Playing| (((one.tenant, one.session), one.endpoint, one.play), one.frames);
        self.places = playing.into_iter().map(place).collect();
        self.ports.share(false);
        kept.wanted.into_iter().map(|((tenant, _), (group, set))| (group, tenant, set)).collect()
    }

    /// Lets another process bind the same ports from now on; wait for the answers of all threads.
    pub(crate) fn share(&mut self) -> Vec<oneshot::Receiver<()>> {
        self.ports.share(true);
        let ask = |thread: &Thread| {
            let (done, shared) = oneshot::channel();
            thread.send(Command::Share(done));
            shared
        };
        self.threads.iter().map(ask).collect()
    }

    /// What another host played to its middle goes on from there.
    pub(super) fn find_place(&mut self, session: &Key, endpoint: &mut EndpointPlan) {
        if let HearsPlan::Play { id, place, .. } = &mut endpoint.hears {
            let key = (session.clone(), endpoint.id.to_string(), id.to_string());
            *place = self.places.remove(&key).unwrap_or(*place);
        }
    }
}
