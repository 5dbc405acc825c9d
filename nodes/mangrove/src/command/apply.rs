//! `mangrove apply -f FILE`: creates or changes a company. Shows each change.

use std::path::Path;

use anyhow::{Context, Result};
use mangrove_domain::config::document::Problem;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Session;
use crate::{company, output};

/// The parts of the server's answer that are shown as text.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reply {
    version: u64,
    changes: Vec<Value>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
    secrets: Vec<Value>,
}

/// Checks the file here, then sends it. With `dry_run` nothing is changed.
pub(crate) async fn apply(session: &Session, file: &Path, dry_run: bool) -> Result<()> {
    let company = company::read(file)?;
    let document = serde_json::to_value(&company.document).context("the document can't be sent")?;
    let mut answer = session.client.configure(&company.document.tenant, &document, dry_run).await?;
    let mut reply = Reply::deserialize(&answer).context("the server's answer is not understood")?;
    if !reply.problems.is_empty() {
        return Err(company.mistakes(reply.problems).into());
    }
    reply.warnings.splice(0..0, company.warnings);
    answer["warnings"] = json!(reply.warnings);
    output::show(session.arguments.output, &answer, || text(&reply, &company.document.tenant, dry_run))
}

fn text(reply: &Reply, tenant: &str, dry_run: bool) -> String {
    let mut text: String = reply.warnings.iter().map(|warning| format!("warning: {warning}\n")).collect();
    text.extend(reply.changes.iter().map(change));
    text.extend(reply.secrets.iter().map(secret));
    let count = match reply.changes.len() {
        1 => "1 change".to_owned(),
        several => format!("{several} changes"),
    };
    text + &match (reply.changes.is_empty(), dry_run) {
        (true, _) => format!("{tenant}: nothing to change, version {}\n", reply.version),
        (_, true) => format!("{tenant}: {count}, not made (dry run)\n"),
        (_, false) => format!("{tenant}: {count} made, version {}\n", reply.version),
    }
}

fn secret(secret: &Value) -> String {
    let (object, secret) =
        (secret["object"].as_str().unwrap_or_default(), secret["secret"].as_str().unwrap_or_default());
    format!("password of {object}, shown only now: {secret}\n")
}

/// One line for an object, and for an update one for each value that differs.
fn change(change: &Value) -> String {
    let (action, object) =
        (change["action"].as_str().unwrap_or_default(), change["object"].as_str().unwrap_or_default());
    let mut text = format!("{action} {object}\n");
    if action == "update" {
        let mut lines = Vec::new();
        differences("", &embedded(&change["before"]), &embedded(&change["after"]), &mut lines);
        text.extend(lines.iter().map(|line| format!("  {line}\n")));
    }
    text
}

/// Before and after may come as JSON within a text.
fn embedded(value: &Value) -> Value {
    value.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| value.clone())
}

fn differences(path: &str, before: &Value, after: &Value, lines: &mut Vec<String>) {
    if before == after {
        return;
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        lines.push(format!("{path}: {} -> {}", plain(before), plain(after)));
        return;
    };
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        differences(&path, &before[key], &after[key], lines);
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_changed_value_is_a_line() {
        let before = json!({"ring": "7s", "queue": {"max_length": 50, "music": "default"}});
        let after = json!({"ring": "9s", "queue": {"music": "default"}, "strategy": "random"});
        let update =
            json!({"object": "group/200", "action": "update", "before": before.to_string(), "after": after});
        assert_eq!(
            change(&update),
            "update group/200\n  queue.max_length: 50 -> nothing\n  ring: 7s -> 9s\n  strategy: nothing -> random\n"
        );
    }

    #[test]
    fn the_sum_says_what_was_done() {
        let reply = |changes: Vec<Value>| Reply { version: 4, changes, ..Reply::default() };
        let create = || vec![json!({"object": "employee/anna", "action": "create"})];
        assert_eq!(text(&reply(vec![]), "acme", false), "acme: nothing to change, version 4\n");
        assert_eq!(
            text(&reply(create()), "acme", true),
            "create employee/anna\nacme: 1 change, not made (dry run)\n"
        );
        assert!(text(&reply(create()), "acme", false).ends_with("acme: 1 change made, version 4\n"));
    }
}
