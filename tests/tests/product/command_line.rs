//! The operator's commands against a running node, with answers for programs, and what is kept of who changed what.

use anyhow::{Context, Result};
use mangrove_tests::{product::Product, wait};
use serde_json::{Value, json};

fn changes(answer: &Value) -> Vec<(&str, &str)> {
    let list = answer["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|change| Some((change["action"].as_str()?, change["object"].as_str()?))).collect()
}

#[tokio::test]
async fn status_get_and_delete_answer_in_json() -> Result<()> {
    let product = Product::with_company().await?;
    let status = product.ask(&["status"])?;
    assert!(status.is_object(), "{status}");
    assert_eq!(product.ask(&["get", "tenants"])?[0]["id"], "acme");
    assert_eq!(product.ask(&["get"])?, product.api()?.get("/configuration").await?);
    let anna = product.ask(&["get", "employee/101"])?;
    assert_eq!((&anna["id"], &anna["name"]), (&json!("anna"), &json!("Anna Petrova")));
    assert!(!anna.to_string().contains("anna-sip-password"), "no secret is shown: {anna}");

    let refused = product.command(&["-o", "json", "delete", "employee/desk"])?;
    assert!(!refused.status.success(), "the overflow leads to the secretary");
    let answer: Value = serde_json::from_slice(&refused.stdout)?;
    assert!(answer["error"].as_str().is_some_and(|why| why.contains("employee/desk")), "{answer}");
    product.ask(&["delete", "employee/vera"])?;
    let missing = product.command(&["get", "employee/vera"])?;
    assert!(!missing.status.success() && missing.stdout.is_empty());
    assert_eq!(product.ask(&["get", "employees"])?.as_array().map(Vec::len), Some(3));
    Ok(())
}

#[tokio::test]
async fn a_dry_run_shows_what_would_change_and_the_audit_what_did() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let before = api.get("/configuration").await?;
    std::fs::write(product.folder().join("new.yaml"), product.company()?.replace("ring: 7s", "ring: 9s"))?;

    let dry = product.ask(&["apply", "-f", "new.yaml", "--dry-run"])?;
    assert_eq!(changes(&dry), [("update", "group/200")], "{dry}");
    assert_eq!(api.get("/configuration").await?, before, "a dry run changes nothing");
    let made = product.ask(&["apply", "-f", "new.yaml"])?;
    assert_eq!(changes(&made), [("update", "group/200")], "{made}");
    let again = product.ask(&["apply", "-f", "new.yaml"])?;
    assert_eq!(changes(&again), [], "{again}");

    let line = wait::until("the change in the audit log", async || {
        let audit = api.get("/audit?action=update").await.ok()?;
        audit["items"].as_array()?.first().cloned()
    })
    .await?;
    assert_eq!((&line["author"], &line["object"]), (&json!("operator"), &json!("group/200")), "{line}");
    assert_eq!((&line["before"]["ring"], &line["after"]["ring"]), (&json!("7s"), &json!("9s")), "{line}");
    let all = api.get("/audit?limit=500").await?;
    let created =
        all["items"].as_array().context("no list")?.iter().filter(|line| line["action"] == "create");
    assert!(created.count() > 5, "the company's making is there too");
    assert!(!all.to_string().contains("password"), "and no password: {all}");
    Ok(())
}
