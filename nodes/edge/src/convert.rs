//! Between the shapes of `core/sip` and those of the contract with control.

use mangrove_proto::edge;
use mangrove_sip::{Destination, Source, Transport};

/// A destination that can't be sent to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("the command names no destination")]
    Missing,
    #[error("transport {0} is unknown")]
    Transport(i32),
    #[error("`{0}` is no address:port")]
    Address(String),
}

pub(crate) fn source(source: &Source) -> edge::Source {
    edge::Source {
        transport: transport(source.transport).into(),
        remote: source.remote.to_string(),
        local: source.local.to_string(),
        flow: source.flow.clone().unwrap_or_default(),
    }
}

pub(crate) fn destination(destination: Option<&edge::Destination>) -> Result<Destination, Error> {
    let destination = destination.ok_or(Error::Missing)?;
    Ok(Destination {
        transport: transport_of(destination.transport)?,
        address: destination.address.parse().map_err(|_| Error::Address(destination.address.clone()))?,
        flow: (!destination.flow.is_empty()).then(|| destination.flow.clone()),
    })
}

fn transport(transport: Transport) -> edge::Transport {
    match transport {
        Transport::Udp => edge::Transport::Udp,
        Transport::Tcp => edge::Transport::Tcp,
        Transport::Tls => edge::Transport::Tls,
        Transport::Ws => edge::Transport::Ws,
        Transport::Wss => edge::Transport::Wss,
    }
}

fn transport_of(number: i32) -> Result<Transport, Error> {
    match edge::Transport::try_from(number) {
        Ok(edge::Transport::Udp) => Ok(Transport::Udp),
        Ok(edge::Transport::Tcp) => Ok(Transport::Tcp),
        Ok(edge::Transport::Tls) => Ok(Transport::Tls),
        Ok(edge::Transport::Ws) => Ok(Transport::Ws),
        Ok(edge::Transport::Wss) => Ok(Transport::Wss),
        Ok(edge::Transport::Unspecified) | Err(_) => Err(Error::Transport(number)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_destinations_say_what_is_wrong() {
        let with = |transport: i32, address: &str| {
            destination(Some(&edge::Destination { transport, address: address.into(), flow: String::new() }))
        };
        assert_eq!(destination(None), Err(Error::Missing));
        assert_eq!(with(0, "127.0.0.1:5060"), Err(Error::Transport(0)));
        assert_eq!(with(9, "127.0.0.1:5060"), Err(Error::Transport(9)));
        assert_eq!(with(1, "localhost"), Err(Error::Address("localhost".into())));
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 5060));
        let wanted = Destination { transport: Transport::Tcp, address, flow: None };
        assert_eq!(with(2, "127.0.0.1:5060"), Ok(wanted));
    }
}
