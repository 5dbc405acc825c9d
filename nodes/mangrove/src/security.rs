//! How this node and others trust one another, as `[cluster]` says.

use std::{convert::Infallible, time::Duration};

use anyhow::{Context, Result};
use mangrove_transport::{Files, Mutual, Security};
use metrics::{Unit, describe_gauge, gauge};

use crate::configuration::Configuration;

const EXPIRES: &str = "mangrove_cluster_certificate_expires_seconds";
const LEFT: &str = "mangrove_cluster_certificate_left_seconds";
/// The certificate may be renewed at any time.
const PERIOD: Duration = Duration::from_secs(10);

/// Mutual TLS where `cluster.tls` names the files, plain text otherwise. The files are watched from here on.
pub(crate) fn open(configuration: &Configuration) -> Result<Security> {
    let Some(tls) = &configuration.cluster.tls else { return Ok(Security::Plain) };
    let files = Files { ca: tls.ca.clone(), cert: tls.cert.clone(), key: tls.key.clone() };
    let mutual = Mutual::open(files, configuration.node.clone()).context("cluster.tls can't be used")?;
    Ok(Security::Mutual(mutual))
}

/// Keeps the metrics of the certificate's end, where there is one.
pub(crate) async fn measure(security: Security) -> Infallible {
    describe_gauge!(
        EXPIRES,
        Unit::Seconds,
        "when the certificate in use between nodes ends, seconds since 1970"
    );
    describe_gauge!(
        LEFT,
        Unit::Seconds,
        "how long the certificate in use between nodes is still good by this node's clock; negative when it has ended"
    );
    loop {
        if let Some(left) = security.seconds_left() {
            gauge!(LEFT).set(left as f64);
        }
        if let Some(expires_at) = security.expires_at() {
            gauge!(EXPIRES).set(expires_at as f64);
        }
        tokio::time::sleep(PERIOD).await;
    }
}
