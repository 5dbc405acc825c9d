//! Authorities and certificates of every kind, good and bad.

use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

use crate::Files;

/// Makes certificates.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// What a certificate should say; `good` is one that every node takes.
#[derive(Clone)]
pub(super) struct Wish {
    pub(super) names: Vec<String>,
    /// Since so many days it is good.
    pub(super) age: i64,
    pub(super) days: i64,
    pub(super) purposes: Vec<ExtendedKeyUsagePurpose>,
}

/// A certificate and its key, PEM.
pub(super) struct Pair {
    pub(super) cert: String,
    pub(super) key: String,
}

impl Wish {
    pub(super) fn good(node: &str) -> Self {
        Self {
            names: vec![format!("{node}.mangrove.internal"), "127.0.0.1".to_owned()],
            age: 2,
            days: 90,
            purposes: vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth],
        }
    }

    pub(super) fn names(self, names: &[&str]) -> Self {
        Self { names: names.iter().map(|name| (*name).to_owned()).collect(), ..self }
    }

    pub(super) fn days(self, days: i64) -> Self {
        Self { days, ..self }
    }

    pub(super) fn age(self, age: i64) -> Self {
        Self { age, ..self }
    }

    pub(super) fn purpose(self, purpose: ExtendedKeyUsagePurpose) -> Self {
        Self { purposes: vec![purpose], ..self }
    }
}

impl Authority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(super) fn issue(&self, wish: Wish) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(wish.names).unwrap();
        params.not_before = OffsetDateTime::now_utc() - Duration::days(wish.age);
        params.not_after = OffsetDateTime::now_utc() + Duration::days(wish.days);
        params.extended_key_usages = wish.purposes;
        Pair { cert: params.signed_by(&key, &self.0).unwrap().pem(), key: key.serialize_pem() }
    }
}

/// Puts the three files into a folder, over those that are there.
pub(super) fn put(folder: &Path, ca: &str, pair: &Pair) -> Files {
    let files =
        Files { ca: folder.join("ca.pem"), cert: folder.join("node.pem"), key: folder.join("node.key") };
    std::fs::write(&files.ca, ca).unwrap();
    std::fs::write(&files.cert, &pair.cert).unwrap();
    std::fs::write(&files.key, &pair.key).unwrap();
    files
}
