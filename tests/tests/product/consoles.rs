//! Nodes that know nothing of a company by themselves: one with pages and no control, and one with control and an edge whose
//! control holds no replica of the company's group.

use anyhow::{Context, Result};
use mangrove_loadtest::company;
use mangrove_tests::{
    api::Api,
    cluster::{Cluster, Seat},
    floor::Floor,
    ports,
    product::ALL,
    wait,
};

use crate::office::{CALLERS, Office, group};

/// What a death may take from a talk.
const SILENT_MS: u64 = 2_000;
const SEATS: &[Seat] = &[("a", ALL), ("b", ALL), ("c", ALL), ("d", ALL), ("web", &["console"])];

#[tokio::test]
async fn any_console_and_any_edge_serve_every_company() -> Result<()> {
    let cluster = Cluster::start(SEATS).await?;
    let web = cluster.node("web")?;
    let carrier = std::net::SocketAddr::from(([127, 0, 0, 1], ports::free()));
    let (document, _) = company::document(1, carrier, 1);
    web.apply(&serde_json::to_string_pretty(&document)?)?;
    let api = web.api()?.tenant(company::TENANT);
    let group = group(&api).await?;
    let stranger = without(&cluster, group).await?;
    let mut office = Office::open_on(cluster, &stranger).await?;
    let strange = office.cluster.node(&stranger)?.api()?.tenant(company::TENANT);
    let before = office.sees().await?;
    assert_eq!(before.calls(), CALLERS);
    for api in [&api, &strange] {
        sees_all(api, &before).await.with_context(|| office.cluster.logs())?;
    }
    assert_eq!(api.log_in("nobody@example.com", "wrong").await?, 401);
    office.loses_its_leader().await?;
    office.cluster.settles(std::time::Duration::from_secs(60)).await?;
    for api in [&api, &strange] {
        sees_all(api, &before).await.with_context(|| office.cluster.logs())?;
    }
    let report = office.closes().await?;
    // The dead node is back at once and starts while its heir, which may have no replica of the directory, takes over.
    assert!(report.gap.max < SILENT_MS, "silent for {} ms", report.gap.max);
    Ok(())
}

/// A control node without a replica of the group.
async fn without(cluster: &Cluster, group: u64) -> Result<String> {
    let stranger = wait::until("a control node without the group", async || {
        let holds = |status: &serde_json::Value| {
            status["groups"].as_array().is_some_and(|all| all.iter().any(|one| one["group"] == group))
        };
        let statuses = cluster.statuses().await;
        let mut others = statuses.iter().filter(|status| status["node"] != "web" && !holds(status));
        others.next()?["node"].as_str().map(str::to_owned)
    });
    stranger.await
}

/// A console shows the company's calls, its configuration and who may log in.
async fn sees_all(api: &Api, floor: &Floor) -> Result<()> {
    let seen = wait::until("the same floor", async || Floor::now(api).await.filter(|seen| seen == floor));
    seen.await?;
    let configuration = api.get("/configuration").await?;
    assert!(configuration.to_string().contains(company::NUMBER), "{configuration}");
    let list = api.node("/tenants").await?;
    assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
    let live = api.get("/live").await?;
    let call = live["calls"][0]["id"].as_str().context("no call")?;
    let story = api.get(&format!("/calls/{call}/story")).await?;
    assert!(story.as_array().is_some_and(|lines| lines.len() > 3), "{story}");
    assert!(api.node("/cluster/nodes").await?.as_array().is_some_and(|nodes| nodes.len() == SEATS.len()));
    Ok(())
}
