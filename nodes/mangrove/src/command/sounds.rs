//! `mangrove upload KIND/NAME FILE` and `mangrove download KIND/NAME FILE`: a company's own prompts and music.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Session;
use crate::output;

/// Whether the objects of this kind are sounds.
pub(super) fn is_kind(kind: &str) -> bool {
    matches!(kind, "prompt" | "music")
}

/// Puts the file in place of what was there under the same name. The server says what it can't take.
pub(crate) async fn upload(session: &Session, object: &str, file: &Path) -> Result<()> {
    let (kind, name) = split(object)?;
    let bytes = std::fs::read(file).with_context(|| format!("{} can't be read", file.display()))?;
    let tenant = session.tenant().await?;
    let sound = session.client.put_file(&["tenants", &tenant, "sounds", kind, name], bytes).await?;
    let seconds = sound["duration_ms"].as_u64().unwrap_or_default() as f64 / 1000.0;
    output::show(session.arguments.output, &sound, || {
        format!("{tenant}: {object} has {seconds:.1} s; new callers hear it within two minutes\n")
    })
}

/// Writes a WAV file; one that is there already is left alone.
pub(crate) async fn download(session: &Session, object: &str, file: &Path) -> Result<()> {
    let (kind, name) = split(object)?;
    if file.exists() {
        bail!("{} is there already: name another file", file.display());
    }
    let tenant = session.tenant().await?;
    let mut answer = session.client.stream(&["tenants", &tenant, "sounds", kind, name]).await?;
    let mut bytes = Vec::new();
    while let Some(part) = answer.next().await? {
        bytes.extend(part);
    }
    std::fs::write(file, &bytes).with_context(|| format!("{} can't be written", file.display()))?;
    let done = serde_json::json!({ "file": file, "bytes": bytes.len() });
    output::show(session.arguments.output, &done, || format!("{object} is in {}\n", file.display()))
}

fn split(object: &str) -> Result<(&str, &str)> {
    match object.split_once('/') {
        Some((kind, name)) if is_kind(kind) => Ok((kind, name)),
        _ => bail!("`{object}` is no sound: name it prompt/NAME or music/NAME"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::split;

    #[test]
    fn sounds_are_named_by_kind() {
        assert_eq!(split("prompt/welcome").unwrap(), ("prompt", "welcome"));
        assert_eq!(split("music/rain").unwrap(), ("music", "rain"));
        for wrong in ["welcome", "voice/a", "employee/anna"] {
            assert!(split(wrong).unwrap_err().to_string().contains("prompt/NAME or music/NAME"), "{wrong}");
        }
    }
}
