//! Everything around the state: a clock, an edge `e1`, a media node `m1`, far ends. Every command goes through
//! [`World::command`], which keeps the log and checks all invariants. What phones and media node do by themselves
//! (180, ACK, 200 to BYE, Ready) waits in `pending` until [`World::run`] or a random test delivers it.

use std::collections::BTreeMap;

use mangrove_proto::{
    edge::{self, edge_command::Op, edge_event},
    id::{CallId, EmployeeId, TenantId},
    live::Cdr,
    media::{self, endpoint::Hears, media_event::Fact},
};
use mangrove_sip::{Message, Transport};

use super::{
    acme,
    far_end::{FarEnd, sdp},
};
use crate::{
    Action, AgentWish, Author, Command, Effects, Fence, NodeInfo, ObjectRef, Record, Reply, Sender, Stamp,
    State, Tenant, apply, call::Call, config::TenantConfig, invariant,
};

/// Something that a phone or the media node will do by itself.
#[derive(Debug, Clone)]
pub(crate) enum Pending {
    Media(CallId, Fact),
    /// Bytes from the far end with this number.
    Sip(usize, Vec<u8>),
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) log: Vec<(Command, Stamp)>,
    pub(crate) now: u64,
    pub(crate) ends: Vec<FarEnd>,
    pub(crate) pending: Vec<Pending>,
    /// Whether violations end the test at once.
    pub(crate) strict: bool,
    sequence: u64,
    ports: BTreeMap<String, u16>,
    /// The last session asked for, by call.
    pub(crate) sessions: BTreeMap<CallId, media::SetSession>,
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
            ends: Vec::new(),
            pending: Vec::new(),
            strict: true,
            sequence: 0,
            ports: BTreeMap::new(),
            sessions: BTreeMap::new(),
            last: Effects::default(),
        };
        let contacts = vec![(Transport::Udp, "10.0.0.1:5060".to_owned())];
        world
            .command(Command::NodeAnnounced { node: NodeInfo { name: "e1".into(), contacts, media: false } });
        world.command(Command::NodeAnnounced {
            node: NodeInfo { name: "m1".into(), contacts: vec![], media: true },
        });
        world.configure(config);
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
        self.command(Command::ConfigureTenant { config: config.into(), epoch: 1, author, changes: vec![] });
    }

    pub(crate) fn stamp(&self) -> Stamp {
        let index = self.log.len() as u64 + 1;
        let seed = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let fence = Fence { incarnation: 1, term: 1 };
        Stamp { now: self.now, wall: 1_795_000_000_000 + self.now, seed, index, ordinal: 0, fence }
    }

    /// Applies one command, checks everything, and lets the outside see the effects.
    pub(crate) fn command(&mut self, command: Command) -> Reply {
        let stamp = self.stamp();
        self.log.push((command.clone(), stamp));
        let effects = apply(&mut self.state, command, stamp);
        if self.strict {
            assert!(!matches!(effects.reply, Reply::Dropped { .. }), "{:?}", effects.reply);
            assert_eq!(invariant::check(&self.state), [], "after {:?}", self.log.last());
        }
        let reply = effects.reply.clone();
        self.last = effects.clone();
        for effect in effects.actions {
            match effect.action {
                Action::Edge { command, .. } => self.to_edge(command),
                Action::Media { command, .. } => self.to_media(command),
            }
        }
        reply
    }

    fn to_media(&mut self, command: media::MediaCommand) {
        let set = command.set.expect("a session");
        let call: CallId = set.session.parse().expect("a call's session");
        let before = self.sessions.insert(call, set.clone());
        if before.as_ref().is_some_and(|before| before.version == set.version) {
            return;
        }
        self.closed(call, before.unwrap_or_default(), &set);
        if set.close {
            return;
        }
        let mut addresses = Vec::new();
        for endpoint in &set.endpoints {
            let next = 20_000 + 2 * self.ports.len() as u16;
            let port = *self.ports.entry(endpoint.id.clone()).or_insert(next);
            addresses.push(media::EndpointAddress {
                endpoint: endpoint.id.clone(),
                address: format!("10.0.0.2:{port}"),
            });
        }
        self.pending
            .push(Pending::Media(call, Fact::Ready(media::Ready { version: set.version, addresses })));
    }

    /// What the media node tells of endpoints and recordings that are gone.
    fn closed(&mut self, call: CallId, before: media::SetSession, now: &media::SetSession) {
        for endpoint in before.endpoints {
            if !now.endpoints.iter().any(|kept| kept.id == endpoint.id) {
                let counters =
                    media::Counters { endpoint: endpoint.id, packets_received: 7, ..Default::default() };
                self.pending.push(Pending::Media(call, Fact::Counters(counters)));
            }
        }
        if let Some(recording) = before.recording.filter(|_| now.recording.is_none()) {
            let (recording, object) = (recording.id, recording.object);
            let finished =
                media::RecordingFinished { recording, object, duration_ms: 1, ..Default::default() };
            self.pending.push(Pending::Media(call, Fact::RecordingFinished(finished)));
        }
    }

    fn to_edge(&mut self, command: edge::EdgeCommand) {
        let (bytes, branch) = match command.op.expect("an operation") {
            Op::Request(request) => (request.message, request.branch),
            Op::Response(response) => (response.message, String::new()),
        };
        let mut message = Message::parse(&bytes).expect("what we send can be read");
        if message.is_request() {
            // The edge's part.
            message.push_front("Via", format!("SIP/2.0/UDP 10.0.0.1:5060;branch={branch}"));
        }
        let call_id = message.call_id().unwrap_or_default().to_owned();
        let known = self.ends.iter().position(|end| end.call_id == call_id);
        let Some(index) = known else {
            if message.is_request() && message.method().as_str() == "INVITE" {
                self.ring(message, &command.leg, &branch);
            }
            return;
        };
        if self.ends[index].leg.is_empty() {
            self.ends[index].leg.clone_from(&command.leg);
        }
        assert!(message.is_response() || branch.contains(&command.leg), "branch {branch} names its leg");
        self.ends[index].hear(message.clone());
        self.react(index, &message);
    }

    fn ring(&mut self, invite: Message, leg: &str, branch: &str) {
        let user = invite.request_uri().ok().and_then(|uri| uri.user).unwrap_or_default();
        let end = FarEnd::called(invite, (leg, branch), &phone_address(&user), self.ends.len() as u32);
        self.ends.push(end);
        let index = self.ends.len() - 1;
        let invite = self.ends[index].invite.clone();
        let ringing = self.ends[index].reply(&invite, 180, "");
        self.pending.push(Pending::Sip(index, ringing));
    }

    /// What a phone does without being asked.
    fn react(&mut self, index: usize, message: &Message) {
        let method = message.method();
        let end = &mut self.ends[index];
        let answer = match (message.status(), method.as_str()) {
            (None, "CANCEL") if end.answered.is_none() => {
                end.answered = Some(487);
                let (done, gone) = (end.reply(message, 200, ""), end.reply(&end.invite.clone(), 487, ""));
                self.pending.push(Pending::Sip(index, done));
                gone
            }
            (None, "BYE" | "NOTIFY" | "CANCEL" | "UPDATE") => end.reply(message, 200, ""),
            (None, "INVITE") if end.answered.is_some() || end.calls => {
                end.reply(message, 200, &sdp(4100, "sendrecv", 9))
            }
            (Some(200), "INVITE") if end.calls => end.ack(),
            _ => return,
        };
        self.pending.push(Pending::Sip(index, answer));
    }

    /// Delivers everything that is pending, and what follows from it.
    pub(crate) fn run(&mut self) {
        while !self.pending.is_empty() {
            let next = self.pending.remove(0);
            self.deliver(next);
        }
    }

    pub(crate) fn deliver(&mut self, pending: Pending) -> Reply {
        match pending {
            Pending::Media(call, fact) => self.media(call, fact),
            Pending::Sip(index, bytes) => self.sip(index, bytes),
        }
    }

    pub(crate) fn media(&mut self, call: CallId, fact: Fact) -> Reply {
        self.sequence += 1;
        let event = media::MediaEvent {
            sequence: self.sequence,
            tenant: "acme".into(),
            session: call.to_string(),
            fact: Some(fact),
        };
        let node = self.tenant().call(call).map_or("m1", |call| &call.media.node).to_owned();
        self.command(Command::MediaReported { sender: Sender { node, run: 1 }, event })
    }

    pub(crate) fn edge(&mut self, leg: &str, fact: edge_event::Fact) -> Reply {
        self.sequence += 1;
        let event = edge::EdgeEvent {
            sequence: self.sequence,
            tenant: "acme".into(),
            leg: leg.into(),
            fact: Some(fact),
        };
        self.command(Command::EdgeReported { sender: Sender { node: "e1".into(), run: 1 }, event })
    }

    fn received(
        &mut self,
        leg: &str,
        bytes: Vec<u8>,
        address: &str,
        ingress: Option<edge::Ingress>,
    ) -> Reply {
        let received = edge::Received {
            message: bytes.into(),
            source: Some(source(address)),
            ingress,
            received_at_unix_ms: 0,
        };
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

    /// An employee's phone calls `to`.
    pub(crate) fn call_from(&mut self, extension: &str, to: &str) -> usize {
        self.begin(extension, to, device(extension), &phone_address(extension))
    }

    pub(crate) fn register(&mut self, extension: &str) {
        let address = phone_address(extension);
        let serial = self.log.len();
        let text = format!(
            "REGISTER sip:acme.example SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bKr{serial}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{extension}@acme.example>;tag=r{serial}\r\n\
             To: <sip:{extension}@acme.example>\r\nCall-ID: reg-{extension}\r\nCSeq: {} REGISTER\r\n\
             Contact: <sip:{extension}@{address}>;expires=3600\r\nContent-Length: 0\r\n\r\n",
            serial + 1
        );
        self.received("", text.into_bytes(), &address, Some(device(extension)));
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

    pub(crate) fn next_timer(&self) -> Option<(u64, ObjectRef)> {
        self.state.objects().filter_map(|object| Some((self.state.due(&object)?, object))).min()
    }

    pub(crate) fn tenant(&self) -> &Tenant {
        self.state.tenant(&tenant_id()).expect("acme is there")
    }

    /// The call of a far end.
    pub(crate) fn call(&self, index: usize) -> &Call {
        self.try_call(index).expect("the call is kept")
    }

    pub(crate) fn try_call(&self, index: usize) -> Option<&Call> {
        let leg = self.ends[index].leg.parse().ok()?;
        self.tenant().calls().find(|call| call.party(leg).is_some())
    }

    pub(crate) fn stage(&self, index: usize) -> &'static str {
        self.call(index).stage.name()
    }

    /// The stage, unless the call is over or forgotten.
    pub(crate) fn stage_or_gone(&self, index: usize) -> Option<&'static str> {
        self.try_call(index).filter(|call| !call.is_over()).map(|call| call.stage.name())
    }

    pub(crate) fn agent(&self, id: &str) -> &crate::agent::Agent {
        self.tenant().agent(&EmployeeId::from(id)).expect("an employee")
    }

    pub(crate) fn wish(&mut self, id: &str, wish: AgentWish) {
        let author = Author::default();
        self.command(Command::CommandAgent { tenant: tenant_id(), employee: id.into(), wish, author });
    }

    /// The phone of `extension` that rings now.
    pub(crate) fn ringing(&self, extension: &str) -> Option<usize> {
        let rings = |end: &FarEnd| !end.calls && end.user == extension && end.answered.is_none();
        self.ends.iter().rposition(rings)
    }

    /// The phone of `extension` picks up.
    pub(crate) fn pick_up(&mut self, extension: &str) -> usize {
        let index = self.ringing(extension).unwrap_or_else(|| panic!("{extension} does not ring"));
        self.final_answer(index, 200);
        self.run();
        index
    }

    /// A called phone's final response.
    pub(crate) fn final_answer(&mut self, index: usize, status: u16) {
        self.ends[index].answered = Some(status);
        let body = if status == 200 { sdp(4200, "sendrecv", 1) } else { String::new() };
        let bytes = self.ends[index].reply(&self.ends[index].invite, status, &body);
        self.sip(index, bytes);
    }

    /// A far end sends a request of its dialog.
    pub(crate) fn request(&mut self, index: usize, method: &str, extra: &str, body: &str) {
        let bytes = self.ends[index].request(method, extra, body);
        self.sip(index, bytes);
        self.run();
    }

    pub(crate) fn hang_up(&mut self, index: usize) {
        self.request(index, "BYE", "", "");
    }

    pub(crate) fn cancel(&mut self, index: usize) {
        let bytes = self.ends[index].cancel();
        self.outside(index, bytes);
        self.run();
    }

    /// The prompt that a caller hears comes to its end.
    pub(crate) fn finish_prompt(&mut self, index: usize) {
        let call = self.call(index).id;
        let play = self.plays(index).expect("a play");
        let finished = media::PlayFinished { endpoint: self.ends[index].leg.clone(), play: play.id };
        self.media(call, Fact::PlayFinished(finished));
        self.run();
    }

    /// What a far end is played.
    pub(crate) fn plays(&self, index: usize) -> Option<media::Play> {
        match self.hears(index)? {
            Hears::Play(play) => Some(play),
            Hears::Peer(_) => None,
        }
    }

    pub(crate) fn hears(&self, index: usize) -> Option<Hears> {
        let session = self.sessions.get(&self.call(index).id)?;
        session.endpoints.iter().find(|endpoint| endpoint.id == self.ends[index].leg)?.hears.clone()
    }

    /// Whether two far ends hear each other.
    pub(crate) fn are_joined(&self, one: usize, other: usize) -> bool {
        let hears = |a: usize, b: usize| match self.hears(a) {
            Some(Hears::Peer(peer)) => peer.endpoint == self.ends[b].leg,
            _ => false,
        };
        hears(one, other) && hears(other, one)
    }

    pub(crate) fn records(&self) -> Vec<Cdr> {
        let records = self.state.outbox().filter_map(|(_, record)| match record {
            Record::Cdr(cdr) => Some(cdr.clone()),
            Record::Audit(_) => None,
        });
        records.collect()
    }

    /// The only record there is.
    pub(crate) fn record(&self) -> Cdr {
        let records = self.records();
        assert_eq!(records.len(), 1, "one record: {records:#?}");
        records[0].clone()
    }

    /// A caller who has heard the greeting and waits in the queue, or is being offered.
    pub(crate) fn queued(&mut self) -> usize {
        let caller = self.call_in(acme::NUMBER);
        self.run();
        self.finish_prompt(caller);
        caller
    }

    /// A caller who talks with the agent at `extension`.
    pub(crate) fn talking(&mut self, extension: &str) -> (usize, usize) {
        let caller = self.queued();
        let agent = self.pick_up(extension);
        (caller, agent)
    }
}
