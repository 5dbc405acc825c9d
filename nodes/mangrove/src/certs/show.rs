//! What is in a file of certificates.

use std::{path::Path, time::SystemTime};

use anyhow::{Context, Result};
use mangrove_transport::Identity;
use serde_json::{Value, json};

use super::{date, file};
use crate::{arguments::Format, output};

const DAY: i64 = 24 * 60 * 60;

/// Shows each certificate of the file, in its order.
pub(super) fn show(path: &Path, format: Format) -> Result<()> {
    let pem = file::read(path, "name a file of certificates")?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut shown = Vec::new();
    for certificate in file::certificates(path, &pem)? {
        let identity = Identity::of(&certificate)
            .with_context(|| format!("a certificate in {} can't be understood", path.display()))?;
        shown.push(described(&identity, signed(now)));
    }
    let answer = Value::Array(shown);
    output::show(format, &answer, || output::yaml(&answer))
}

/// `days_left` is below zero when it has ended.
fn described(identity: &Identity, now: i64) -> Value {
    let until = signed(identity.not_after);
    json!({
        "subject": identity.subject,
        "issuer": identity.issuer,
        "authority": identity.authority,
        "nodes": identity.nodes,
        "addresses": identity.addresses,
        "both_sides": identity.both_sides,
        "not_before": date(signed(identity.not_before)),
        "not_after": date(until),
        "days_left": until.saturating_sub(now).div_euclid(DAY),
    })
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
