//! What `turn` of the configuration means to the console: the servers, and the secret out of its file.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use mangrove_console::Turn;

use crate::configuration;

/// Reads the secret, where servers want one.
pub(crate) fn open(turn: &configuration::Turn) -> Result<Turn> {
    let secret = turn.secret_file.as_deref().map(secret).transpose()?.unwrap_or_default();
    Ok(Turn { servers: turn.servers.clone(), secret, lifetime: turn.lifetime })
}

/// Of one line, as an editor leaves it.
fn secret(file: &Path) -> Result<String> {
    let shown = file.display();
    let text = fs::read_to_string(file);
    let text = text.with_context(|| format!("turn.secret_file can't be read: {shown}"))?;
    let secret = text.trim();
    ensure!(!secret.is_empty(), "turn.secret_file: {shown} is empty; put the servers' secret there");
    ensure!(
        secret.lines().count() == 1,
        "turn.secret_file: {shown} has several lines; allowed: the secret alone"
    );
    Ok(secret.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn opened(text: &str) -> Result<Turn> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("turn");
        fs::write(&file, text).unwrap();
        let servers = vec!["turn:turn.example".to_owned()];
        open(&configuration::Turn { servers, secret_file: Some(file), ..Default::default() })
    }

    #[test]
    fn the_secret_is_what_stands_in_its_file() {
        assert_eq!(opened("  north \n").unwrap().secret, "north");
        for (text, why) in [("\n", "is empty"), ("north\nsouth\n", "several lines")] {
            let said = opened(text).unwrap_err().to_string();
            assert!(said.contains("turn.secret_file") && said.contains(why), "{said}");
        }
        let secret_file = Some("/nowhere/turn".into());
        let error = open(&configuration::Turn { secret_file, ..Default::default() }).unwrap_err();
        assert!(error.to_string().contains("/nowhere/turn"), "{error}");
        assert_eq!(open(&configuration::Turn::default()).unwrap().secret, "");
    }
}
