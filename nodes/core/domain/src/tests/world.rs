//! Everything around the state: a clock, an edge `e1`, a media node `m1`, far ends. Every command goes through
//! [`World::command`], which keeps the log and checks all invariants. What phones and media node do by themselves
//! (180, ACK, 200 to BYE, Ready) waits in `pending` until [`World::run`] or a random test delivers it.

mod deeds;
mod groups;
mod look;
mod outside;
mod pages;

use std::collections::BTreeMap;

use mangrove_proto::{
    edge::{self, edge_event},
    id::{CallId, TenantId},
    media::{self, media_event::Fact},
};
use mangrove_sip::{Message, Transport};

pub(crate) use pages::ticket;

use super::{acme, far_end::FarEnd};
use crate::{
    Action, Author, Command, Effects, Fence, NodeInfo, Reply, Sender, Stamp, State, apply,
    config::TenantConfig, invariant, rules::NEWEST,
};

/// Something that a phone or the media node will do by itself.
#[derive(Debug, Clone)]
pub(crate) enum Pending {
    /// By the media node of this name.
    Media(String, CallId, Fact),
    /// Bytes from the far end with this number.
    Sip(usize, Vec<u8>),
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) log: Vec<(Command, Stamp)>,
    pub(crate) now: u64,
    /// What the wall clock shows more than the group's own.
    pub(crate) wall: u64,
    /// The shard group that this state is of.
    pub(crate) group: u32,
    /// The group that acme has moved from last.
    pub(crate) behind: Option<groups::Behind>,
    /// Whether reports go there, as from those who have not heard of the move.
    pub(crate) late: bool,
    pub(crate) ends: Vec<FarEnd>,
    pub(crate) pending: Vec<Pending>,
    /// Whether violations end the test at once.
    pub(crate) strict: bool,
    ports: BTreeMap<String, u16>,
    /// The last session asked for, by call: of the node that it is at, or is about to be.
    pub(crate) sessions: BTreeMap<CallId, media::SetSession>,
    /// The same of every node.
    pub(crate) held: BTreeMap<(String, CallId), media::SetSession>,
    pub(crate) last: Effects,
}

pub(crate) fn tenant_id() -> TenantId {
    "acme".into()
}

fn source(address: &str) -> edge::Source {
    edge::Source {
        transport: edge::Transport::Udp.into(),
        remote: address.into(),
        local: "10.0.0.1:5060".into(),
        flow: String::new(),
    }
}

pub(crate) fn device(user: &str) -> edge::Ingress {
    edge::Ingress { from: Some(edge::ingress::From::Device(user.into())) }
}

/// An edge and a media node.
pub(crate) fn nodes() -> [NodeInfo; 2] {
    let contacts = [Transport::Udp, Transport::Tcp].map(|transport| (transport, "10.0.0.1:5060".to_owned()));
    [
        NodeInfo { name: "e1".into(), contacts: contacts.to_vec(), media: false },
        NodeInfo { name: "m1".into(), contacts: vec![], media: true },
    ]
}

fn carrier() -> edge::Ingress {
    edge::Ingress { from: Some(edge::ingress::From::Trunk("carrier".into())) }
}

const CARRIER: &str = "127.0.0.1:5080";

/// The address of an extension's phone.
fn phone_address(extension: &str) -> String {
    format!("10.0.1.{}:5060", extension.parse::<u32>().unwrap_or(1) % 250)
}

impl World {
    /// Acme, with nodes there and nobody registered.
    pub(crate) fn of(config: TenantConfig) -> Self {
        let mut world = Self {
            state: State::default(),
            log: Vec::new(),
            now: 1_000_000,
            wall: 1_795_000_000_000,
            group: 1,
            behind: None,
            late: false,
            ends: Vec::new(),
            pending: Vec::new(),
            strict: true,
            ports: BTreeMap::new(),
            sessions: BTreeMap::new(),
            held: BTreeMap::new(),
            last: Effects::default(),
        };
        for node in nodes() {
            world.command(Command::NodeAnnounced { node });
        }
        world.configure(config);
        world
    }

    /// As [`World::acme`], under the newest rules.
    pub(crate) fn raised() -> Self {
        let mut world = Self::acme();
        world.command(Command::RaiseRules { to: NEWEST });
        world
    }

    /// Acme with the phones of 101, 102 and 190 registered.
    pub(crate) fn acme() -> Self {
        let mut world = Self::of(acme::config());
        for extension in ["101", "102", "190"] {
            world.register(extension);
        }
        world
    }

    pub(crate) fn configure(&mut self, config: TenantConfig) {
        let author = Author::default();
        let epoch = self.state.tenant(&tenant_id()).map_or(1, crate::Tenant::epoch);
        self.command(Command::ConfigureTenant { config: config.into(), epoch, author, changes: vec![] });
    }

