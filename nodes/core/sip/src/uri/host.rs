//! `host[:port]`, IPv6 references included (RFC 3261 section 25.1, corrected by RFC 5954).

use std::net::{IpAddr, Ipv6Addr};

use super::Error;

/// Splits and checks `host[:port]`; the host keeps its brackets.
pub(crate) fn read_host_port(text: &str) -> Result<(&str, Option<u16>), Error> {
    let (host, port) = split(text)?;
    let port = match port {
        None => None,
        Some(digits) => Some(read_port(digits)?),
    };
    Ok((host, port))
}

fn split(text: &str) -> Result<(&str, Option<&str>), Error> {
    if text.starts_with('[') {
        let end = text.find(']').ok_or(Error::Host)? + 1;
        let (host, rest) = text.split_at(end);
        read_ipv6(host)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(Error::Host),
        };
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    if host.is_empty() || !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
        return Err(Error::Host);
    }
    Ok((host, port))
}

fn read_port(digits: &str) -> Result<u16, Error> {
    let valid = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if valid { digits.parse().map_err(|_| Error::Port) } else { Err(Error::Port) }
}

fn read_ipv6(reference: &str) -> Result<Ipv6Addr, Error> {
    let inner = reference.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).ok_or(Error::Host)?;
    inner.parse().map_err(|_| Error::Host)
}

/// The address a host is, brackets or not; None for a name.
pub(crate) fn host_ip(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    inner.parse().ok()
}
