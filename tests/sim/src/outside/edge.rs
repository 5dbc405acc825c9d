//! A simulated edge: the product's fences, the promise of its event queue, and phones at the other end of its sockets.

use std::collections::BTreeMap;

use mangrove_domain::NodeInfo;
use mangrove_edge::Fences;
use mangrove_proto::{
    common::{Fence, Sender},
    edge::{
        EdgeCommand, EdgeCommands, EdgeEvent, EdgeEvents, EdgeExecuted, Ingress, Received, Source, Transport,
        edge_command::Op, edge_event::Fact,
    },
};
use mangrove_sip::Message;

use super::Outside;
use super::outgoing::{self, Outgoing};
use crate::company::TENANT;
use crate::plant::Plant;
use crate::post::Ask;
use crate::time;

/// The company's shard group.
const GROUP: u64 = 1;

/// One edge: the process that runs, and whether one does.
#[derive(Debug)]
pub(crate) struct Edge {
    name: String,
    pub(crate) up: bool,
    /// When the process began: what was sent to an earlier one does not reach it.
    pub(crate) began: u64,
    fences: Fences,
    /// The highest right under which something was carried out, told apart from the product's own bookkeeping.
    carried_out: BTreeMap<String, (u64, u64, u64)>,
    pub(crate) refused: u64,
    pub(crate) events: Outgoing<EdgeEvent>,
}

fn contact(edge: usize) -> String {
    format!("10.0.1.{}:5060", edge + 1)
}

/// As control nodes know it.
pub(crate) fn info(edge: usize) -> NodeInfo {
    let contacts = vec![(mangrove_sip::Transport::Udp, contact(edge))];
    NodeInfo { name: format!("e{edge}"), contacts, media: false }
}

impl Edge {
    pub(crate) fn new(edge: usize) -> Self {
        Self {
            name: info(edge).name,
            up: true,
            began: 0,
            fences: Fences::default(),
            carried_out: BTreeMap::new(),
            refused: 0,
            events: Outgoing::of(1),
        }
    }

    /// The next process, which knows nothing of the last.
    pub(crate) fn again(&mut self, edge: usize) {
        let (run, refused) = (self.events.run + 1, self.refused);
        *self = Self { began: time::now(), events: Outgoing::of(run), refused, ..Self::new(edge) };
    }

    /// I5: what is carried out is never of an older leader than what was carried out before.
    fn carries_out(&mut self, tenant: &str, fence: Option<&Fence>) -> Result<(), String> {
        let right = fence.map_or((0, 0, 0), |fence| (fence.incarnation, fence.tenant_epoch, fence.term));
        let highest = self.carried_out.entry(tenant.to_owned()).or_insert(right);
        if right < *highest {
            return Err(format!(
                "I5: {} carries out a command of term {} after one of {}",
                self.name, right.2, highest.2
            ));
        }
        *highest = right;
        Ok(())
    }
}

/// Carries out what is not late.
pub(crate) fn execute(outside: &mut Outside, edge: usize, commands: EdgeCommands) -> EdgeExecuted {
    let mut refused = Vec::new();
    let fenced = outside.plant != Some(Plant::NoFence);
    for command in commands.commands {
        let this = &mut outside.edges[edge];
        let in_time = this.fences.admits(&command.tenant, command.fence.as_ref());
        if fenced && !in_time {
            this.refused += 1;
            refused.push(command.effect);
            outside.chronicle.say(|| format!("e{edge} refuses effect {}", command.effect));
            continue;
        }
        if let Err(broken) = this.carries_out(&command.tenant, command.fence.as_ref()) {
            outside.chronicle.broken(broken);
        }
        carry_out(outside, edge, command);
    }
    EdgeExecuted { refused }
}

fn carry_out(outside: &mut Outside, edge: usize, command: EdgeCommand) {
    let (bytes, branch) = match command.op {
        Some(Op::Request(request)) => (request.message, request.branch),
        Some(Op::Response(response)) => (response.message, String::new()),
        None => return outside.chronicle.broken(format!("effect {} says nothing", command.effect)),
    };
    let Ok(mut message) = Message::parse(&bytes) else {
        return outside.chronicle.broken(format!("effect {} can't be read", command.effect));
    };
    if message.is_request() {
        message.push_front("Via", format!("SIP/2.0/UDP {};branch={branch}", contact(edge)));
    }
    let leg = command.leg;
    outside.chronicle.say(|| format!("e{edge} sends {} of leg {leg}", super::phones::word(&message)));
    outside.after(2, move |outside| super::phones::hear(outside, edge, &leg, &message));
}

/// A datagram came in: control is told.
pub(crate) fn receive(
    outside: &mut Outside,
    edge: usize,
    leg: &str,
    bytes: Vec<u8>,
    from: &str,
    ingress: Option<Ingress>,
) {
    if !outside.edges[edge].up {
        return;
    }
    let source = Source {
        transport: Transport::Udp.into(),
        remote: from.into(),
        local: contact(edge),
        flow: String::new(),
    };
    let received = Received { message: bytes.into(), source: Some(source), ingress, received_at_unix_ms: 0 };
    let (tenant, leg, fact) = (TENANT.to_owned(), leg.to_owned(), Some(Fact::Received(received)));
    outside.edges[edge].events.push(|sequence| EdgeEvent { sequence, tenant, leg, fact });
    let whose = (edge, info(edge).name);
    outgoing::kick(outside, whose, |outside, edge| &mut outside.edges[edge].events, envelope);
}

fn envelope(sender: Sender, events: Vec<EdgeEvent>) -> Ask {
    Ask::Edge(EdgeEvents { sender: Some(sender), group: GROUP, events })
}
