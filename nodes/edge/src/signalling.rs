//! Everything between the sockets and control: transactions, screening, authentication, admission, and the way of
//! each message to its tenant and leg. Handling a message never waits: what control needs is queued, what far ends
//! need is sent or queued.
//!
//! ```text
//! sockets -> inbound -> shard (transactions) -> report -> events -> control
//!                \-> gate -> reply (stateless refusals)
//! control -> execute -> shard (transactions) -> outlet -> sockets
//! ```

mod admission;
mod execute;
mod gate;
mod guesses;
mod identify;
mod inbound;
mod invites;
mod outlet;
mod page;
mod quirk;
mod reply;
mod report;
mod shard;
mod unreached;

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, Weak},
};

use mangrove_proto::service::Routes;
use mangrove_sip::{Source, screen::Screen};
use parking_lot::Mutex;

use self::{admission::Admission, guesses::Guesses, outlet::Outlet, shard::Shards};
use crate::{
    clock::Clock,
    contacts::Contacts,
    events::Events,
    fence::Fences,
    flows,
    options::Options,
    rate::{Rate, network},
    udp::Udp,
};

#[derive(Debug)]
pub(crate) struct Signalling {
    clock: Clock,
    options: Arc<Options>,
    user_agent: String,
    routes: Arc<dyn Routes>,
    pub(crate) events: Arc<Events>,
    outlet: Outlet,
    pub(crate) shards: Shards,
    pub(crate) admission: Admission,
    contacts: Contacts,
    fences: Fences,
    screen: Screen,
    requests: Mutex<Rate<IpAddr>>,
    guesses: Mutex<Guesses>,
}

/// What [`Signalling`] is put together from.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) options: Arc<Options>,
    pub(crate) clock: Clock,
    pub(crate) routes: Arc<dyn Routes>,
    pub(crate) events: Arc<Events>,
    pub(crate) udp: Arc<Udp>,
    pub(crate) contacts: Contacts,
}

impl Signalling {
    /// `connections` makes the context of connections from a weak reference to what is being made.
    pub(crate) fn new(parts: Parts, connections: impl FnOnce(Weak<Self>) -> flows::Context) -> Arc<Self> {
        let Parts { options, clock, routes, events, udp, contacts } = parts;
        let limits = &options.limits;
        let per_minute = u64::from(limits.requests_per_second) * 60;
        let requests = Rate::new(per_minute, limits.request_burst.into(), limits.sources);
        let guesses = Guesses::new(limits.failures_per_minute.into(), limits.sources);
        let shards = Shards::new(limits.shards);
        Arc::new_cyclic(|own| Self {
            clock,
            user_agent: options.user_agent.clone(),
            routes,
            events,
            outlet: Outlet { udp, connections: connections(own.clone()) },
            shards,
            contacts,
            admission: Admission::default(),
            fences: Fences::default(),
            screen: Screen::default(),
            requests: Mutex::new(requests),
            guesses: Mutex::new(guesses),
            options,
        })
    }

    pub(crate) fn connections(&self) -> &flows::Context {
        &self.outlet.connections
    }

    /// Whether the sender keeps to its rate. Trunks are bounded by their tenants' limits instead.
    fn is_welcome(&self, source: &Source) -> bool {
        let in_rate = self.requests.lock().take(network(source.remote.ip()), self.clock.now());
        in_rate || as_trunk(source).is_some_and(|trunk| self.routes.is_trunk(trunk))
    }
}

/// The address by which a trunk is known: over a connection with port 0, any, for each connection leaves from a port
/// of its own. None over a WebSocket: the address may be a proxy's, and anybody stand behind it.
fn as_trunk(source: &Source) -> Option<SocketAddr> {
    let port = if source.transport.is_reliable() { 0 } else { source.remote.port() };
    (!source.transport.is_websocket()).then(|| SocketAddr::new(source.remote.ip(), port))
}

#[cfg(test)]
mod tests {
    use mangrove_sip::Transport;

    use super::*;

    #[test]
    fn the_port_of_a_connection_says_nothing_of_its_trunk() {
        let address = |port| SocketAddr::from(([192, 0, 2, 1], port));
        for (transport, port) in [
            (Transport::Udp, Some(5060)),
            (Transport::Tcp, Some(0)),
            (Transport::Ws, None),
            (Transport::Wss, None),
        ] {
            let source = Source { transport, remote: address(5060), local: address(1), flow: None };
            assert_eq!(as_trunk(&source), port.map(address), "{transport}");
        }
    }
}
