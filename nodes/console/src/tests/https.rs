//! The port with a certificate of its own.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client};
use rustls::{ServerConfig, crypto::aws_lc_rs::default_provider, pki_types::PrivateKeyDer};
use tokio::{net::TcpStream, sync::watch};

use crate::{Console, Options};

/// A certificate for localhost, and a browser that believes it alone.
fn certificate() -> (Arc<ServerConfig>, Client) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = config.with_single_cert(vec![cert.der().clone()], key).unwrap();
    let browser = Client::builder().timeout(Duration::from_secs(20));
    let browser = browser.tls_certs_only([Certificate::from_der(cert.der()).unwrap()]).build().unwrap();
    (Arc::new(config), browser)
}

async fn open(config: Arc<ServerConfig>) -> (Console, watch::Sender<Arc<ServerConfig>>) {
    let (sender, certificate) = watch::channel(config);
    let mut options = Options::new(SocketAddr::from(([127, 0, 0, 1], 0)), String::new());
    options.certificate = Some(certificate);
    (Console::open(options, "it is a test").await.unwrap(), sender)
}

async fn alive(browser: &Client, scheme: &str, console: &Console) -> Result<String, reqwest::Error> {
    let url = format!("{scheme}://localhost:{}/healthz", console.addr.port());
    browser.get(url).send().await?.text().await
}

#[tokio::test]
async fn pages_are_served_over_tls_and_plain_browsers_sent_there() {
    let (config, browser) = certificate();
    let (console, _kept) = open(config).await;
    assert_eq!(alive(&browser, "https", &console).await.unwrap(), "starting\n");
    assert_eq!(alive(&browser, "http", &console).await.unwrap(), "starting\n", "by a redirect");
    let (_, stranger) = certificate();
    assert!(alive(&stranger, "https", &console).await.unwrap_err().is_connect());
    console.shutdown().await;
}

#[tokio::test]
async fn who_says_nothing_keeps_nobody_waiting() {
    let (config, browser) = certificate();
    let (console, _kept) = open(config).await;
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(TcpStream::connect(console.addr).await.unwrap());
    }
    assert_eq!(alive(&browser, "https", &console).await.unwrap(), "starting\n");
    console.shutdown().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_to_who_comes_next() {
    let ((old, believes_old), (new, believes_new)) = (certificate(), certificate());
    let (console, sender) = open(old).await;
    assert!(alive(&believes_new, "https", &console).await.is_err());
    assert!(alive(&believes_old, "https", &console).await.is_ok());
    sender.send_replace(new);
    assert!(alive(&believes_new, "https", &console).await.is_ok());
    assert!(alive(&believes_old, "https", &console).await.is_ok(), "its connection stays");
    console.shutdown().await;
}
