//! One step of a leg: collects what goes out and renders what is the same in every message.

use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::{Ctx, Outgoing, Output};
use crate::{Destination, MAGIC, Message, Method, Rendered, Replacing, Transport};

/// What we answer to, in every message that opens or changes a dialog.
pub(super) const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY";
pub(super) const SDP: &str = "application/sdp";

/// Why a request of ours is in the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Purpose {
    Cancel,
    Prack,
    Bye,
    Change,
    Notify,
}

/// A request as it was sent; repeated only byte for byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) purpose: Purpose,
    pub(super) branch: String,
    pub(super) method: Method,
    pub(super) destination: Destination,
    pub(super) message: Rendered,
}

impl Sent {
    pub(super) fn output(&self) -> Output {
        Output::Send(Outgoing::Request {
            branch: self.branch.clone(),
            method: self.method.clone(),
            destination: self.destination.clone(),
            message: self.message.clone(),
        })
    }
}

#[derive(Debug)]
pub(super) struct Turn<'t, 'c> {
    pub(super) ctx: &'t mut Ctx<'c>,
    pub(super) out: Vec<Output>,
}

impl Turn<'_, '_> {
    pub(super) fn now(&self) -> u64 {
        self.ctx.now
    }

    /// The extensions we use within a dialog; 100rel only matters in the INVITE that begins it.
    pub(super) fn supported(&self) -> &'static str {
        if self.ctx.local.replaces == Replacing::Offered { "timer, replaces" } else { "timer" }
    }

    /// A new branch; it names tenant and leg, so that any edge can route the responses.
    pub(super) fn branch(&mut self) -> String {
        format!("{MAGIC}-{}-{}", self.ctx.local.contact_user, self.ctx.seed.token())
    }

    /// Our Contact as the far end reaches us by this transport.
    pub(super) fn contact(&self, transport: Transport) -> String {
        let local = self.ctx.local;
        let parameter = match transport {
            Transport::Udp => String::new(),
            other => format!(";transport={}", other.param_name()),
        };
        format!("<sip:{}@{}{parameter}>", local.contact_user, local.contact_host)
    }

    /// Sends a request under a new branch.
    pub(super) fn send(&mut self, purpose: Purpose, message: &Message, destination: &Destination) -> Sent {
        let branch = self.branch();
        self.send_as(branch, purpose, message, destination)
    }

    /// Sends a request under a given branch.
    pub(super) fn send_as(
        &mut self,
        branch: String,
        purpose: Purpose,
        message: &Message,
        destination: &Destination,
    ) -> Sent {
        let sent = Sent {
            purpose,
            branch,
            method: message.method(),
            destination: destination.clone(),
            message: message.to_bytes().into(),
        };
        self.out.push(sent.output());
        sent
    }

    /// Sends a response and gives its bytes.
    pub(super) fn respond(&mut self, asked: &Asked, mut message: Message) -> Rendered {
        if message.status() != Some(100) {
            message.push("Server", &self.ctx.local.user_agent);
        }
        let message = Rendered::from(message.to_bytes());
        self.repeat(&asked.destination, &message);
        message
    }

    /// Sends the bytes of a response again.
    pub(super) fn repeat(&mut self, destination: &Destination, message: &Rendered) {
        let (destination, message) = (destination.clone(), message.clone());
        self.out.push(Output::Send(Outgoing::Response { destination, message }));
    }

    /// What every response that opens or changes a dialog says of us.
    pub(super) fn described(&self, message: Message, transport: Transport) -> Message {
        let contact = self.contact(transport);
        message.with("Contact", contact).with("Allow", ALLOW).with("Supported", self.supported())
    }
}
