//! The ACK for a failure, made from the INVITE it belongs to (RFC 3261 section 17.1.1.3).

use bytes::Bytes;

use crate::message::{Message, Method, Start};

/// None when the request is not one that this crate wrote.
pub(super) fn for_failure(invite: &[u8], response: &Message) -> Option<Bytes> {
    let invite = Message::parse(invite).ok()?;
    let Start::Request { uri, .. } = &invite.start else { return None };
    let (number, _) = invite.cseq().ok()?;
    let mut ack = Message::request(Method::ACK, uri).with("Via", invite.header("Via")?);
    for route in invite.headers("Route") {
        ack.push("Route", route);
    }
    ack.push("Max-Forwards", 70);
    ack.push("From", invite.header("From")?);
    ack.push("To", response.header("To")?);
    ack.push("Call-ID", invite.header("Call-ID")?);
    ack.push("CSeq", format!("{number} ACK"));
    Some(ack.to_bytes().into())
}