    pub(crate) fn stamp(&self) -> Stamp {
        let index = self.log.len() as u64 + 1;
        let seed = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let fence = Fence { incarnation: 1, term: 1 };
        Stamp { now: self.now, wall: self.wall + self.now, seed, index, ordinal: 0, fence }
    }

    /// Applies one command, checks everything, and lets the outside see the effects.
    pub(crate) fn command(&mut self, command: Command) -> Reply {
        let stamp = self.stamp();
        self.log.push((command.clone(), stamp));
        let served = if self.strict { self.served() } else { Vec::new() };
        let effects = apply(&mut self.state, command, stamp);
        if self.strict {
            self.wrap_up_follows(&served);
            assert!(!matches!(effects.reply, Reply::Dropped { .. }), "{:?}", effects.reply);
            assert_eq!(invariant::check(&self.state), [], "after {:?}", self.log.last());
        }
        let reply = effects.reply.clone();
        self.last = effects.clone();
        for effect in effects.actions {
            match effect.action {
                Action::Edge { command, .. } => self.edge_hears(command),
                Action::Media { node, command } => self.media_hears(node, command),
            }
        }
        reply
    }

    /// Delivers everything that is pending, and what follows from it.
    pub(crate) fn run(&mut self) {
        while !self.pending.is_empty() {
            let next = self.pending.remove(0);
            self.deliver(next);
        }
    }

    /// Delivers what is pending first.
    pub(crate) fn deliver_next(&mut self) {
        if !self.pending.is_empty() {
            let next = self.pending.remove(0);
            self.deliver(next);
        }
    }

    pub(crate) fn deliver(&mut self, pending: Pending) -> Reply {
        match pending {
            Pending::Media(node, call, fact) => self.media_at(node, call, fact),
            Pending::Sip(index, bytes) => self.sip(index, bytes),
        }
    }

    pub(crate) fn media(&mut self, call: CallId, fact: Fact) -> Reply {
        let node = self.tenant().call(call).map_or("m1", |call| &call.media.node).to_owned();
        self.media_at(node, call, fact)
    }

    /// A media node reports of a call that it has, or had.
    pub(crate) fn media_at(&mut self, node: String, call: CallId, fact: Fact) -> Reply {
        let (tenant, session) = (tenant_id().to_string(), call.to_string());
        self.report(&format!("media/{node}"), |sequence| {
            let event = media::MediaEvent { sequence, tenant, session, fact: Some(fact) };
            Command::MediaReported { sender: Sender { node, run: 1 }, event }
        })
    }

    pub(crate) fn edge(&mut self, leg: &str, fact: edge_event::Fact) -> Reply {
        let (tenant, leg) = (tenant_id().to_string(), leg.to_owned());
        self.report("edge/e1", |sequence| {
            let event = edge::EdgeEvent { sequence, tenant, leg, fact: Some(fact) };
            Command::EdgeReported { sender: Sender { node: "e1".into(), run: 1 }, event }
        })
    }

    fn received(
        &mut self,
        leg: &str,
        bytes: Vec<u8>,
        address: &str,
        ingress: Option<edge::Ingress>,
    ) -> Reply {
        self.received_from(leg, bytes, source(address), ingress)
    }

    fn received_from(
        &mut self,
        leg: &str,
        bytes: Vec<u8>,
        source: edge::Source,
        ingress: Option<edge::Ingress>,
    ) -> Reply {
        let (message, source) = (bytes.into(), Some(source));
        let received = edge::Received { message, source, ingress, received_at_unix_ms: 0 };
        self.edge(leg, edge_event::Fact::Received(received))
    }

    /// Bytes from a far end, inside its dialog.
    pub(crate) fn sip(&mut self, index: usize, bytes: Vec<u8>) -> Reply {
        let (leg, address) = (self.ends[index].leg.clone(), self.ends[index].address.clone());
        self.received(&leg, bytes, &address, None)
    }

    /// The INVITE of a calling far end, or its CANCEL: outside of any dialog.
    pub(crate) fn outside(&mut self, index: usize, bytes: Vec<u8>) -> Reply {
        let (address, ingress) = (self.ends[index].address.clone(), self.ends[index].ingress.clone());
        self.received("", bytes, &address, ingress)
    }

    fn begin(&mut self, user: &str, to: &str, ingress: edge::Ingress, address: &str) -> usize {
        let index = self.ends.len();
        self.ends.push(FarEnd::caller(user, to, ingress, address, index as u32));
        self.outside(index, self.ends[index].invite.to_bytes());
        index
    }

    /// The carrier calls `to`.
    pub(crate) fn call_in(&mut self, to: &str) -> usize {
        self.begin("79161112233", to, carrier(), CARRIER)
    }

