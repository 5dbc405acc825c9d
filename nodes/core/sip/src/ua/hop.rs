//! Where the next request of a dialog goes, without resolving names: to the first route or the remote
//! target when that is a literal address, else back to where the far end's messages come from. Far ends
//! behind a NAT are always reached where they come from. Connections are used again (RFC 5923); the address is then
//! where to connect when this one is gone. Over a WebSocket there is no other way than back.

use std::net::IpAddr;

use crate::{Destination, Message, NameAddr, Source, Uri};

/// The next hop. `behind_nat` decides over a bare Contact only.
pub(super) fn next(routes: &[String], target: &Uri, source: &Source, behind_nat: bool) -> Destination {
    let back = source.destination();
    if source.transport.is_websocket() {
        return back;
    }
    match literal(routes, target, source, behind_nat) {
        Some(hop) if source.transport.is_reliable() && hop.transport != source.transport => back,
        Some(hop) => Destination { flow: back.flow, ..hop },
        None => back,
    }
}

/// What the first route or the Contact names, if we could send there.
fn literal(routes: &[String], target: &Uri, source: &Source, behind_nat: bool) -> Option<Destination> {
    let route = routes.first().map(|route| NameAddr::parse(route).map(|route| route.uri));
    let hop = match &route {
        Some(route) => route.as_ref().ok()?,
        None if behind_nat => return None,
        None => target,
    };
    let address = hop.address().filter(|address| address.port() != 0)?;
    Some(Destination::new(hop.transport().unwrap_or(source.transport), address))
}

/// The sender wrote the same address into Via and Contact, and it is not the one it came from; or its
/// Contact cannot be reached from here at all.
pub(super) fn request_shows_nat(request: &Message, source: &Source, contact: &Uri) -> bool {
    let Some(ip) = contact.ip() else { return false };
    let via = request.top_via().ok();
    let told = via.as_ref().is_some_and(|via| via.host == contact.host);
    let direct = request.headers("Via").count() == 1;
    (direct && told && ip != source.remote.ip()) || unreachable_from(ip, source.remote.ip())
}

/// The called phone answers under the very address we could not have reached it at.
pub(super) fn response_shows_nat(source: &Source, contact: &Uri, called: &Uri) -> bool {
    let Some(ip) = contact.ip() else { return false };
    let remote = source.remote.ip();
    (ip != remote && contact.host == called.host) || unreachable_from(ip, remote)
}

fn unreachable_from(contact: IpAddr, source: IpAddr) -> bool {
    contact.is_unspecified()
        || (contact.is_loopback() && !source.is_loopback())
        || (is_private(contact) && !is_private(source))
}

fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]);
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}
