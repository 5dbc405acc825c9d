//! The identifiers, sequence numbers and routes of a dialog (RFC 3261 12), and its requests.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::hop;
use crate::{Destination, Message, Method, NameAddr, Source, Uri};

/// What all dialogs of one INVITE share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Dialog {
    pub(super) call_id: Arc<str>,
    /// Ourselves, without tag.
    pub(super) local: Arc<NameAddr>,
    pub(super) local_tag: Arc<str>,
    /// The far end, without tag.
    pub(super) remote: Arc<NameAddr>,
    /// Our last sequence number.
    pub(super) cseq: u32,
    /// We made the Call-ID: decides who waits longer after a glare (RFC 3261 14.1).
    pub(super) ours: bool,
}

/// One far end: each fork of an INVITE is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Peer {
    pub(super) tag: String,
    /// The remote target: its last Contact.
    pub(super) target: String,
    pub(super) routes: Vec<String>,
    pub(super) destination: Destination,
    /// It is reached where its messages come from, not where its Contact says.
    pub(super) behind_nat: bool,
    /// Its last sequence number.
    pub(super) cseq: Option<u32>,
    /// It allows UPDATE.
    pub(super) updates: bool,
}

impl Dialog {
    pub(super) fn next_cseq(&mut self) -> u32 {
        self.cseq += 1;
        self.cseq
    }

    /// A request within the dialog, up to and including CSeq (RFC 3261 12.2.1.1); a first route without
    /// `lr` is a strict router and becomes the Request-URI.
    pub(super) fn request(&self, method: &Method, cseq: u32, peer: &Peer) -> Message {
        let strict = peer.routes.first().and_then(|route| strict_uri(route));
        let target = strict.as_ref().map_or_else(|| peer.target.clone(), Uri::to_string);
        let mut message = Message::request(method.clone(), target);
        for route in peer.routes.iter().skip(usize::from(strict.is_some())) {
            message.push("Route", route);
        }
        if strict.is_some() {
            message.push("Route", format!("<{}>", peer.target));
        }
        let to = NameAddr::clone(&self.remote).with_tag(&peer.tag);
        self.headers(message, method, cseq, &to)
    }

    /// The headers that every request of the dialog has.
    pub(super) fn headers(&self, message: Message, method: &Method, cseq: u32, to: &NameAddr) -> Message {
        message
            .with("Max-Forwards", 70)
            .with("From", NameAddr::clone(&self.local).with_tag(&self.local_tag))
            .with("To", to)
            .with("Call-ID", &self.call_id)
            .with("CSeq", format!("{cseq} {method}"))
    }
}

fn strict_uri(route: &str) -> Option<Uri> {
    let uri = NameAddr::parse(route).ok()?.uri;
    (!uri.params.has("lr")).then_some(uri)
}

impl Peer {
    /// The far end as its request shows it: routes in the order of Record-Route (RFC 3261 12.1.1).
    pub(super) fn of_request(request: &Message, source: &Source, tag: &str, contact: &Uri) -> Self {
        let routes: Vec<String> = request.headers("Record-Route").map(str::to_owned).collect();
        let behind_nat = hop::request_shows_nat(request, source, contact);
        let destination = hop::next(&routes, contact, source, behind_nat);
        Self {
            tag: tag.to_owned(),
            target: contact.to_string(),
            routes,
            destination,
            behind_nat,
            cseq: request.cseq().ok().map(|(number, _)| number),
            updates: allows_update(request),
        }
    }

    /// The far end as its response shows it: routes in reverse order (RFC 3261 12.1.2). `called` is the
    /// Request-URI, `sent_to` where the INVITE went.
    pub(super) fn of_response(
        response: &Message,
        source: &Source,
        tag: &str,
        called: &Uri,
        sent_to: &Destination,
    ) -> Self {
        let mut routes: Vec<String> = response.headers("Record-Route").map(str::to_owned).collect();
        routes.reverse();
        let contact = response.contact().ok().flatten().map(|contact| contact.uri);
        let target = contact.unwrap_or_else(|| called.clone());
        let behind_nat = hop::response_shows_nat(source, &target, called);
        let destination = if sent_to.flow.is_some() || (behind_nat && routes.is_empty()) {
            sent_to.clone()
        } else {
            hop::next(&routes, &target, source, behind_nat)
        };
        Self {
            tag: tag.to_owned(),
            target: target.to_string(),
            routes,
            destination,
            behind_nat,
            cseq: None,
            updates: allows_update(response),
        }
    }

    /// Takes a new remote target (RFC 3261 12.2.1.2, 12.2.2); routes never change.
    pub(super) fn refresh(&mut self, contact: Option<Uri>, source: &Source) {
        let Some(contact) = contact.filter(|uri| uri.is_sip() || uri.is_sips()) else { return };
        if contact.to_string() == self.target {
            return;
        }
        self.target = contact.to_string();
        if !self.behind_nat {
            self.destination = hop::next(&self.routes, &contact, source, false);
        }
    }

    /// Notes from where a request of the dialog came.
    pub(super) fn seen_at(&mut self, source: &Source) {
        let moves = source.transport.is_reliable() || (self.behind_nat && self.routes.is_empty());
        if let Ok(target) = Uri::parse(&self.target)
            && moves
        {
            self.destination = hop::next(&self.routes, &target, source, self.behind_nat);
        }
    }

    /// Notes what a message says about methods allowed.
    pub(super) fn hears(&mut self, message: &Message) {
        if message.header("Allow").is_some() {
            self.updates = allows_update(message);
        }
    }
}

fn allows_update(message: &Message) -> bool {
    message.has_token("Allow", "UPDATE")
}

/// The Contact of a message, if it has a readable one.
pub(super) fn contact_of(message: &Message) -> Option<Uri> {
    message.contact().ok().flatten().map(|contact| contact.uri)
}
