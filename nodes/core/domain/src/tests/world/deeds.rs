//! What people and their phones do on purpose.

use mangrove_proto::{
    edge::{self, FlowClosed, edge_event},
    media::{PlayFinished, Refused, Silent, media_event::Fact},
};

use super::{Pending, World, device, phone_address, tenant_id};
use crate::{
    AgentWish, Ask, Author, Command, NodeInfo, Reply,
    tests::{
        acme,
        far_end::{FarEnd, sdp},
    },
};

pub(super) fn websocket(flow: &str) -> edge::Source {
    edge::Source {
        transport: edge::Transport::Ws.into(),
        remote: "10.0.4.1:40000".into(),
        local: "10.0.0.1:8080".into(),
        flow: flow.into(),
    }
}

impl World {
    pub(crate) fn wish(&mut self, id: &str, wish: AgentWish) {
        assert_eq!(self.ask(id, wish, None), Reply::Done);
    }

    pub(crate) fn ask(&mut self, id: &str, wish: AgentWish, ask: Option<Ask>) -> Reply {
        let (tenant, author) = (tenant_id(), Author::default());
        self.command(Command::CommandAgent { tenant, employee: id.into(), wish, author, ask })
    }

    /// A phone in a browser registers over a WebSocket of the edge's.
    pub(crate) fn register_over_websocket(&mut self, extension: &str, flow: &str) {
        let contact = format!("sip:{extension}@df7jal23ls0d.invalid;transport=ws");
        self.register_page(extension, flow, &contact);
    }

    /// The same under this Contact.
    pub(crate) fn register_page(&mut self, extension: &str, flow: &str, contact: &str) {
        self.register_page_for(extension, flow, contact, 600);
    }

    /// The same for so long; 0: it takes its Contact back.
    pub(crate) fn register_page_for(&mut self, extension: &str, flow: &str, contact: &str, seconds: u32) {
        self.register_contact(extension, flow, &format!("<{contact}>;expires={seconds}"));
    }

    /// A browser registers as such (RFC 5768).
    pub(crate) fn register_browser(&mut self, extension: &str, flow: &str) {
        let uri = format!("sip:{extension}@df7jal23ls0d.invalid;transport=ws");
        self.register_contact(extension, flow, &format!("<{uri}>;+sip.ice;expires=600"));
    }

    fn register_contact(&mut self, extension: &str, flow: &str, contact: &str) {
        let text = format!(
            "REGISTER sip:acme.example SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bK{flow}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{extension}@acme.example>;tag={flow}\r\n\
             To: <sip:{extension}@acme.example>\r\nCall-ID: {flow}\r\nCSeq: 1 REGISTER\r\n\
             Contact: {contact}\r\n\r\n"
        );
        self.received_from("", text.into_bytes(), websocket(flow), Some(device(extension)));
    }

    /// An employee's page calls `to` over a WebSocket, perhaps to take the place of the dialog of these names.
    pub(crate) fn call_over(&mut self, extension: &str, flow: &str, to: &str, names: Option<&str>) -> usize {
        let (index, address) = (self.ends.len(), phone_address(extension));
        let mut caller = FarEnd::caller(extension, to, device(extension), &address, index as u32);
        if let Some(names) = names {
            caller.invite.push("Replaces", names);
        }
        let invite = caller.invite.to_bytes();
        self.ends.push(caller);
        self.received_from("", invite, websocket(flow), Some(device(extension)));
        index
    }

    /// A far end sends a request of its dialog over a WebSocket.
    pub(crate) fn request_over(&mut self, index: usize, flow: &str, method: &str, body: &str) {
        let bytes = self.ends[index].request(method, "", body);
        let leg = self.ends[index].leg.clone();
        self.received_from(&leg, bytes, websocket(flow), None);
        self.run();
    }

    /// The edge tells that a connection is gone.
    pub(crate) fn close(&mut self, flow: &str) {
        self.edge("", edge_event::Fact::FlowClosed(FlowClosed { flow: flow.into() }));
        self.run();
    }

    /// The phone of `extension` picks up.
    pub(crate) fn pick_up(&mut self, extension: &str) -> usize {
        let index = self.ringing(extension).unwrap_or_else(|| panic!("{extension} does not ring"));
        self.final_answer(index, 200);
        self.run();
        index
    }

    /// The phone of `extension` picks up, with a description of its own.
    pub(crate) fn pick_up_saying(&mut self, extension: &str, body: &str) -> usize {
        let index = self.ringing(extension).unwrap_or_else(|| panic!("{extension} does not ring"));
        self.ends[index].answered = Some(200);
        let bytes = self.ends[index].reply(&self.ends[index].invite, 200, body);
        self.sip(index, bytes);
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

    /// A party asks to send the other to `target`; nothing else happens yet.
    pub(crate) fn refer(&mut self, index: usize, target: &str) {
        let to = format!("Refer-To: <sip:{target}@acme.example>\r\n");
        let bytes = self.ends[index].request("REFER", &to, "");
        self.sip(index, bytes);
    }

    /// The media node refuses what was asked for last.
    pub(crate) fn refuse_media(&mut self, index: usize) {
        self.pending.retain(|pending| !matches!(pending, Pending::Media(..)));
        let (call, version) = (self.call(index).id, self.call(index).media.version);
        self.media(call, Fact::Refused(Refused { version, why: "not today".into() }));
    }

    /// The media node has heard nothing of a far end for `since_ms`.
    pub(crate) fn silent(&mut self, index: usize, since_ms: u64) {
        let (call, endpoint) = (self.call(index).id, self.ends[index].leg.clone());
        self.media(call, Fact::Silent(Silent { endpoint, since_ms }));
    }

    /// The prompt ends, and what follows from it waits.
    pub(crate) fn end_prompt(&mut self, index: usize) {
        let call = self.call(index).id;
        let play = self.plays(index).expect("a play");
        let finished = PlayFinished { endpoint: self.ends[index].leg.clone(), play: play.id };
        self.media(call, Fact::PlayFinished(finished));
    }

    /// The prompt that a caller hears comes to its end.
    pub(crate) fn finish_prompt(&mut self, index: usize) {
        self.end_prompt(index);
        self.run();
    }

    /// A media node is there, or is there to stay again.
    pub(crate) fn announce_media(&mut self, name: &str) {
        let node = NodeInfo { name: name.into(), contacts: vec![], media: true };
        self.command(Command::NodeAnnounced { node });
    }

    /// A node is about to go, and its addresses with it.
    pub(crate) fn drain(&mut self, name: &str) -> Reply {
        self.command(Command::NodeDraining { name: name.into() })
    }

    /// A caller who has heard the greeting and waits in the queue, or is being offered.
    pub(crate) fn queued(&mut self) -> usize {
        self.queued_at(acme::NUMBER)
    }

    /// The same for another number of the scheme.
    pub(crate) fn queued_at(&mut self, number: &str) -> usize {
        let caller = self.call_in(number);
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
