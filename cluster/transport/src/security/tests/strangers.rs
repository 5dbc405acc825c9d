//! Who gets nothing.

use std::io;
use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose::ServerAuth;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::authority::{Authority, Pair, Wish};
use super::{Log, Port, node};
use crate::Security;

/// A client of our own making, which believes `authority` and shows whatever it is given.
fn client(authority: &Authority, shown: Option<&Pair>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match shown {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let cert = CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![cert], key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// What the port says first to this client.
async fn first_words(port: &Port, config: ClientConfig) -> io::Result<usize> {
    let stream = TcpStream::connect(port.address).await?;
    let name = ServerName::from(port.address.ip());
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream.read(&mut [0; 64]).await
}

#[tokio::test]
async fn strangers_get_nothing_and_the_log_says_why() {
    let (log, _guard) = Log::start();
    let (one, two, impostor) = (Authority::new("one"), Authority::new("two"), Authority::new("one"));
    let (a, _a) = node(&one, "a");
    let port = Port::open(Security::Mutual(a)).await;
    let good = one.issue(Wish::good("b"));
    assert!(first_words(&port, client(&one, Some(&good))).await.unwrap() > 0, "the client is a good one");
    for (shown, told) in [
        (None, "it shows no certificate"),
        (Some(two.issue(Wish::good("b"))), "not of this cluster's authority"),
        (Some(impostor.issue(Wish::good("b"))), "not of this cluster's authority"),
        (Some(one.issue(Wish::good("b").days(-1))), "expired"),
        (Some(one.issue(Wish::good("b").purpose(ServerAuth))), "not for both sides"),
        (Some(one.issue(Wish::good("b").names(&["shop.example"]))), "names no node"),
    ] {
        log.clear();
        let got = first_words(&port, client(&one, shown.as_ref())).await;
        assert!(got.is_err(), "{told}: {got:?}");
        log.has(told).await;
    }
}

#[tokio::test]
async fn who_speaks_no_tls_gets_no_http_either() {
    let (log, _guard) = Log::start();
    let (a, _a) = node(&Authority::new("one"), "a");
    let port = Port::open(Security::Mutual(a)).await;
    assert!(port.called_by(Security::Plain).await.is_err());

    let mut stream = TcpStream::connect(port.address).await.unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    // The port may be closed with a reset.
    let _end = stream.read_to_end(&mut answer).await;
    assert!(answer.first().is_none_or(|kind| *kind == 0x15), "only a TLS alert: {answer:?}");
    log.has("it does not speak TLS").await;
}

#[tokio::test]
async fn a_caller_says_why_it_was_refused_or_refuses() {
    let (log, _guard) = Log::start();
    let (one, two) = (Authority::new("one"), Authority::new("two"));
    let (a, _a) = node(&one, "a");
    let (b, _b) = node(&two, "b");
    let port = Port::open(Security::Mutual(a.clone())).await;
    let error = port.called_by(Security::Mutual(b)).await.unwrap_err();
    assert!(error.contains("its certificate is not of this cluster's authority"), "{error}");
    // The one who was called hears it.
    log.has("the other side says: our certificate is not of its cluster's authority").await;

    let plain = Port::open(Security::Plain).await;
    let error = plain.called_by(Security::Mutual(a)).await.unwrap_err();
    assert!(error.contains("it does not speak TLS"), "{error}");
    log.has("no connection to another node").await;
}

#[tokio::test]
async fn a_caller_hears_in_its_first_call_that_its_certificate_is_refused() {
    let (one, two) = (Authority::new("one"), Authority::new("two"));
    let folder = tempfile::tempdir().unwrap();
    // It believes both authorities, the one it calls only its own.
    let both = one.pem() + &two.pem();
    let files = super::put(folder.path(), &both, &two.issue(Wish::good("b")));
    let b = super::Mutual::open(files, "b").unwrap();
    let (a, _a) = node(&one, "a");
    let port = Port::open(Security::Mutual(a)).await;
    let error = port.called_by(Security::Mutual(b)).await.unwrap_err();
    assert!(error.contains("the other side says: our certificate"), "{error}");
}
