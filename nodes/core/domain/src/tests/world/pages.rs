//! Phones in pages, which came with a ticket.

use mangrove_proto::edge::{self, edge_command::Op};
use mangrove_sip::Message;

use super::{World, deeds::websocket, phone_address};
use crate::{Action, tests::far_end::FarEnd};

/// What an edge says of a page that showed it a ticket.
pub(crate) fn ticket(employee: &str, epoch: u64) -> edge::Ingress {
    let page = edge::Page { employee: employee.into(), epoch };
    edge::Ingress { from: Some(edge::ingress::From::Page(page)) }
}

impl World {
    /// A page registers as this extension; the status of the answer.
    pub(crate) fn page_registers(&mut self, ticket: edge::Ingress, extension: &str) -> Option<u16> {
        let serial = self.log.len();
        let text = format!(
            "REGISTER sip:acme.example SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=z9hG4bKp{serial}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{extension}@acme.example>;tag=p{serial}\r\n\
             To: <sip:{extension}@acme.example>\r\nCall-ID: page\r\nCSeq: {serial} REGISTER\r\n\
             Contact: <sip:{extension}@df7jal23ls0d.invalid;transport=ws>;expires=600\r\n\r\n"
        );
        self.received_from("", text.into_bytes(), websocket("flow-1"), Some(ticket));
        self.last_status()
    }

    /// A page calls as this extension.
    pub(crate) fn page_calls(&mut self, ticket: edge::Ingress, extension: &str, to: &str) -> usize {
        let (index, address) = (self.ends.len(), phone_address(extension));
        let caller = FarEnd::caller(extension, to, ticket.clone(), &address, index as u32);
        let invite = caller.invite.to_bytes();
        self.ends.push(caller);
        self.received_from("", invite, websocket("flow-1"), Some(ticket));
        index
    }

    /// What was answered last.
    pub(crate) fn last_status(&self) -> Option<u16> {
        let mut answers = self.last.actions.iter().filter_map(|effect| match &effect.action {
            Action::Edge { command, .. } => match command.op.as_ref()? {
                Op::Response(response) => Message::parse(&response.message).ok()?.status(),
                Op::Request(_) => None,
            },
            Action::Media { .. } => None,
        });
        answers.next_back()
    }
}
