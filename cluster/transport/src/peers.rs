//! Connections to peers, made when first used, shared by all groups, remade by tonic when lost.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tonic::transport::{Channel, Endpoint, Error};

use crate::attempt;
use crate::beats::Beats;
use crate::security::Security;
use crate::settings::Settings;

/// The connections to one peer.
#[derive(Debug, Clone)]
pub(crate) struct Lanes {
    /// Entries.
    pub(crate) log: Channel,
    /// Heartbeats, votes, short questions: never behind anything long.
    pub(crate) beat: Channel,
    /// The heartbeats' stream, over that.
    pub(crate) beats: Beats,
    /// Snapshots.
    pub(crate) bulk: Channel,
}

/// Connections by address. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    pub(crate) settings: Settings,
    known: Arc<Mutex<BTreeMap<String, Lanes>>>,
}

impl Peers {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, known: Arc::default() }
    }

    /// The lanes to `address` (host:port). Does not connect yet; the error is of the address's form.
    pub(crate) fn lanes(&self, address: &str) -> Result<Lanes, Error> {
        let mut known = self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(lanes) = known.get(address) {
            return Ok(lanes.clone());
        }
        let lane = || self.endpoint(address).map(|endpoint| self.channel(&endpoint));
        let beat = lane()?;
        let lanes = Lanes { log: lane()?, beats: Beats::over(beat.clone()), beat, bulk: lane()? };
        known.insert(address.to_owned(), lanes.clone());
        Ok(lanes)
    }

    fn channel(&self, endpoint: &Endpoint) -> Channel {
        let limit = self.settings.connect_timeout;
        match self.settings.security.clone() {
            Security::Plain => {
                let dial = self.settings.dial.clone();
                attempt::channel(endpoint, limit, move |to| dial.clone().connect(to))
            }
            Security::Mutual(mutual) => {
                attempt::channel(endpoint, limit, move |to| mutual.clone().connect(to))
            }
        }
    }

    /// `http` with TLS too: tonic is to hand the connection over to us, not to make it one of its own kind.
    fn endpoint(&self, address: &str) -> Result<Endpoint, Error> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?
            .http2_keep_alive_interval(self.settings.keepalive)
            .keep_alive_timeout(self.settings.keepalive)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(16 << 20);
        Ok(endpoint)
    }
}
