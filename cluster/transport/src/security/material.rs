//! From the files to what connections are made of. Nothing comes out that other nodes would refuse.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::ending::Life;
use super::files::{Content, Contents, Files};
use super::reason;
use super::verify::Trust;
use crate::identity::{Identity, node_name};

// The only one there is: rustls takes part in nothing older than TLS 1.3 here.
const VERSIONS: &[&rustls::SupportedProtocolVersion] = &[&rustls::version::TLS13];
const HTTP2: &[u8] = b"h2";

/// Why a node's certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is missing, or not for this user to read.
    #[error("can't read the {what} {}: {reason}; `mangrove certs` makes one", file.display())]
    Unreadable { what: &'static str, file: PathBuf, reason: String },
    /// A file holds something else.
    #[error("{} is no {what} in PEM: {reason}", file.display())]
    Malformed { what: &'static str, file: PathBuf, reason: String },
    /// Certificate and key were not made together.
    #[error("{} does not fit the key {}: {reason}; name the two that `mangrove certs issue` made together", cert.display(), key.display())]
    Key { cert: PathBuf, key: PathBuf, reason: String },
    /// Every other node would refuse it, or it is another node's.
    #[error("{} can't be this node's: {reason}; make one with `mangrove certs issue`", cert.display())]
    Refused { cert: PathBuf, reason: String },
}

/// Both sides' configuration, and from when to when the certificate in it is good.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) server: Arc<ServerConfig>,
    pub(super) client: Arc<ClientConfig>,
    pub(super) life: Life,
}

impl Material {
    /// What the contents make, tried as another node would try it at the time `now`.
    pub(super) fn load(files: &Files, contents: &Contents, node: &str, now: UnixTime) -> Result<Self, Error> {
        let provider = Arc::new(default_provider());
        let trust = Arc::new(trust(&files.ca, &contents.ca, &provider)?);
        let chain = certificates("certificate", &files.cert, &contents.cert)?;
        let key = key(&files.key, &contents.key)?;
        let own = own(&trust, &chain, node, now)
            .map_err(|reason| Error::Refused { cert: files.cert.clone(), reason })?;
        let mismatch = |error: rustls::Error| Error::Key {
            cert: files.cert.clone(),
            key: files.key.clone(),
            reason: error.to_string(),
        };
        let server =
            server(provider.clone(), trust.clone(), chain.clone(), key.clone_key()).map_err(mismatch)?;
        let client = client(provider, trust, chain, key).map_err(mismatch)?;
        let life = Life { begins: own.not_before, ends: own.not_after };
        Ok(Self { server: Arc::new(server), client: Arc::new(client), life })
    }
}

/// What the node's own certificate says, once it would be believed as this node's.
fn own(trust: &Trust, chain: &[CertificateDer<'_>], node: &str, now: UnixTime) -> Result<Identity, String> {
    let Some((own, between)) = chain.split_first() else { return Err("it is empty".to_owned()) };
    let told = |error| reason::of_certificate(&error);
    trust.believe(own, between, now).map_err(told)?;
    trust.named(own, &node_name(node)).map_err(told)?;
    Identity::of(own).map_err(|error| error.to_string())
}

fn trust(file: &Path, content: &Content, provider: &CryptoProvider) -> Result<Trust, Error> {
    let what = "authority's certificate";
    let mut roots = RootCertStore::empty();
    for certificate in certificates(what, file, content)? {
        roots.add(certificate).map_err(|error| malformed(what, file, error))?;
    }
    Ok(Trust::new(roots, provider))
}

fn certificates(
    what: &'static str,
    file: &Path,
    content: &Content,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = bytes(what, file, content)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match read {
        Ok(none) if none.is_empty() => Err(malformed(what, file, "there is none in it")),
        read => read.map_err(|error| malformed(what, file, error)),
    }
}

fn key(file: &Path, content: &Content) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(bytes("key", file, content)?).map_err(|error| malformed("key", file, error))
}

fn bytes<'a>(what: &'static str, file: &Path, content: &'a Content) -> Result<&'a [u8], Error> {
    content.as_deref().map_err(|reason| Error::Unreadable {
        what,
        file: file.to_owned(),
        reason: reason.clone(),
    })
}

fn malformed(what: &'static str, file: &Path, reason: impl ToString) -> Error {
    Error::Malformed { what, file: file.to_owned(), reason: reason.to_string() }
}

// Nothing is resumed on either side: a certificate that has ended or was replaced must not live on in a ticket.
fn server(
    provider: Arc<CryptoProvider>,
    trust: Arc<Trust>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(VERSIONS)?
        .with_client_cert_verifier(trust)
        .with_single_cert(chain, key)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = vec![HTTP2.to_vec()];
    Ok(config)
}

fn client(
    provider: Arc<CryptoProvider>,
    trust: Arc<Trust>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(VERSIONS)?
        .dangerous()
        .with_custom_certificate_verifier(trust)
        .with_client_auth_cert(chain, key)?;
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![HTTP2.to_vec()];
    Ok(config)
}
