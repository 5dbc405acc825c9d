//! The certificate that this node shows to browsers: made at its start, signed by itself, for they know it by the
//! fingerprint that signalling tells them (RFC 8827 section 6.5). Another run has another one.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use dimpl::{Config, DtlsCertificate};
use sha2::{Digest, Sha256};

/// So long a datagram of a handshake may be: what fits everywhere, IPv6 tunnels included.
const MTU: usize = 1150;

/// A certificate and how hands are shaken with it. Clones are the same.
#[derive(Clone)]
pub(crate) struct Certificate {
    inner: Arc<Inner>,
}

struct Inner {
    certificate: DtlsCertificate,
    fingerprint: Bytes,
    config: Arc<Config>,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

impl Certificate {
    /// A new one, on the curve that every browser knows (P-256). The error says what the library refuses.
    pub(crate) fn generate() -> Result<Self, String> {
        // What browsers look at is the fingerprint; the name tells nothing about us.
        let made = rcgen::generate_simple_self_signed(vec!["media".to_owned()]);
        let made = made.map_err(|error| error.to_string())?;
        let certificate = made.cert.der().to_vec();
        let fingerprint = fingerprint(&certificate);
        let certificate = DtlsCertificate { certificate, private_key: made.signing_key.serialize_der() };
        let config = Config::builder().mtu(MTU).build().map_err(|error| error.to_string())?;
        Ok(Self { inner: Arc::new(Inner { certificate, fingerprint, config: Arc::new(config) }) })
    }

    /// Its SHA-256.
    pub(crate) fn fingerprint(&self) -> &Bytes {
        &self.inner.fingerprint
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        self.inner.config.clone()
    }

    /// With its private key.
    pub(crate) fn pair(&self) -> DtlsCertificate {
        self.inner.certificate.clone()
    }
}

/// The SHA-256 of a certificate in DER.
pub(crate) fn fingerprint(certificate: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&Sha256::digest(certificate)[..])
}
