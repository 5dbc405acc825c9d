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
mod identify;
mod inbound;
mod invites;
mod outlet;
mod quirk;
mod reply;
mod report;
mod shard;

use std::sync::{Arc, Weak};

use mangrove_proto::service::Routes;
use mangrove_sip::{Source, screen::Screen};
use parking_lot::Mutex;

use self::{admission::Admission, outlet::Outlet, shard::Shards};
use crate::{
    clock::Clock, contacts::Contacts, events::Events, fence::Fences, options::Options, rate::Rate, tcp,
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
    requests: Mutex<Rate>,
    failures: Mutex<Rate>,
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
    /// `tcp` makes the context of connections from a weak reference to what is being made.
    pub(crate) fn new(parts: Parts, tcp: impl FnOnce(Weak<Self>) -> tcp::Context) -> Arc<Self> {
        let Parts { options, clock, routes, events, udp, contacts } = parts;
        let limits = &options.limits;
        let per_minute = u64::from(limits.requests_per_second) * 60;
        let requests = Rate::new(per_minute, limits.request_burst.into(), limits.sources);
        let failures = u64::from(limits.failures_per_minute);
        let failures = Rate::new(failures, failures, limits.sources);
        let shards = Shards::new(limits.shards);
        Arc::new_cyclic(|own| Self {
            clock,
            user_agent: options.user_agent.clone(),
            routes,
            events,
            outlet: Outlet { udp, tcp: tcp(own.clone()) },
            shards,
            contacts,
            admission: Admission::default(),
            fences: Fences::default(),
            screen: Screen::default(),
            requests: Mutex::new(requests),
            failures: Mutex::new(failures),
            options,
        })
    }

    pub(crate) fn tcp(&self) -> &tcp::Context {
        &self.outlet.tcp
    }

    /// Whether the sender keeps to its rate. Trunks are bounded by their tenants' limits instead.
    fn is_welcome(&self, source: &Source) -> bool {
        let in_rate = self.requests.lock().take(source.remote.ip(), self.clock.now());
        in_rate || self.routes.is_trunk(source.remote)
    }
}
