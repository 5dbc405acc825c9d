//! What a certificate says of itself: whose it is, where it holds, until when. Whom to believe is decided in `security`.

use std::net::IpAddr;

use x509_parser::{
    certificate::X509Certificate,
    extensions::GeneralName,
    prelude::{FromDer, X509Error},
};

/// Every node has a name below this one in its certificate.
const DOMAIN: &str = ".mangrove.internal";

/// The name that a node's certificate must carry.
pub fn node_name(node: &str) -> String {
    format!("{node}{DOMAIN}")
}

/// What one certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `CN=...`, as RFC 4514 writes it.
    pub subject: String,
    /// The subject of the authority that signed it.
    pub issuer: String,
    /// The nodes whose it is: what stands before `.mangrove.internal`. `*` is any.
    pub nodes: Vec<String>,
    /// All its other names and addresses. Where there are any, the node is believed at these only.
    pub addresses: Vec<String>,
    /// Unix seconds; before it nobody takes the certificate.
    pub not_before: u64,
    /// Unix seconds; after it nobody takes the certificate.
    pub not_after: u64,
    /// It signs others.
    pub authority: bool,
    /// Its purposes include both sides of a connection.
    pub both_sides: bool,
    /// Its public key (SubjectPublicKeyInfo, DER).
    pub public_key: Vec<u8>,
}

impl Identity {
    /// Reads a certificate (DER).
    pub fn of(der: &[u8]) -> Result<Self, X509Error> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(X509Error::from)?;
        let (nodes, addresses) = parted(names(&certificate)?);
        let usage = certificate.extended_key_usage()?;
        Ok(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            nodes,
            addresses,
            not_before: seconds(certificate.validity().not_before.timestamp()),
            not_after: seconds(certificate.validity().not_after.timestamp()),
            authority: certificate.is_ca(),
            both_sides: usage.is_some_and(|usage| usage.value.server_auth && usage.value.client_auth),
            public_key: certificate.public_key().raw.to_vec(),
        })
    }
}

/// Before 1970 is long ago, whatever the year.
fn seconds(timestamp: i64) -> u64 {
    u64::try_from(timestamp).unwrap_or_default()
}

fn names(certificate: &X509Certificate<'_>) -> Result<Vec<String>, X509Error> {
    let names = certificate.subject_alternative_name()?;
    let names = names.iter().flat_map(|extension| &extension.value.general_names);
    Ok(names.filter_map(name).collect())
}

/// Host names and addresses; connections are checked against no other kind.
fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// (nodes, other names)
fn parted(names: Vec<String>) -> (Vec<String>, Vec<String>) {
    let (mut nodes, mut addresses) = (Vec::new(), Vec::new());
    for name in names {
        match name.to_ascii_lowercase().strip_suffix(DOMAIN) {
            Some(node) => nodes.push(node.to_owned()),
            None => addresses.push(name),
        }
    }
    (nodes, addresses)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair};

    use super::*;

    fn certificate(names: &[&str], purposes: &[ExtendedKeyUsagePurpose]) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = purposes.to_vec();
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        Identity::of(params.self_signed(&KeyPair::generate().unwrap()).unwrap().der()).unwrap()
    }

    #[test]
    fn names_are_parted_into_nodes_and_addresses() {
        for (names, nodes, addresses) in [
            (vec!["a.mangrove.internal"], vec!["a"], vec![]),
            (vec!["B-1.Mangrove.Internal", "10.0.0.1"], vec!["b-1"], vec!["10.0.0.1"]),
            (
                vec!["*.mangrove.internal", "db.example", "2001:db8::1"],
                vec!["*"],
                vec!["db.example", "2001:db8::1"],
            ),
            (vec!["mangrove.internal.example"], vec![], vec!["mangrove.internal.example"]),
            (vec![], vec![], vec![]),
        ] {
            let identity = certificate(&names, &[]);
            assert_eq!(
                (identity.nodes, identity.addresses),
                (
                    nodes.into_iter().map(str::to_owned).collect(),
                    addresses.into_iter().map(str::to_owned).collect()
                )
            );
        }
        assert_eq!(node_name("a"), "a.mangrove.internal");
    }

    #[test]
    fn both_purposes_must_be_named() {
        use ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
        for (purposes, both) in [
            (vec![], false),
            (vec![ServerAuth], false),
            (vec![ClientAuth], false),
            (vec![ServerAuth, ClientAuth], true),
        ] {
            assert_eq!(certificate(&[], &purposes).both_sides, both, "{purposes:?}");
        }
    }

    #[test]
    fn the_end_is_told_in_seconds_and_nonsense_is_an_error() {
        assert_eq!(certificate(&[], &[]).not_after, 1_893_456_000);
        assert!(!certificate(&[], &[]).authority);
        assert!(Identity::of(b"no certificate").is_err());
    }
}
