//! Our keys of SRTP, made where control has none: it keeps what is told with the address, and gives it to every node that
//! has the session later.

use std::fmt;

use bytes::Bytes;
use mangrove_proto::media::{Endpoint, SetSession};

use super::Session;
use crate::thread::{EndpointPlan, Keys};

/// A key that was made here. `Debug` leaves it out.
#[derive(Clone, Default)]
pub(super) struct Made(Bytes);

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Made(…)")
    }
}

impl Session {
    /// Completes the plans of endpoints whose key is to be made here; whether there are new ones, which control is to be
    /// told. One that was made stays the same until control has it.
    pub(super) fn make_keys(&mut self, endpoints: &mut [EndpointPlan]) -> bool {
        let mut are_new = false;
        for endpoint in endpoints {
            if let Some(keys) = endpoint.keys.as_mut().filter(|keys| keys.ours.is_empty()) {
                are_new |= self.make_key(&endpoint.id, keys);
            }
        }
        are_new
    }

    fn make_key(&mut self, id: &str, keys: &mut Keys) -> bool {
        let length = keys.suite.key_length();
        let made = self.keys.entry(id.to_owned()).or_default();
        let is_new = made.0.len() != length;
        if is_new {
            let mut key = vec![0_u8; length];
            rand::fill(&mut key[..]);
            made.0 = key.into();
        }
        keys.ours = made.0.clone();
        is_new
    }

    /// What control is told with an endpoint's address; empty where it has it, or nothing is sealed.
    pub(super) fn key_to_tell(&self, endpoint: &Endpoint) -> Bytes {
        let made = self.keys.get(&endpoint.id).filter(|_| wants_key(endpoint));
        made.map(|made| made.0.clone()).unwrap_or_default()
    }

    /// Forgets the keys of endpoints that are gone, or of which control has one.
    pub(super) fn drop_keys(&mut self, set: &SetSession) {
        let wants = |id: &str| set.endpoints.iter().any(|endpoint| endpoint.id == id && wants_key(endpoint));
        self.keys.retain(|id, _| wants(id));
    }
}

fn wants_key(endpoint: &Endpoint) -> bool {
    endpoint.srtp.as_ref().is_some_and(|srtp| srtp.ours.is_empty())
}
