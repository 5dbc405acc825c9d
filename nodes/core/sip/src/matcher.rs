//! Who sends from where: an address, an address with a port, or a network. Names are not looked up: a trunk that
//! needs no password must not hang on somebody's DNS.

mod sources;

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use sources::Sources;

/// A text that names no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no address; allowed: an address (203.0.113.7), address:port (203.0.113.7:5060, [2001:db8::7]:5060) or network (203.0.113.0/24)"
)]
pub struct InvalidMatcher {
    pub text: String,
}

/// Matches the source of a message. An IPv4 address mapped into IPv6 is taken as IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceMatcher {
    network: IpAddr,
    prefix: u8,
    port: Option<u16>,
}

impl SourceMatcher {
    /// Whether a message from `source` matches. Port 0 stands for any: that of a connection, which leaves from a port
    /// of its own.
    pub fn matches(&self, source: SocketAddr) -> bool {
        self.port.is_none_or(|port| source.port() == 0 || port == source.port())
            && masked(source.ip().to_canonical(), self.prefix) == Some(self.network)
    }

    /// Whether some source matches both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let shorter = self.prefix.min(other.prefix);
        let same_port = self.port.is_none() || other.port.is_none() || self.port == other.port;
        self.network.is_ipv4() == other.network.is_ipv4()
            && same_port
            && masked(self.network, shorter) == masked(other.network, shorter)
    }

    fn host(address: IpAddr, port: Option<u16>) -> Self {
        let network = address.to_canonical();
        Self { network, prefix: width(network), port }
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address with the bits behind `prefix` cleared; none when it has fewer bits than that.
fn masked(address: IpAddr, prefix: u8) -> Option<IpAddr> {
    let spare = u32::from(width(address).checked_sub(prefix)?);
    Some(match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(spare).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(spare).unwrap_or(0)).into()),
    })
}

fn network(text: &str) -> Option<SourceMatcher> {
    let (address, prefix) = text.split_once('/')?;
    let prefix = prefix.parse().ok()?;
    let network = masked(address.parse().ok()?, prefix)?;
    Some(SourceMatcher { network, prefix, port: None })
}

impl FromStr for SourceMatcher {
    type Err = InvalidMatcher;

    fn from_str(text: &str) -> Result<Self, InvalidMatcher> {
        let host = || text.parse().ok().map(|address| Self::host(address, None));
        let with_port = || text.parse::<SocketAddr>().ok().map(|a| Self::host(a.ip(), Some(a.port())));
        network(text).or_else(host).or_else(with_port).ok_or_else(|| InvalidMatcher { text: text.to_owned() })
    }
}

impl fmt::Display for SourceMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}", SocketAddr::new(self.network, port)),
            None if self.prefix == width(self.network) => write!(f, "{}", self.network),
            None => write!(f, "{}/{}", self.network, self.prefix),
        }
    }
}

impl Serialize for SourceMatcher {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SourceMatcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::SourceMatcher;

    #[test]
    fn addresses_ports_and_networks_match_their_own_only() {
        for (matcher, source, wanted) in [
            ("127.0.0.1:5080", "127.0.0.1:5080", true),
            ("127.0.0.1:5080", "127.0.0.1:5081", false),
            ("127.0.0.1:5080", "127.0.0.1:0", true),
            ("127.0.0.1:5080", "127.0.0.2:0", false),
            ("127.0.0.1", "127.0.0.1:9", true),
            ("10.0.0.0/8", "10.255.0.1:1", true),
            ("10.0.0.7/8", "11.0.0.1:1", false),
            ("0.0.0.0/0", "203.0.113.7:1", true),
            ("0.0.0.0/0", "[2001:db8::1]:1", false),
            ("127.0.0.1", "[::ffff:127.0.0.1]:5060", true),
            ("2001:db8::/32", "[2001:db8:1::5]:5060", true),
            ("::/0", "127.0.0.1:1", false),
            ("[2001:db8::1]:5060", "[2001:db8::1]:5060", true),
        ] {
            let read: SourceMatcher = matcher.parse().unwrap();
            assert_eq!(read.matches(source.parse().unwrap()), wanted, "{matcher} {source}");
            assert_eq!(read.to_string().parse::<SourceMatcher>().unwrap(), read, "{matcher}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "carrier.example", "10.0.0.0/33", "10.0.0.0/", "10.0.0.1:99999", "10.0.0.0/8:5060"] {
            assert!(text.parse::<SourceMatcher>().is_err(), "{text}");
        }
    }

    #[test]
    fn overlapping_sources_are_seen() {
        let overlap = |a: &str, b: &str| {
            a.parse::<SourceMatcher>().unwrap().overlaps(&b.parse::<SourceMatcher>().unwrap())
        };
        assert!(overlap("10.0.0.0/8", "10.1.0.0/16"));
        assert!(overlap("10.0.0.1", "10.0.0.1:5060"));
        assert!(!overlap("10.0.0.1:5061", "10.0.0.1:5060"));
        assert!(!overlap("10.0.0.0/8", "11.0.0.0/8"));
        assert!(!overlap("0.0.0.0/0", "::/0"));
    }
}
