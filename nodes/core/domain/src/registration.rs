//! The bindings of one SIP device, with the edges that hold its connections. RFC 3261 section 10 itself is
//! `mangrove_sip::registrar`; here is only what the rules add: which edge to send through.

use std::collections::BTreeMap;

use mangrove_sip::{
    Message, Source,
    registrar::{Binding, Bindings, Refused, Registered},
};
use serde::{Deserialize, Serialize};

use crate::rules::speaks_webrtc;

/// Where one device can be rung.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    bindings: Bindings,
    /// The edge that took the last REGISTER from a source.
    edges: BTreeMap<String, String>,
}

impl Registration {
    /// Takes a REGISTER that the edge has authenticated.
    pub(crate) fn register(
        &mut self,
        request: &Message,
        source: &Source,
        edge: &str,
        (now, rules): (u64, u32),
    ) -> Result<Registered, Refused> {
        let registered = self.bindings.register(request, source, now)?;
        if !speaks_webrtc(rules) {
            self.bindings.forget_ice();
        }
        self.edges.insert(key(source), edge.to_owned());
        self.keep_used_edges();
        Ok(registered)
    }

    /// Whether any binding lives.
    pub fn is_live(&self, now: u64) -> bool {
        self.bindings.any_live(now)
    }

    /// The bindings that live, preferred first, with the edge to use for each.
    pub(crate) fn live(&self, now: u64) -> impl Iterator<Item = (&Binding, &str)> {
        let edge = |binding: &Binding| self.edges.get(&key(&binding.source)).map_or("", String::as_str);
        self.bindings.live(now).map(move |binding| (binding, edge(binding)))
    }

    /// When the next binding ends.
    pub fn next_expiry(&self) -> Option<u64> {
        self.bindings.next_expiry()
    }

    /// Drops what has expired.
    pub(crate) fn expire(&mut self, now: u64) {
        self.bindings.expire(now);
        self.keep_used_edges();
    }

    pub(crate) fn uses_flow(&self, flow: &str) -> bool {
        self.bindings.live(0).any(|binding| binding.source.flow.as_deref() == Some(flow))
    }

    /// The connections by which the device is registered over a WebSocket at this edge.
    pub(crate) fn websockets_at<'a>(&'a self, edge: &'a str) -> impl Iterator<Item = &'a str> {
        let here = self.live(0).filter(move |(_, at)| *at == edge).map(|(binding, _)| &binding.source);
        here.filter(|source| source.transport.is_websocket()).filter_map(|source| source.flow.as_deref())
    }

    /// Drops the bindings of a connection that is gone.
    pub(crate) fn close_flow(&mut self, flow: &str) {
        self.bindings.drop_flow(flow);
        self.keep_used_edges();
    }

    /// Lets all bindings live longer.
    pub(crate) fn extend(&mut self, by_ms: u64) {
        self.bindings.extend(by_ms);
    }

    fn keep_used_edges(&mut self) {
        let used: Vec<_> = self.bindings.live(0).map(|binding| key(&binding.source)).collect();
        self.edges.retain(|source, _| used.contains(source));
    }
}

fn key(source: &Source) -> String {
    format!(
        "{} {} {}",
        source.transport.via_name(),
        source.remote,
        source.flow.as_deref().unwrap_or_default()
    )
}
