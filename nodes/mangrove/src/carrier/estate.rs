//! What an heir must know of a member to carry its addresses, as it stands in the directory.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use mangrove_edge::Transport;
use mangrove_membership::NETWORK;
use serde::{Deserialize, Serialize};

use crate::{
    configuration::{Configuration, Ports, Public, Role},
    neighbours,
};

const KEY: &str = "estate";
/// All loopback addresses are on every node of the machine: they move without anybody's help.
const LOOPBACK: &str = "loopback";

/// A member's addresses, as it is bound to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Estate {
    edge: bool,
    media: bool,
    udp: SocketAddr,
    tcp: SocketAddr,
    sip_public: Option<String>,
    rtp: IpAddr,
    ports: (u16, u16),
    rtp_public: Option<String>,
}

impl Estate {
    /// Of a node that is bound as its configuration says.
    pub(crate) fn of(configuration: &Configuration) -> Self {
        let Configuration { sip, rtp, .. } = configuration;
        let told = |public: &Option<Public>| public.as_ref().and_then(Public::host).map(str::to_owned);
        Self {
            edge: configuration.has(Role::Edge),
            media: configuration.has(Role::Media),
            udp: sip.udp,
            tcp: sip.tcp,
            sip_public: told(&sip.public),
            rtp: rtp.address,
            ports: (*rtp.ports.0.start(), *rtp.ports.0.end()),
            rtp_public: told(&rtp.public),
        }
    }

    /// As the directory has it.
    pub(crate) fn read(addresses: &BTreeMap<String, String>) -> Option<Self> {
        serde_json::from_str(addresses.get(KEY)?).ok()
    }

    /// A member's addresses as others should know them: what far ends are told of its SIP, and this with the network in
    /// which they can move, if they can.
    pub(crate) fn addresses(
        &self,
        configuration: &Configuration,
        contacts: &[(Transport, String)],
    ) -> BTreeMap<String, String> {
        let mut addresses = neighbours::addresses(contacts);
        if let (Some(network), Ok(text)) = (self.network(configuration), serde_json::to_string(self)) {
            addresses.insert(KEY.to_owned(), text);
            addresses.insert(NETWORK.to_owned(), network);
        }
        addresses
    }

    /// Whether an heir can carry them.
    pub(crate) fn can_move(&self, configuration: &Configuration) -> bool {
        self.network(configuration).is_some()
    }

    /// The addresses themselves, for who brings them to a machine.
    pub(crate) fn ips(&self) -> impl Iterator<Item = IpAddr> {
        let sip = self.edge.then(|| self.udp.ip());
        let rtp = self.media.then_some(self.rtp).filter(|rtp| Some(*rtp) != sip);
        sip.into_iter().chain(rtp)
    }

    /// A configuration for carrying these addresses on this node.
    pub(crate) fn carried_by(&self, node: &str, configuration: &Configuration) -> Configuration {
        let mut carried = configuration.clone();
        carried.node = node.to_owned();
        carried.roles = Vec::new();
        carried.roles.extend(self.edge.then_some(Role::Edge));
        carried.roles.extend(self.media.then_some(Role::Media));
        (carried.sip.udp, carried.sip.tcp) = (self.udp, self.tcp);
        carried.sip.public = self.sip_public.clone().map(Public::Host);
        carried.rtp.address = self.rtp;
        carried.rtp.ports = Ports(self.ports.0..=self.ports.1);
        carried.rtp.public = self.rtp_public.clone().map(Public::Host);
        carried
    }

    /// An unspecified address is every address of its machine, and a port of the system's choice nobody's: neither moves.
    fn network(&self, configuration: &Configuration) -> Option<String> {
        let has_ports = !self.edge || (self.udp.port() != 0 && self.tcp.port() != 0);
        let mut ips = self.ips().peekable();
        if !has_ports || ips.peek().is_none() || self.ips().any(|ip| ip.is_unspecified()) {
            return None;
        }
        if ips.all(|ip| ip.is_loopback()) {
            return Some(LOOPBACK.to_owned());
        }
        configuration.cluster.network.clone().filter(|_| configuration.cluster.address_hook.is_some())
    }
}
