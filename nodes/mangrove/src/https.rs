//! The certificate of pages and API: the operator's files, read again when they change, or one that this node signed
//! itself and that browsers warn of.

mod own;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result};
use reqwest::Certificate;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use crate::configuration::Configuration;

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(10);

/// Where Debian and most others keep the authorities that a machine believes.
const AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A certificate chain and its key, PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

/// What was in the files.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Contents {
    cert: Vec<u8>,
    key: Vec<u8>,
}

/// What `http.tls` asks for: nothing, the files it names, or a certificate of this node's own. Needs a tokio runtime.
pub(crate) fn open(configuration: &Configuration) -> Result<Option<mangrove_console::Certificate>> {
    let Some(tls) = &configuration.http.tls else { return Ok(None) };
    let files = match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => Files { cert: cert.clone(), key: key.clone() },
        _ => own::find_or_make(configuration)?,
    };
    let contents = Contents::read(&files).with_context(|| format!("http.tls can't be used: {files}"))?;
    let (sender, certificate) = watch::channel(Arc::new(load(&contents).context("http.tls can't be used")?));
    tokio::spawn(keep(files, contents, sender));
    Ok(Some(certificate))
}

impl std::fmt::Display for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} and {}", self.cert.display(), self.key.display())
    }
}

impl Contents {
    fn read(files: &Files) -> io::Result<Self> {
        Ok(Self { cert: fs::read(&files.cert)?, key: fs::read(&files.key)? })
    }
}

fn load(contents: &Contents) -> Result<ServerConfig> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&contents.cert).collect();
    let chain = chain.context("the certificate is no PEM")?;
    let key = PrivateKeyDer::from_pem_slice(&contents.key).context("the key is no PEM")?;
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key).context("certificate and key do not fit")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Looks at the files until nobody serves with them. What can't be used leaves the old certificate in use; it is told
/// once. Files that are being written are not the same at two looks.
async fn keep(files: Files, taken: Contents, current: watch::Sender<Arc<ServerConfig>>) {
    let (mut tried, mut last) = (taken.clone(), taken);
    let mut pace = interval(LOOK);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !current.is_closed() {
        pace.tick().await;
        let look = files.clone();
        let read = tokio::task::spawn_blocking(move || Contents::read(&look)).await;
        let Ok(Ok(now)) = read else { continue };
        let is_steady = std::mem::replace(&mut last, now.clone()) == now;
        if is_steady && tried != now {
            renew(&files, &now, &current);
            tried = now;
        }
    }
}

fn renew(files: &Files, contents: &Contents, current: &watch::Sender<Arc<ServerConfig>>) {
    match load(contents) {
        Ok(config) => {
            tracing::info!(cert = %files.cert.display(), "the pages' certificate was read again");
            current.send_replace(Arc::new(config));
        }
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), %files, "the pages' new certificate can't be used: the old one stays in use");
        }
    }
}

/// Whom commands believe that ask over https: `ca`, or else the authorities of this machine; and what the node with this
/// data folder signed itself.
pub(crate) fn believed(data_dir: &Path, ca: Option<&Path>) -> Result<Vec<Certificate>> {
    let own = own::file(data_dir);
    let others = ca.map_or_else(|| Some(Path::new(AUTHORITIES)).filter(|file| file.exists()), Some);
    let files = others.into_iter().chain(own.exists().then_some(own.as_path()));
    Ok(files.map(bundle).collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn bundle(file: &Path) -> Result<Vec<Certificate>> {
    let pem = fs::read(file).with_context(|| format!("can't read {}", file.display()))?;
    let read = Certificate::from_pem_bundle(&pem);
    read.with_context(|| format!("{} is no file of certificates in PEM", file.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
