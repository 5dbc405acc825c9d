//! The authority: whoever has its key can make nodes of the cluster.

use std::{
    num::NonZeroU16,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use mangrove_transport::Identity;
use rand::Rng;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData,
};
use serde_json::json;

use super::{date, file, validity};
use crate::{arguments::Format, output};

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";

/// Makes an authority in a folder.
pub(super) fn init(folder: &Path, days: NonZeroU16, format: Format) -> Result<()> {
    let (ca, key_file) = (folder.join(CERTIFICATE), folder.join(KEY));
    file::prepare(folder, &[&ca, &key_file])?;
    let key = KeyPair::generate().context("no key can be made")?;
    let secret = key.serialize_pem();
    let params = params(days);
    let until = date(params.not_after.unix_timestamp());
    let authority = CertifiedIssuer::self_signed(params, key).context("no authority can be made")?;
    file::write(&key_file, &secret, file::SECRET)?;
    file::write(&ca, &authority.pem(), file::PUBLIC)?;
    let answer = json!({ "ca": ca, "key": key_file, "not_after": until });
    output::show(format, &answer, || {
        let (ca, key) = (ca.display(), key_file.display());
        format!(
            "{ca} is the cluster's authority until {until}: copy it to every node\n{key} makes nodes of the cluster: keep it safe, no node needs it\n"
        )
    })
}

/// Clusters' authorities have names of their own: a stranger's is then told from a forged one.
fn params(days: NonZeroU16) -> CertificateParams {
    let mut name = DistinguishedName::new();
    let tail: u32 = rand::rng().random();
    name.push(DnType::CommonName, format!("Mangrove cluster authority {tail:08x}"));
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (params.not_before, params.not_after) = validity(days);
    params
}

/// An authority that can sign.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) issuer: Issuer<'static, KeyPair>,
    /// Unix seconds.
    pub(super) not_after: u64,
    /// Its certificate's file.
    pub(super) file: PathBuf,
}

impl Authority {
    /// Reads the folder that `init` made. While one authority follows another, ca.pem holds both: the key says which.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let (ca, key_file) = (folder.join(CERTIFICATE), folder.join(KEY));
        let hint = "make the authority with `mangrove certs init`, or name its folder with --ca";
        let pem = file::read(&ca, hint)?;
        let key = KeyPair::from_pem(&file::read(&key_file, hint)?)
            .with_context(|| format!("{} is no key in PEM", key_file.display()))?;
        let public = key.subject_public_key_info();
        for certificate in file::certificates(&ca, &pem)? {
            let identity = Identity::of(&certificate)
                .with_context(|| format!("{} can't be understood", ca.display()))?;
            if identity.public_key == public && identity.authority {
                let issuer = Issuer::from_ca_cert_der(&certificate, key)
                    .with_context(|| format!("{} can't sign", ca.display()))?;
                return Ok(Self { issuer, not_after: identity.not_after, file: ca });
            }
        }
        bail!("{} is not the key of the authority in {}", key_file.display(), ca.display())
    }
}
