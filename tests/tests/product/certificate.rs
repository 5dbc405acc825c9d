//! A node's certificate is about to end: operators learn of it wherever they look, until it is renewed under the running
//! node.

use std::fs;

use anyhow::{Context, Result, ensure};
use mangrove_tests::{
    product::{Fragile, Options, Product},
    wait,
};

const DAY: i64 = 86_400;
/// Keys of `[cluster]`, which is the last table of the file.
const TLS: &str = "tls = { ca = \"keys/ca.pem\", cert = \"keys/a.pem\", key = \"keys/a.key\" }\n";

/// Issues a certificate into a folder.
fn issue(node: &Product, folder: &str, days: &str) -> Result<()> {
    let said =
        node.command(&["certs", "issue", "--ca", "keys", "--node", "a", "--days", days, "--out", folder])?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    Ok(())
}

/// A metric's value.
fn value(metrics: &str, name: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// The node tells of the certificate in words and figures, in all places; or in none.
async fn tells(node: &Product, words: Option<&str>) -> Result<()> {
    let told = wait::until("the node to tell of its certificate", async || {
        let api = node.api().ok()?;
        let status = node.ask(&["status"]).ok()?["alarms"].to_string();
        let nodes = api.node("/cluster/nodes").await.ok()?.to_string();
        let metrics = api.text("/metrics").await.ok()?;
        let left = value(&metrics, "mangrove_cluster_certificate_left_seconds ")?;
        let is_near = left < (7 * DAY) as f64;
        let said = [&status, &nodes].map(|text| text.contains(words.unwrap_or("certificate")));
        let alarms = value(&metrics, "mangrove_alarms ")?;
        let is_told = words.is_some();
        (said == [is_told; 2] && is_near == is_told && alarms == f64::from(is_told)).then_some(())
    });
    told.await.with_context(|| node.log())
}

#[tokio::test]
async fn a_certificate_that_ends_is_an_alarm_until_a_new_one_is_put_in_its_place() -> Result<()> {
    let options = Options { more: TLS, fragile: Some(Fragile::Clock), ..Options::default() };
    let mut node = Product::unstarted(options)?;
    let made = node.command(&["certs", "init", "--out", "keys"])?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    issue(&node, "keys", "365")?;
    node.revive().await?;
    tells(&node, None).await?;
    node.clock()?.set(360 * DAY)?;
    tells(&node, Some("keys/a.pem ends in")).await?;
    issue(&node, "renewed", "800")?;
    for file in ["a.key", "a.pem"] {
        fs::copy(node.folder().join("renewed").join(file), node.folder().join("keys").join(file))?;
    }
    tells(&node, None).await
}
