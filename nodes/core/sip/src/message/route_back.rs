//! Where responses to a request go: `received`, `rport` (RFC 3261 section 18.2, RFC 3581).

use std::net::SocketAddr;

use super::{Message, Via};
use crate::{Destination, Source};

impl Message {
    /// Notes in the top Via where the request really came from. `received` is always set when the sent-by is no
    /// literal address equal to the source's; `rport` only when asked for, and then `received` is set with it. Of a
    /// WebSocket nothing is noted unasked: its sent-by is a made-up name, and the answer needs no address (RFC 7118
    /// section 5.2.3). A response or a request without a readable Via is left alone.
    pub fn note_source(&mut self, source: &Source) {
        let Ok(mut via) = self.top_via() else { return };
        let asked = via.params.has("rport");
        if source.transport.is_websocket() && !asked {
            return;
        }
        let remote = source.remote.ip().to_canonical();
        let told = crate::uri::host_ip(&via.host).map(|ip| ip.to_canonical());
        if !asked && told == Some(remote) && !via.params.has("received") {
            return;
        }
        via.params.remove("received");
        via.params.set("received", Some(remote.to_string()));
        if asked {
            via.params.set("rport", Some(source.remote.port().to_string()));
        }
        if let Some((_, value)) = self.headers.iter_mut().find(|(name, _)| name.as_str() == "Via") {
            *value = via.to_string();
        }
    }

    /// Where the responses to this request go: the connection it came by; over UDP its address, and the port asked
    /// for by `rport`, else that of the sent-by. `maddr` is not followed.
    pub fn response_destination(&self, source: &Source) -> Destination {
        let mut destination = source.destination();
        if source.transport.is_reliable() {
            return destination;
        }
        if let Ok(via) = self.top_via() {
            destination.address = SocketAddr::new(source.remote.ip(), response_port(&via, source));
        }
        destination
    }
}

fn response_port(via: &Via, source: &Source) -> u16 {
    if via.params.has("rport") {
        return source.remote.port();
    }
    via.port.filter(|port| *port != 0).unwrap_or(source.transport.default_port())
}
