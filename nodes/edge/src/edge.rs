//! The handle of a running edge: puts the parts together, and takes control's commands.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Weak},
};

use async_trait::async_trait;
use mangrove_proto::{
    edge::{EdgeCommands, EdgeExecuted},
    service,
};
use mangrove_sip::Transport;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Error,
    clock::Clock,
    contacts::Contacts,
    events::Events,
    flows::{
        self, Flows, Listener,
        websocket::{Refused, Seat},
    },
    options::Options,
    signalling::{Parts, Signalling},
    udp::Udp,
};

/// A running edge; clones are the same edge. It goes on when all clones are dropped: `shutdown` ends it.
#[derive(Debug, Clone)]
pub struct Edge {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Arc<Options>,
    signalling: Arc<Signalling>,
    flows: Arc<Flows>,
    udp: Arc<Udp>,
    /// The tasks that accept hold them: they close with those.
    listeners: Vec<Weak<Listener>>,
    addresses: Vec<(Transport, SocketAddr)>,
    contacts: Contacts,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What an edge holds right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// SIP transactions, both sides.
    pub transactions: usize,
    /// Connections open.
    pub connections: usize,
    /// Events that control has not acknowledged.
    pub waiting_events: usize,
    /// INVITEs given to control that nothing answered yet.
    pub unanswered_invites: usize,
}

impl Edge {
    /// Binds all sockets, or none, and begins to serve.
    pub async fn start(
        options: Options,
        control: Arc<dyn service::Control>,
        routes: Arc<dyn service::Routes>,
    ) -> Result<Self, Error> {
        let options = Arc::new(options);
        let udp = Arc::new(Udp::bind(&options.udp, options.joins)?);
        let listen = |address: &SocketAddr| Listener::bind(*address, options.joins).map(Arc::new);
        let listeners = options.tcp.iter().map(listen).collect::<Result<Vec<_>, _>>()?;
        let addresses = addresses(&udp, &listeners);
        let contacts = Contacts::of(&options, &addresses);
        let clock = Clock::start();
        let events = Events::new(&options, control, clock);
        let flows = Arc::new(Flows::new(&options.node, options.run, &options.limits));
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let parts = Parts {
            options: options.clone(),
            clock,
            routes,
            events,
            udp: udp.clone(),
            contacts: contacts.clone(),
        };
        let limits = Arc::new(options.limits.clone());
        let signalling = Signalling::new(parts, |signalling| flows::Context {
            flows: flows.clone(),
            signalling,
            limits,
            tasks: tasks.clone(),
            stop: stop.clone(),
        });
        udp.read(options.limits.udp_readers, &signalling, &tasks, &stop);
        signalling.start_timers(&tasks, &stop);
        let weak = listeners.iter().map(Arc::downgrade).collect();
        for listener in listeners {
            listener.accept(signalling.connections());
        }
        tracing::info!(node = options.node, run = options.run, ?addresses, ?contacts, "edge serves");
        let listeners = weak;
        let inner = Inner { options, signalling, flows, udp, listeners, addresses, contacts, tasks, stop };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What is really bound, in the order of the options, UDP first.
    pub fn addresses(&self) -> Vec<(Transport, SocketAddr)> {
        self.inner.addresses.clone()
    }

    /// What far ends are told: `host:port` by transport, for Contact and Via.
    pub fn contacts(&self) -> Vec<(Transport, String)> {
        self.inner.contacts.told()
    }

    /// A place for a WebSocket that is about to be upgraded, from `remote` to our address `local`; `secure`: its client
    /// speaks TLS. Refused while the edge takes no new calls, and beyond its limits.
    pub fn accept_websocket(
        &self,
        remote: SocketAddr,
        local: SocketAddr,
        secure: bool,
    ) -> Result<Seat, Refused> {
        let Inner { signalling, stop, .. } = &*self.inner;
        if stop.is_cancelled() || signalling.admission.is_draining() {
            return Err(Refused::Leaving);
        }
        let transport = if secure { Transport::Wss } else { Transport::Ws };
        // One socket of HTTP may serve both families: an IPv4 address is known by no other name than over UDP.
        let [remote, local] = [remote, local].map(|one| SocketAddr::new(one.ip().to_canonical(), one.port()));
        Seat::take(signalling.connections(), transport, remote, local)
    }

    /// The same for the page of whomever this ticket speaks for: it registers and calls as they without a password.
    pub fn accept_page(
        &self,
        remote: SocketAddr,
        local: SocketAddr,
        secure: bool,
        ticket: &str,
    ) -> Result<Seat, Refused> {
        let holder = self.inner.signalling.holder(ticket, remote.ip().to_canonical())?;
        Ok(self.accept_websocket(remote, local, secure)?.of(holder))
    }

    /// Refuses new calls with 503 from now on; what lives goes on. Carriers' OPTIONS get 503 too.
    pub fn drain(&self) {
        self.refuse_new(true);
    }

    /// As `drain`, or takes new calls again.
    pub fn refuse_new(&self, refuse: bool) {
        self.inner.signalling.admission.refuse_new(refuse);
    }

    /// Drains, waits until control has every event (`Limits::drain_time` at most), then closes all sockets.
    pub async fn shutdown(&self) {
        self.drain();
        let inner = &self.inner;
        inner.signalling.events.finish(inner.options.limits.drain_time).await;
        self.close().await;
    }

    /// Lets another process bind the same addresses from now on.
    pub fn share(&self) -> io::Result<()> {
        self.inner.udp.share()?;
        self.inner.listeners.iter().filter_map(Weak::upgrade).try_for_each(|listener| listener.share())
    }

    /// Closes all sockets; what was heard before is still told to control, by `finish`.
    pub async fn close(&self) {
        let inner = &self.inner;
        inner.stop.cancel();
        inner.tasks.close();
        inner.tasks.wait().await;
        inner.udp.close();
    }

    /// When it is closed: returns when control has every event, or `Limits::drain_time` is over.
    pub async fn finish(&self) {
        self.inner.signalling.events.finish(self.inner.options.limits.drain_time).await;
    }

    /// Control has all of the edge that was bound to the same addresses: from now on this one reports.
    pub fn begin(&self) {
        self.inner.signalling.events.begin();
    }

    pub fn status(&self) -> Status {
        let signalling = &self.inner.signalling;
        Status {
            transactions: signalling.shards.transactions(),
            connections: self.inner.flows.len(),
            waiting_events: signalling.events.waiting(),
            unanswered_invites: signalling.admission.unanswered(),
        }
    }
}

#[async_trait]
impl service::Edge for Edge {
    async fn execute(&self, commands: EdgeCommands) -> Result<EdgeExecuted, service::Error> {
        if self.inner.stop.is_cancelled() {
            let what = format!("edge {}", self.inner.options.node);
            return Err(service::Error::Unavailable { what, why: "it has stopped".into() });
        }
        Ok(self.inner.signalling.execute(commands))
    }
}

fn addresses(udp: &Udp, listeners: &[Arc<Listener>]) -> Vec<(Transport, SocketAddr)> {
    let tcp = listeners.iter().map(|listener| (Transport::Tcp, listener.local));
    udp.addresses().map(|address| (Transport::Udp, address)).chain(tcp).collect()
}
