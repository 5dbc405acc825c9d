//! A certificate that this node signs itself, where the operator has none. Browsers warn of it once, and give their
//! microphone to its pages all the same.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use mangrove_transport::Identity;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use time::{Duration, OffsetDateTime};

use super::Files;
use crate::{certs, configuration::Configuration};

/// Browsers take no certificate of a longer life.
const DAYS: i64 = 397;
/// With so little of its life left another one is made at the next start.
const RENEWED: Duration = Duration::days(30);

/// Where the node's own certificate is.
pub(crate) fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("https").join("cert.pem")
}

/// The certificate of the last start, so that browsers that were told to believe it go on doing so; or a new one.
pub(super) fn find_or_make(configuration: &Configuration) -> Result<Files> {
    let cert = file(&configuration.data_dir);
    let files = Files { key: cert.with_file_name("key.pem"), cert };
    let (names, now) = (names(configuration), OffsetDateTime::now_utc());
    if !is_good(&files, &names, now) {
        make(&files, &names, now).context("no certificate can be made for http.tls")?;
    }
    tracing::warn!(
        cert = %files.cert.display(), ?names,
        "pages are served with a certificate that this node signed itself: browsers warn of it until they are told to believe it; http.tls.cert and http.tls.key name a better one"
    );
    Ok(files)
}

/// Every name under which a browser may ask for the pages.
fn names(configuration: &Configuration) -> Vec<String> {
    let http = &configuration.http;
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
    let listen = http.listen.ip();
    names.extend((!listen.is_unspecified()).then(|| listen.to_string()));
    names.extend(http.public.as_ref().map(|public| public.host().to_owned()));
    names.extend(fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned()));
    names.retain(|name| !name.is_empty());
    names.sort();
    names.dedup();
    names
}

fn is_good(files: &Files, names: &[String], now: OffsetDateTime) -> bool {
    let certificate = CertificateDer::from_pem_file(&files.cert).ok();
    certificate.and_then(|certificate| Identity::of(&certificate).ok()).is_some_and(|identity| {
        let until = i64::try_from(identity.not_after).unwrap_or(i64::MAX);
        let is_long = until > (now + RENEWED).unix_timestamp();
        is_long && names.iter().all(|name| identity.addresses.contains(name)) && files.key.exists()
    })
}

fn make(files: &Files, names: &[String], now: OffsetDateTime) -> Result<()> {
    let key = KeyPair::generate()?;
    let certificate = params(names, now)?.self_signed(&key)?;
    if let Some(folder) = files.cert.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("the folder {} can't be made", folder.display()))?;
    }
    replace(&files.key, &key.serialize_pem(), certs::SECRET)?;
    replace(&files.cert, &certificate.pem(), certs::PUBLIC)
}

fn replace(file: &Path, text: &str, mode: u32) -> Result<()> {
    // What is there is of no use any more.
    let _ = fs::remove_file(file);
    certs::write(file, text, mode)
}

fn params(names: &[String], now: OffsetDateTime) -> Result<CertificateParams> {
    let mut params = CertificateParams::new(names.to_vec())?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "Mangrove, signed by itself");
    params.distinguished_name = subject;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    (params.not_before, params.not_after) = (now - Duration::hours(1), now + Duration::days(DAYS));
    Ok(params)
}
