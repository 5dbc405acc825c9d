//! What is told to control, and to whom it belongs.

use bytes::Bytes;
use mangrove_proto::edge::{
    Failed, FlowClosed, Received,
    edge_event::Fact,
    failed::{
        self,
        Reason::{AckMissing, PrackMissing, TimedOut, TransportFailed},
    },
};
use mangrove_sip::{
    Destination, Message, Method, Source,
    transaction::{Input, Key, Output},
};

use super::{
    Signalling,
    invites::Owner,
    outlet::is_response,
    reply::{self, drop_silently},
    shard::Shard,
};
use crate::{convert, events::Recipient, flows::Flow, leg_address::LegAddress};

/// How long a new request is worth sending: after 64*T1 its sender has given up (RFC 3261 section 17.1.1.2).
pub(super) const NEW_REQUEST: u64 = 32_000;

impl Signalling {
    /// Carries out what the transactions ask for. `owner` is that of the request that was just passed.
    pub(super) fn perform(&self, shard: &Shard, outputs: Vec<Output>, owner: Option<Owner>) {
        for output in outputs {
            match output {
                Output::Transmit { destination, bytes } => self.transmit(destination, bytes),
                Output::Request { key, message, source } => {
                    self.report_request(shard, key, message, &source, owner.clone());
                }
                Output::Ack { key: Some(_), message, source } => {
                    let owner = self.owner_in_dialog(&message);
                    self.report_received(message, &source, owner, None);
                }
                Output::Ack { key: None, message, source } => {
                    let owner = self.owner_in_dialog(&message);
                    self.report_unmatched(message, &source, owner);
                }
                Output::Cancelled { invite, message, source, .. } => {
                    self.cancel(shard, invite, message, &source);
                }
                Output::Response { branch, message, source } => {
                    let owner = self.owner_by_branch(&branch);
                    self.report_received(message, &source, owner, None);
                }
                Output::Stray { branch, message, source } => {
                    let owner = self.owner_by_branch(&branch);
                    self.report_unmatched(message, &source, owner);
                }
                Output::TimedOut { branch, method } => self.report_failed(TimedOut, branch, &method),
                Output::TransportFailed { branch, method } => {
                    self.report_failed(TransportFailed, branch, &method)
                }
                Output::AckMissing { key } => self.report_missing(shard, AckMissing, &key),
                Output::PrackMissing { key } => self.report_missing(shard, PrackMissing, &key),
                Output::SetTimer { .. } => {}
            }
        }
    }

    fn transmit(&self, destination: Destination, bytes: Bytes) {
        let failing = (!is_response(&bytes)).then(|| destination.clone());
        if self.outlet.send(&destination, bytes).is_err() {
            self.not_sent(destination.transport, failing);
        }
    }

    fn report_request(
        &self,
        shard: &Shard,
        key: Key,
        message: Message,
        source: &Source,
        owner: Option<Owner>,
    ) {
        let now = self.clock.now();
        let beginning = owner.as_ref().filter(|owner| owner.leg.is_empty());
        if let Some(owner) = owner.as_ref().filter(|_| message.is(&Method::INVITE))
            && shard.begin(key.clone(), owner.clone(), (&message, source), now)
        {
            self.admission.begun();
        }
        let expires_at = beginning.map(|_| now + NEW_REQUEST);
        if let Some(event) = self.report_received(message, source, owner, expires_at) {
            shard.queued(&key, event);
        }
    }

    /// Answers a CANCEL at once (RFC 3261 section 9.2); what becomes of the INVITE is for its owner to say.
    fn cancel(&self, shard: &Shard, invite: Option<Key>, message: Message, source: &Source) {
        let cancelled = invite.and_then(|key| shard.canceller(&key));
        let (owner, tag) = cancelled.unzip();
        let overfull = owner.as_ref().is_some_and(|owner| self.events.is_overfull(owner.route.group));
        let owner = owner.filter(|_| !overfull);
        let status = if owner.is_some() {
            200
        } else if overfull {
            503
        } else {
            481
        };
        let mut answer = Message::reply_to(&message, status);
        answer.set_to_tag(&tag.flatten().unwrap_or_else(|| reply::tag_for(&message)));
        let destination = message.response_destination(source);
        let now = self.clock.now();
        let outputs = shard.handle(Input::Respond {
            destination,
            bytes: answer.to_bytes().into(),
            message: answer,
            now,
        });
        self.perform(shard, outputs, None);
        if owner.is_some() {
            self.report_received(message, source, owner, None);
        }
    }

