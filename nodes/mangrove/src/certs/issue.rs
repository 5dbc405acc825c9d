//! A node's certificate.

use std::{net::IpAddr, path::Path};

use anyhow::{Context, Result, ensure};
use mangrove_transport::node_name;
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use serde_json::json;

use super::{Issue, authority::Authority, date, file, validity};
use crate::{arguments::Format, configuration::is_node_name, output};

/// Pods of one workload have one secret, and come and go.
const ANY: &str = "*";

/// Makes certificate and key of one node, or of all.
pub(super) fn issue(wish: &Issue, format: Format) -> Result<()> {
    check(wish)?;
    let authority = Authority::read(&wish.ca)?;
    let stem = if wish.node == ANY { "nodes" } else { &wish.node };
    let (cert, key_file) = (wish.out.join(format!("{stem}.pem")), wish.out.join(format!("{stem}.key")));
    file::prepare(&wish.out, &[&cert, &key_file])?;
    let params = params(wish)?;
    let until = params.not_after.unix_timestamp();
    outlives(&authority, until)?;
    let key = KeyPair::generate().context("no key can be made")?;
    let certificate = params.signed_by(&key, &authority.issuer).context("the certificate can't be signed")?;
    file::write(&key_file, &key.serialize_pem(), file::SECRET)?;
    file::write(&cert, &certificate.pem(), file::PUBLIC)?;
    let answer = json!({
        "node": wish.node, "addresses": wish.address, "ca": authority.file, "cert": cert, "key": key_file,
        "not_after": date(until),
    });
    output::show(format, &answer, || told(wish, &authority.file, &cert, &key_file, &date(until)))
}

fn told(wish: &Issue, ca: &Path, cert: &Path, key: &Path, until: &str) -> String {
    let place = match wish.address.as_slice() {
        [] => "at any address".to_owned(),
        addresses => format!("at {}", addresses.join(", ")),
    };
    format!(
        "node {} is believed {place} until {until}; in its mangrove.toml:\n[cluster]\ntls = {{ca = \"{}\", cert = \"{}\", key = \"{}\"}}\n",
        wish.node,
        ca.display(),
        cert.display(),
        key.display(),
    )
}

fn check(wish: &Issue) -> Result<()> {
    ensure!(
        wish.node == ANY || is_node_name(&wish.node),
        "--node {:?} is no node name; allowed: 1 to 63 letters, digits and hyphens, or * for all nodes",
        wish.node
    );
    for address in &wish.address {
        ensure!(
            is_address(address),
            "--address {address:?} is no address; allowed: an IP address or host name without port, like 10.0.0.1 or node-b.example"
        );
    }
    Ok(())
}

/// Not below our own domain: that would make the certificate another node's too.
fn is_address(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_host = (1..=253).contains(&text.len()) && text.chars().all(plain);
    text.parse::<IpAddr>().is_ok() || is_host && !text.to_ascii_lowercase().ends_with(&node_name(""))
}

fn params(wish: &Issue) -> Result<CertificateParams> {
    let name = node_name(&wish.node);
    let names: Vec<String> = [name.clone()].into_iter().chain(wish.address.iter().cloned()).collect();
    let mut params = CertificateParams::new(names).context("the names can't be put into a certificate")?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    params.distinguished_name = subject;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    (params.not_before, params.not_after) = validity(wish.days);
    Ok(params)
}

fn outlives(authority: &Authority, until: i64) -> Result<()> {
    let end = i64::try_from(authority.not_after).unwrap_or(i64::MAX);
    ensure!(
        until <= end,
        "the authority {} ends on {}, before this certificate would: ask for fewer --days, or make a new authority (docs/adr/0009)",
        authority.file.display(),
        date(end)
    );
    Ok(())
}
