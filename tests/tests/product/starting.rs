//! A node that waits for its cluster is alive and not ready, so that nobody kills it for waiting.

use anyhow::{Context, Result, ensure};
use mangrove_tests::{
    product::{Options, Product},
    wait,
};

/// The status of a path, and what was said.
async fn ask(node: &Product, path: &str) -> Option<(u16, String)> {
    let answer = reqwest::get(format!("{}{path}", node.url())).await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

#[tokio::test]
async fn a_node_whose_cluster_is_not_there_yet_is_alive_and_says_what_it_waits_for() -> Result<()> {
    for roles in [&["console"][..], &["edge"]] {
        let mut first = Product::unstarted(Options::default())?;
        let address = first.grpc_address();
        let options = Options { name: "b".into(), roles, join: vec![address], ..Options::default() };
        let mut second = Product::unstarted(options)?;
        second.launch()?;
        let alive = wait::until("the node to be alive", async || ask(&second, "/healthz").await).await;
        let (status, _) = alive.with_context(|| second.log())?;
        ensure!(status == 200, "alive: {status}");
        let (status, why) = ask(&second, "/readyz").await.context("no answer")?;
        ensure!(status == 503 && why.contains(&address.to_string()), "ready: {status} {why}");
        let said = second.command(&["status"])?;
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        ensure!(said.contains("the node starts"), "an operator is told {said}");

        first.revive().await?;
        second.ready(wait::USUAL).await?;
        let (status, alive) = ask(&second, "/healthz").await.context("no answer")?;
        ensure!((status, alive.as_str()) == (200, "ok\n"), "alive: {status} {alive}");
    }
    Ok(())
}