    /// The carrier calls with an INVITE of its own making: `this` in it is `that`.
    pub(crate) fn call_in_with(&mut self, to: &str, this: &str, that: &str) -> usize {
        let index = self.ends.len();
        let mut caller = FarEnd::caller("79161112233", to, carrier(), CARRIER, index as u32);
        let text = String::from_utf8(caller.invite.to_bytes()).expect("text").replace(this, that);
        caller.invite = Message::parse(text.as_bytes()).expect("an INVITE that can be read");
        self.ends.push(caller);
        self.outside(index, text.into_bytes());
        index
    }

    /// The carrier calls `to`, with a description of its own.
    pub(crate) fn call_in_offering(&mut self, to: &str, body: &str) -> usize {
        self.begin_offering("79161112233", to, (carrier(), CARRIER), body)
    }

    /// An employee's phone calls `to`, with a description of its own.
    pub(crate) fn call_offering(&mut self, extension: &str, to: &str, body: &str) -> usize {
        self.begin_offering(extension, to, (device(extension), &phone_address(extension)), body)
    }

    fn begin_offering(
        &mut self,
        user: &str,
        to: &str,
        (ingress, address): (edge::Ingress, &str),
        body: &str,
    ) -> usize {
        let index = self.ends.len();
        self.ends.push(FarEnd::caller(user, to, ingress, address, index as u32).offering(body));
        self.outside(index, self.ends[index].invite.to_bytes());
        index
    }

    /// An employee's phone that speaks an extension of SIP calls `to`.
    pub(crate) fn call_supporting(&mut self, extension: &str, to: &str, supported: &str) -> usize {
        let (index, address) = (self.ends.len(), phone_address(extension));
        let mut caller = FarEnd::caller(extension, to, device(extension), &address, index as u32);
        caller.invite.push("Supported", supported);
        let invite = caller.invite.to_bytes();
        self.ends.push(caller);
        self.outside(index, invite);
        index
    }

    /// A phone of an employee's asks to take the place of the dialog of these names.
    pub(crate) fn call_replacing(&mut self, extension: &str, names: &str) -> usize {
        let (index, address) = (self.ends.len(), phone_address(extension));
        let mut caller = FarEnd::caller(extension, extension, device(extension), &address, index as u32);
        caller.invite.push("Replaces", names);
        let invite = caller.invite.to_bytes();
        self.ends.push(caller);
        self.outside(index, invite);
        index
    }

    /// An employee's phone calls `to`.
    pub(crate) fn call_from(&mut self, extension: &str, to: &str) -> usize {
        self.begin(extension, to, device(extension), &phone_address(extension))
    }

    pub(crate) fn register(&mut self, extension: &str) {
        self.register_at(extension, &phone_address(extension), "");
    }

    /// A phone at another address, or over a connection of its own.
    pub(crate) fn register_at(&mut self, extension: &str, address: &str, flow: &str) {
        let contact = format!("Contact: <sip:{extension}@{address}>;expires=3600\r\n");
        self.register_as(extension, &format!("{extension}@acme.example"), &contact, address, flow);
    }

    /// All phones of `extension` leave.
    pub(crate) fn unregister(&mut self, extension: &str) {
        let (to, address) = (format!("{extension}@acme.example"), phone_address(extension));
        self.register_as(extension, &to, "Contact: *\r\nExpires: 0\r\n", &address, "");
    }

    /// A REGISTER by the device `user` for the address `to`.
    pub(crate) fn register_as(&mut self, user: &str, to: &str, contact: &str, address: &str, flow: &str) {
        let serial = self.log.len();
        let text = format!(
            "REGISTER sip:acme.example SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bKr{serial}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@acme.example>;tag=r{serial}\r\n\
             To: <sip:{to}>\r\nCall-ID: reg-{address}\r\nCSeq: {} REGISTER\r\n\
             {contact}Content-Length: 0\r\n\r\n",
            serial + 1
        );
        let mut from = source(address);
        if !flow.is_empty() {
            from.transport = edge::Transport::Tcp.into();
            from.flow = flow.into();
        }
        let (message, source, ingress) = (text.into_bytes().into(), Some(from), Some(device(user)));
        let received = edge::Received { message, source, ingress, received_at_unix_ms: 0 };
        self.edge("", edge_event::Fact::Received(received));
    }

    /// Lets time pass; every timer fires at its own instant, in order.
    pub(crate) fn pass(&mut self, ms: u64) {
        let until = self.now + ms;
        while let Some((due, object)) = self.next_timer().filter(|(due, _)| *due <= until) {
            self.now = self.now.max(due);
            self.command(Command::TimerDue { object });
            self.run();
        }
        self.now = until;
    }
}
