//! Passwords kept outside of the file: taken from the environment and from files here, on the operator's machine.

use std::path::Path;

use mangrove_domain::config::document::{Document, Problem, Secret};

/// The paths of passwords that stand in the document itself.
pub(super) fn plain(document: &mut Document) -> Vec<String> {
    let secrets = document.secrets_mut();
    secrets.filter(|(_, secret)| matches!(secret, Secret::Text(_))).map(|(path, _)| path).collect()
}

/// Puts in what variables and files hold; paths of files are relative to `folder`.
pub(super) fn fill(document: &mut Document, folder: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, secret) in document.secrets_mut() {
        let found = match secret {
            Secret::Text(_) => continue,
            Secret::Env { env } => {
                std::env::var(&*env).map_err(|_| format!("the environment variable {env} is not set"))
            }
            Secret::File { file } => from_file(&folder.join(&*file)),
        };
        // A place-holder keeps the checks that follow from complaining a second time.
        *secret = Secret::Text(found.unwrap_or_else(|message| {
            problems.push(Problem { path, message });
            "place-holder".to_owned()
        }));
    }
    problems
}

fn from_file(path: &Path) -> Result<String, String> {
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}
