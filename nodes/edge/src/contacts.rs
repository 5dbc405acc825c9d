//! What far ends are told of our addresses.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
};

use mangrove_sip::Transport;

use crate::options::Options;

/// `host:port` by transport.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contacts(BTreeMap<Transport, String>);

impl Contacts {
    /// Of an edge that is bound there.
    pub(crate) fn of(options: &Options, addresses: &[(Transport, SocketAddr)]) -> Self {
        let mut contacts = Self::default();
        for (transport, bound) in addresses.iter().copied().chain(options.websocket) {
            let public = match transport {
                Transport::Udp => options.public.udp.as_deref(),
                Transport::Tcp | Transport::Tls => options.public.tcp.as_deref(),
                Transport::Ws | Transport::Wss => options.public.websocket.as_deref(),
            };
            contacts.add(transport, public, bound);
        }
        contacts
    }

    /// Adds a transport: the configured address, completed by the bound one.
    pub(crate) fn add(&mut self, transport: Transport, public: Option<&str>, bound: SocketAddr) {
        let told = match public {
            Some(host) if has_port(host) => host.to_owned(),
            Some(host) => format!("{host}:{}", bound.port()),
            None => SocketAddr::new(reachable(bound.ip()), bound.port()).to_string(),
        };
        self.0.entry(transport).or_insert(told);
    }

    pub(crate) fn get(&self, transport: Transport) -> Option<&str> {
        self.0.get(&transport).map(String::as_str)
    }

    /// What Via names as us. For a transport without an address of ours it is that of another: nobody connects there.
    pub(crate) fn sent_by(&self, transport: Transport) -> &str {
        let told = self.get(transport).or_else(|| self.0.values().next().map(String::as_str));
        told.unwrap_or("edge.invalid")
    }

    pub(crate) fn told(&self) -> Vec<(Transport, String)> {
        self.0.iter().map(|(transport, told)| (*transport, told.clone())).collect()
    }
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(name, port)| {
        (!name.contains(':') || name.ends_with(']')) && port.parse::<u16>().is_ok()
    })
}

/// An address that others can use for an unspecified one: that of the interface with the default route. Asking
/// the kernel for it sends nothing.
fn reachable(ip: IpAddr) -> IpAddr {
    if !ip.is_unspecified() {
        return ip;
    }
    let ask = |own: &str, far: &str| {
        let socket = UdpSocket::bind(own)?;
        socket.connect(far)?;
        socket.local_addr()
    };
    let found = if ip.is_ipv4() { ask("0.0.0.0:0", "192.0.2.1:9") } else { ask("[::]:0", "[2001:db8::1]:9") };
    match found {
        Ok(address) => address.ip(),
        Err(_) if ip.is_ipv4() => Ipv4Addr::LOCALHOST.into(),
        Err(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_configured_is_completed_by_what_is_bound() {
        let v4 = SocketAddr::from(([10, 0, 0, 1], 5070));
        let v6 = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 5070));
        for (public, bound, told) in [
            (None, v4, "10.0.0.1:5070"),
            (None, v6, "[2001:db8::1]:5070"),
            (Some("203.0.113.10"), v4, "203.0.113.10:5070"),
            (Some("203.0.113.10:5060"), v4, "203.0.113.10:5060"),
            (Some("sip.example.com"), v4, "sip.example.com:5070"),
            (Some("[2001:db8::9]"), v6, "[2001:db8::9]:5070"),
            (Some("[2001:db8::9]:5060"), v6, "[2001:db8::9]:5060"),
        ] {
            let mut contacts = Contacts::default();
            contacts.add(Transport::Udp, public, bound);
            assert_eq!(contacts.get(Transport::Udp), Some(told));
        }
    }

    #[test]
    fn websockets_are_told_where_browsers_find_the_node() {
        let http = SocketAddr::from(([10, 0, 0, 1], 8080));
        for (public, told) in [
            (None, "10.0.0.1:8080"),
            (Some("desk.example"), "desk.example:8080"),
            (Some("desk.example:443"), "desk.example:443"),
        ] {
            let mut options = Options { websocket: Some((Transport::Wss, http)), ..Options::new("a", 1) };
            options.public.websocket = public.map(str::to_owned);
            let contacts = Contacts::of(&options, &[]);
            assert_eq!(contacts.told(), [(Transport::Wss, told.to_owned())]);
            assert_eq!(contacts.sent_by(Transport::Ws), told, "another's rather than none");
        }
        assert_eq!(Contacts::default().sent_by(Transport::Ws), "edge.invalid");
    }

    #[test]
    fn nobody_is_told_an_unspecified_address() {
        assert!(!reachable(Ipv4Addr::UNSPECIFIED.into()).is_unspecified());
    }
}