    fn owner_by_branch(&self, branch: &str) -> Option<Owner> {
        self.owner_of(LegAddress::of_branch(branch)?)
    }

    /// Gives the event's place among those of its group.
    pub(super) fn report_received(
        &self,
        message: Message,
        source: &Source,
        owner: Option<Owner>,
        expires_at: Option<u64>,
    ) -> Option<u64> {
        let Some(owner) = owner else {
            drop_silently("unroutable");
            return None;
        };
        let known = |token: &str| self.outlet.connections.flows.by_token(token);
        if let Some(flow) = source.flow.as_deref().and_then(known) {
            flow.heard_by(&owner.route.tenant, owner.route.group);
            if owner.ingress.is_some() {
                flow.trust();
            }
        }
        let received = Received {
            message: message.to_bytes().into(),
            source: Some(convert::source(source)),
            ingress: owner.ingress.clone(),
            received_at_unix_ms: self.clock.wall(),
        };
        self.events.push(recipient(owner), Fact::Received(received), expires_at)
    }

    /// ACKs and responses that belong to nothing held here are of transactions that ended, of another edge, or
    /// anybody's invention. They are never answered, so what is too much is dropped: from one sender, or for control.
    fn report_unmatched(&self, message: Message, source: &Source, owner: Option<Owner>) {
        let group = owner.as_ref().map(|owner| owner.route.group);
        if group.is_some() && !self.is_welcome(source) {
            return drop_silently("rate");
        }
        if group.is_some_and(|group| self.events.is_full(group)) {
            return drop_silently("events");
        }
        self.report_received(message, source, owner, None);
    }

    fn report_failed(&self, reason: failed::Reason, branch: String, method: &Method) {
        let owner = self.owner_by_branch(&branch);
        self.report_failure(owner, Failed { reason: reason.into(), branch, method: method.to_string() });
    }

    /// The branch is left empty: it would be the far end's.
    fn report_missing(&self, shard: &Shard, reason: failed::Reason, key: &Key) {
        let method = Method::INVITE.to_string();
        self.report_failure(shard.leg(key), Failed { reason: reason.into(), branch: String::new(), method });
    }

    fn report_failure(&self, owner: Option<Owner>, failed: Failed) {
        match owner {
            Some(owner) => {
                self.events.push(recipient(owner), Fact::Failed(failed), None);
            }
            None => drop_silently("unroutable"),
        }
    }

    /// Everybody who heard of a flow is told of its end.
    pub(super) fn report_closed(&self, flow: &Flow) {
        for (tenant, group) in flow.audience() {
            let recipient = Recipient { group, tenant, leg: String::new() };
            self.events.push(recipient, Fact::FlowClosed(FlowClosed { flow: flow.token.clone() }), None);
        }
    }

    /// A WebSocket of this edge that is not there (any more) is what somebody wants to send over: of a former run, or its
    /// end was told to another leader who never wrote it down. They are told again, and do not try that way once more.
    pub(super) fn report_missing_flow(&self, tenant: &str, destination: &Destination) {
        let flows = &self.outlet.connections.flows;
        let missing = |token: &&String| flows.is_own(token) && flows.by_token(token).is_none();
        let token =
            destination.flow.as_ref().filter(|_| destination.transport.is_websocket()).filter(missing);
        if let (Some(token), Some(route)) = (token, self.routes.tenant(tenant)) {
            let recipient = Recipient { group: route.group, tenant: route.tenant, leg: String::new() };
            self.events.push(recipient, Fact::FlowClosed(FlowClosed { flow: token.clone() }), None);
        }
    }
}

fn recipient(owner: Owner) -> Recipient {
    Recipient { group: owner.route.group, tenant: owner.route.tenant, leg: owner.leg }
}
