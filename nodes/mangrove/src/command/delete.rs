//! `mangrove delete KIND/ID`: refused while something still needs the object.

use anyhow::{Context, Result, bail};

use super::{Session, kind, sounds};
use crate::output;

/// Deletes one object, or with `tenant/ID` a company whole.
pub(crate) async fn delete(session: &Session, object: &str) -> Result<()> {
    let (kind_name, id) =
        object.split_once('/').context("name the object by kind and id, like employee/anna")?;
    let answer = if kind_name == "tenant" {
        session.client.delete(&["tenants", id]).await?
    } else if sounds::is_kind(kind_name) {
        session.client.delete(&["tenants", &session.tenant().await?, "sounds", kind_name, id]).await?
    } else {
        let (list, _) = kind(kind_name)?;
        let tenant = session.tenant().await?;
        session.client.delete(&["tenants", &tenant, list, id]).await?
    };
    let problems = answer["problems"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !problems.is_empty() {
        let needs: Vec<String> = problems.iter().map(line).collect();
        bail!("{object} can't be deleted:\n{}\nnothing was changed", needs.join("\n"));
    }
    output::show(session.arguments.output, &answer, || format!("deleted {object}\n"))
}

fn line(problem: &serde_json::Value) -> String {
    let text = |key: &str| problem[key].as_str().unwrap_or_default().to_owned();
    if text("path").is_empty() { text("message") } else { format!("{}: {}", text("path"), text("message")) }
}
