//! STUN Binding on the SIP port, over UDP: by it phones of RFC 5626 (section 4.4.2) keep their NAT bindings open, and
//! learn that their address has changed. Only what RFC 8489 asks of a server without authentication; everything else
//! is no STUN to us. The first byte tells STUN from SIP: no SIP message begins with one below 4.

use std::net::{IpAddr, SocketAddr};

const BINDING_REQUEST: u16 = 0x0001;
const BINDING_SUCCESS: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;
const COOKIE: u32 = 0x2112_A442;
const HEADER: usize = 20;
const ERROR_CODE: u16 = 0x0009;
const UNKNOWN_ATTRIBUTES: u16 = 0x000A;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
/// Attributes below this must be understood (RFC 8489 section 14).
const OPTIONAL: u16 = 0x8000;
/// Unknown attributes that an error names: an answer must not outgrow its question.
const NAMED: usize = 8;

/// The answer to a Binding request from `remote`; None when the datagram is none (RFC 8489 sections 5 and 6.3).
pub(crate) fn answer(datagram: &[u8], remote: SocketAddr) -> Option<Vec<u8>> {
    let (header, body) = datagram.split_at_checked(HEADER)?;
    let length = usize::from(u16_at(header, 2)?);
    let is_binding = u16_at(header, 0)? == BINDING_REQUEST && header.get(4..8)? == COOKIE.to_be_bytes();
    if !is_binding || length != body.len() || length % 4 != 0 {
        return None;
    }
    let unknown = unknown_attributes(body)?;
    let transaction = header.get(4..HEADER)?;
    Some(if unknown.is_empty() {
        let mapped = attribute(XOR_MAPPED_ADDRESS, &xored(remote, transaction));
        message(BINDING_SUCCESS, transaction, &mapped)
    } else {
        message(BINDING_ERROR, transaction, &refusal(&unknown))
    })
}

/// The attributes that must be understood and are not: we know none. None when they do not fill the body exactly.
fn unknown_attributes(mut body: &[u8]) -> Option<Vec<u16>> {
    let mut unknown = Vec::new();
    while !body.is_empty() {
        let (kind, length) = (u16_at(body, 0)?, usize::from(u16_at(body, 2)?));
        if kind < OPTIONAL && unknown.len() < NAMED {
            unknown.push(kind);
        }
        body = body.get(4 + length.next_multiple_of(4)..)?;
    }
    Some(unknown)
}

/// 420 Unknown Attribute (RFC 8489 sections 6.3.1, 14.8, 14.13).
fn refusal(unknown: &[u16]) -> Vec<u8> {
    let names: Vec<u8> = unknown.iter().flat_map(|kind| kind.to_be_bytes()).collect();
    [attribute(ERROR_CODE, &[0, 0, 4, 20]), attribute(UNKNOWN_ATTRIBUTES, &names)].concat()
}

/// Family, port and address, hidden from NATs that rewrite what looks like an address (RFC 8489 section 14.2).
/// `mask` is cookie and transaction id.
fn xored(remote: SocketAddr, mask: &[u8]) -> Vec<u8> {
    let (family, address) = match remote.ip().to_canonical() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let xor = |bytes: &[u8]| bytes.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect::<Vec<u8>>();
    [vec![0, family], xor(&remote.port().to_be_bytes()), xor(&address)].concat()
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_be_bytes(), (value.len() as u16).to_be_bytes()].concat();
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn message(kind: u16, transaction: &[u8], body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &(body.len() as u16).to_be_bytes(), transaction, body].concat()
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The transaction of the sample messages of RFC 5769.
    const ID: &[u8] = b"\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae";

    fn request(attributes: &[u8]) -> Vec<u8> {
        message(BINDING_REQUEST, ID, attributes)
    }

    #[test]
    fn the_mapped_addresses_of_rfc_5769_come_out() {
        let v4 = answer(&request(&[]), "192.0.2.1:32853".parse().unwrap()).unwrap();
        assert_eq!(v4[..20], message(BINDING_SUCCESS, ID, &[0; 12])[..20]);
        assert_eq!(v4[20..], *b"\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43");
        let v6 = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        let v6 = answer(&request(&[]), v6).unwrap();
        assert_eq!(v6[20..28], *b"\x00\x20\x00\x14\x00\x02\xa1\x47");
        assert_eq!(v6[28..], *b"\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9");
    }

    #[test]
    fn optional_attributes_are_passed_over_and_others_refused_by_name() {
        let remote = "192.0.2.1:32853".parse().unwrap();
        let software = attribute(0x8022, b"phone");
        assert_eq!(answer(&request(&software), remote).unwrap()[..2], BINDING_SUCCESS.to_be_bytes());
        let username = attribute(0x0006, b"me");
        let refused = answer(&request(&[software, username].concat()), remote).unwrap();
        assert_eq!(refused[..2], BINDING_ERROR.to_be_bytes());
        assert_eq!(refused[20..], *b"\x00\x09\x00\x04\x00\x00\x04\x14\x00\x0a\x00\x02\x00\x06\x00\x00");
        let many = answer(&request(&attribute(0x0006, b"").repeat(300)), remote).unwrap();
        assert!(many.len() < 60, "{}", many.len());
    }

    #[test]
    fn everything_else_is_no_stun() {
        let good = request(&attribute(0x8022, b"phone"));
        let changed = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            bytes
        };
        let strange = [
            good[..good.len() - 4].to_vec(),
            [&good[..], &[0; 4]].concat(),
            changed(1, 0x11),
            changed(4, 0),
            changed(3, 13),
            changed(23, 200),
            request(&[0x80, 0x22]),
            b"OPTIONS sip:a SIP/2.0\r\n\r\n".to_vec(),
            Vec::new(),
        ];
        for bytes in strange {
            assert_eq!(answer(&bytes, "192.0.2.1:1".parse().unwrap()), None, "{bytes:02x?}");
        }
    }
}
