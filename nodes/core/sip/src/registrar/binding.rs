//! One contact of an address of record.

use serde::{Deserialize, Serialize};

use crate::uri::{NameAddr, Params, Uri};
use crate::{Destination, Source, Transport};

/// Where and for how long somebody can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Without headers: a registered URI must not smuggle a Route into our requests (RFC 4475 section 3.3.14).
    pub contact: Uri,
    /// Route set towards the contact, topmost first (RFC 3327).
    pub path: Vec<String>,
    /// `+sip.instance`, with its angle brackets.
    pub instance: Option<String>,
    pub reg_id: Option<u32>,
    /// Whether requests must use the registration's connection (RFC 5626).
    pub outbound: bool,
    pub source: Source,
    /// Preference in thousandths, 0 to 1000.
    pub q: u16,
    pub user_agent: Option<String>,
    /// `+sip.ice` (RFC 5768): its sound goes by ICE.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ice: bool,
    pub registered_at: u64,
    pub expires_at: u64,
    pub call_id: String,
    pub cseq: u32,
}

impl Binding {
    /// Where a request to this contact goes: along its Path when that begins with the address the REGISTER came from;
    /// by the connection it registered over; without one to the Contact when that names the very host the REGISTER
    /// came from, else back to the source, which is where a NAT listens. Who registered over a WebSocket is reached by
    /// that alone, whatever Path and Contact say (RFC 7118 appendix B.1).
    pub fn destination(&self) -> Destination {
        if self.source.transport.is_websocket() {
            return self.source.destination();
        }
        if let Some(destination) = self.first_hop() {
            return destination;
        }
        let mut destination = self.source.destination();
        let listens = self.source.transport == Transport::Udp
            || self.contact.transport() == Some(self.source.transport);
        if listens && self.is_sender(&self.contact) && !self.outbound {
            destination.address = self.contact.address().unwrap_or(destination.address);
        }
        destination
    }

    /// Whether it is a browser, for which sound is what RFC 8827 makes of it: others that speak SIP over a WebSocket know
    /// nothing of ICE.
    pub fn is_browser(&self) -> bool {
        self.ice && self.source.transport.is_websocket()
    }

    /// The first proxy of the Path, which is the one we had the REGISTER from. Whoever names another would have us
    /// call hosts of its choice, with our tenant's trust.
    fn first_hop(&self) -> Option<Destination> {
        let hop = NameAddr::parse(self.path.first()?).ok()?.uri;
        if !self.is_sender(&hop) {
            return None;
        }
        let transport = hop.transport().unwrap_or(self.source.transport);
        let mut destination = Destination::new(transport, hop.address()?);
        if destination.address == self.source.remote {
            destination.flow.clone_from(&self.source.flow);
        }
        Some(destination)
    }

    fn is_sender(&self, uri: &Uri) -> bool {
        uri.ip().map(|ip| ip.to_canonical()) == Some(self.source.remote.ip().to_canonical())
    }

    /// Whether a registration of this one takes the other's place: the same flow of the same device (RFC 5626
    /// section 6), else the same URI.
    pub(super) fn replaces(&self, known: &Binding) -> bool {
        match (&self.instance, self.reg_id, &known.instance, known.reg_id) {
            (Some(own), Some(id), Some(other), Some(known_id)) => own == other && id == known_id,
            _ => self.contact.equivalent(&known.contact),
        }
    }

    pub(super) fn same_but_for_time(&self, other: &Binding) -> bool {
        let timeless =
            |binding: &Binding| Binding { registered_at: 0, expires_at: 0, cseq: 0, ..binding.clone() };
        timeless(self) == timeless(other)
    }

    /// The Contact value of a response, with the seconds left, rounded up.
    pub(super) fn as_contact(&self, now: u64) -> String {
        let seconds = self.expires_at.saturating_sub(now).div_ceil(1000);
        let mut params = Params::default();
        if self.q < 1000 {
            params.set("q", Some(format!("0.{:03}", self.q)));
        }
        params.set("expires", Some(seconds.to_string()));
        if let Some(instance) = &self.instance {
            params.set("+sip.instance", Some(format!("\"{instance}\"")));
        }
        if let Some(reg_id) = self.reg_id {
            params.set("reg-id", Some(reg_id.to_string()));
        }
        format!("<{}>{params}", self.contact)
    }
}
