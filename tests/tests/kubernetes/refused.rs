//! Wrong values are refused with a message that names the key, before anything reaches Kubernetes.

use anyhow::{Result, ensure};

use crate::chart::Values;

/// (a set that is right, what makes it wrong, what the message says).
const WRONG: &[(&str, &[&str], &[&str])] = &[
    ("default", &["control.replicas=2"], &["/control/replicas", "1, 3, 5"]),
    ("default", &["control.replicas=4"], &["/control/replicas", "1, 3, 5"]),
    ("default", &["edge.replicas=0"], &["/edge/replicas"]),
    ("default", &["contrl.replicas=3"], &["contrl"]),
    ("default", &["control.replica=3"], &["/control", "replica"]),
    ("default", &["layout=many"], &["/layout", "cluster", "single"]),
    ("default", &["database.existingSecret="], &["database.existingSecret", "PostgreSQL", "layout=single"]),
    ("default", &["admin.existingSecret="], &["admin.existingSecret", "no default password"]),
    ("single", &["admin.existingSecret="], &["admin.existingSecret", "no default password"]),
    (
        "default",
        &["tls.existingSecret="],
        &["tls.existingSecret", "tls.certManager.enabled", "mangrove certs"],
    ),
    ("default", &["tls.certManager.enabled=true"], &["one of tls.existingSecret and"]),
    ("default", &["edge.sip.port=506"], &["/edge/sip/port", "1,024"]),
    ("default", &["edge.sip.address=localhost"], &["/edge/sip/address"]),
    ("default", &["media.rtp.ports=20000"], &["/media/rtp/ports"]),
    ("default", &["media.rtp.public=media.example"], &["/media/rtp/public"]),
    ("default", &["console.public=https://desk.example/path"], &["/console/public"]),
    ("default", &["console.ingress.enabled=true"], &["console.ingress", "host", "tlsSecret"]),
    ("s3", &["objects.existingClaim=recordings"], &["objects.s3.url", "exclude one another"]),
    ("s3", &["objects.s3.url="], &["objects.s3.url is missing", "s3://bucket/prefix"]),
    ("s3", &["objects.s3.endpoint=http://minio"], &["objects.s3.endpoint", "objects.s3.allowHttp"]),
    ("default", &["objects.s3.url=gs://calls"], &["/objects/s3/url"]),
    ("default", &["settings.sip\\.udp=0.0.0.0:5060"], &["sip.udp"]),
    ("default", &["image.digest=latest"], &["/image/digest"]),
    ("default", &["control.volume.size=20"], &["/control/volume/size"]),
    (
        "default",
        &["networkPolicy.consoleFrom[0].podSelector.matchLabels.a=b"],
        &["networkPolicy.machines", "CIDRs"],
    ),
    (
        "default",
        &["fullnameOverride=a-name-that-leaves-no-place-for-a-pod"],
        &["fullnameOverride", "36 are allowed"],
    ),
];

#[test]
fn wrong_values_are_refused_and_named() -> Result<()> {
    for (name, set, parts) in WRONG {
        let values = Values::named(name)?;
        let Err(error) = values.render(set) else { anyhow::bail!("{name} with {set:?} was taken") };
        let said = error.to_string();
        ensure!(parts.iter().all(|part| said.contains(part)), "{name} with {set:?}: {said}");
    }
    Ok(())
}

/// What makes a set wrong must be that one value: without it the set is taken.
#[test]
fn each_set_alone_is_taken() -> Result<()> {
    Values::all()?.iter().try_for_each(|values| values.render(&[]).map(drop))
}
