//! The pages in Debian's Chromium while real calls go on. What is done in the browser stands in `tests/web`.

use std::time::Duration;

use anyhow::{Context, Result};
use mangrove_tests::{
    browser::Script,
    people::{ANNA, BORIS},
    product::Product,
    sipp::{self, Sipp},
    sound::Sound,
};

const CALLER: f64 = 440.0;

#[tokio::test]
async fn the_supervisor_sees_a_call_wait_be_answered_and_end() -> Result<()> {
    let product = Product::start().await?;
    // The page may be slow to show who waits.
    product.apply(&product.company()?.replace("max_wait: 15s", "max_wait: 5m"))?;
    let phone = ANNA.phone(&product).await?;
    ANNA.rests(&product).await?;
    let mut script = Script::start("supervisor.mjs", &product.url())?;
    script.saw("a quiet floor").await?;

    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::AWAIT_BYE])?;
    script.saw("waiting ").await.inspect_err(|_| eprintln!("{}\n{}", call.log(), product.log()))?;
    product.api()?.agent("anna", "available").await?;
    script.saw("talking").await.inspect_err(|_| eprintln!("{}\n{}", call.log(), product.log()))?;
    phone.command("hangup", "")?;
    script.saw("recorded").await.inspect_err(|_| eprintln!("{}", product.log()))?;
    script.succeeds().await?;
    call.succeeds(Duration::from_secs(10)).await
}

#[tokio::test]
async fn the_supervisor_hears_a_past_call_and_reads_its_story() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let anna = ANNA.phone(&product).await?;
    ANNA.available(&product).await?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;
    anna.hears(CALLER).await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    api.cdrs(1).await?;

    let mut script = Script::start("past_call.mjs", &product.url())?;
    for seen in ["names", "plays", "story", "filtered"] {
        script.saw(seen).await?;
    }
    script.succeeds().await?;
    let heard = api.get("/audit?action=listen").await?;
    assert_eq!(heard["items"][0]["author"], "vera@acme.example", "{heard}");
    Ok(())
}

#[tokio::test]
async fn an_agent_takes_a_break_at_the_press_of_a_button() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    api.agent("anna", "available").await?;
    let mut script = Script::start("agent.mjs", &product.url())?;
    script.saw("on a break").await?;
    api.agent_is("anna", "break").await?;
    let live = api.get("/live").await?;
    let anna = live["agents"].as_array().context("no list")?.iter().find(|agent| agent["id"] == "anna");
    assert_eq!(anna.context("no Anna")?["reason"], "lunch", "{live}");
    api.agent("anna", "available").await?;
    script.saw("available again").await?;
    script.succeeds().await
}

#[tokio::test]
async fn an_agent_sees_the_present_call_and_the_own_history() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let (anna, _boris) = (ANNA.phone(&product).await?, BORIS.phone(&product).await?);
    ANNA.available(&product).await?;
    let mut script = Script::start("desk.mjs", &product.url())?;
    script.saw("no call").await?;

    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    script.saw("a customer").await.inspect_err(|_| eprintln!("{}", product.log()))?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    script.saw("in the history").await?;

    // Keys choose states: B and then 2 is a break for lunch.
    script.saw("lunch by key").await?;
    api.agent_is("anna", "break").await?;
    anna.command("dial", "sip:102@acme.example")?;
    script.saw("a colleague").await?;
    anna.command("hangup", "")?;
    script.succeeds().await
}

#[tokio::test]
async fn the_page_speaks_the_language_that_was_chosen() -> Result<()> {
    let product = Product::with_company().await?;
    let mut script = Script::start("language.mjs", &product.url())?;
    script.saw("Russian").await?;
    script.saw("Russian after a reload").await?;
    script.succeeds().await
}

#[tokio::test]
async fn the_operator_sees_the_cluster_by_the_administrators_token() -> Result<()> {
    let product = Product::start().await?;
    let token = std::fs::read_to_string(product.folder().join("data/admin.token"))?;
    let mut script = Script::start_with("operator.mjs", &product.url(), Some(token.trim()))?;
    for seen in ["a wrong token refused", "the cluster", "gone"] {
        script.saw(seen).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    }
    script.succeeds().await
}

#[tokio::test]
async fn the_page_lives_through_a_kill_of_the_node() -> Result<()> {
    let mut product = Product::start().await?;
    product.apply(&product.company()?.replace("max_wait: 15s", "max_wait: 5m"))?;
    let api = product.api()?;
    let _anna = ANNA.phone(&product).await?;
    ANNA.rests(&product).await?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    api.call_is("waiting").await?;
    let mut script = Script::start("outage.mjs", &product.url())?;
    script.saw("waiting").await?;
    product.kill()?;
    script.saw("connection lost").await?;
    product.revive().await?;
    script.saw("still waiting").await.inspect_err(|_| eprintln!("{}", product.log()))?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    script.saw("gone").await?;
    script.succeeds().await
}
