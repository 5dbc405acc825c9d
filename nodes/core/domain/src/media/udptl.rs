//! A far end that faxes by T.38, as its media node is told.

use mangrove_proto::media::Endpoint;
use mangrove_sip::sdp::Fax;

/// Fills in the endpoint: datagrams of UDPTL, never encrypted, in place of sound.
pub(super) fn describe(fax: &Fax, endpoint: &mut Endpoint) {
    endpoint.udptl = true;
    endpoint.remote = fax.remote.to_string();
    endpoint.srtp = None;
    endpoint.send = fax.direction.sends();
    endpoint.receive = fax.direction.receives();
}
