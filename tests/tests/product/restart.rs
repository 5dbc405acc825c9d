//! kill -9 and start again, in each state of a call: a talk goes on with its sound and its recording, a phone rings on,
//! who waited keeps the place in line, and a call whose far end is gone meanwhile ends with a record.

use std::time::Duration;

use anyhow::{Context, Result};
use mangrove_tests::{
    api::Api,
    baresip::{Baresip, Options as Phone},
    people::ANNA,
    product::Product,
    sipp::{self, Options, Sipp},
    sound::Sound,
    wait,
};

const CALLER: f64 = 440.0;

/// The company, and Anna who takes calls.
async fn company() -> Result<(Product, Api, Baresip)> {
    let product = Product::with_company().await?;
    let (api, anna) = (product.api()?, ANNA.phone(&product).await?);
    ANNA.available(&product).await?;
    Ok((product, api, anna))
}

#[tokio::test]
async fn a_talk_goes_on() -> Result<()> {
    let (mut product, api, anna) = company().await?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;

    product.kill()?;
    sound.forget();
    product.revive().await?;
    sound.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    anna.hears(CALLER).await?;
    api.agent_is("anna", "busy").await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;

    let records = api.cdrs(1).await?;
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0]["outcome"], "answered", "{}", records[0]);
    assert_eq!(records[0]["ended_by"], "caller", "{}", records[0]);
    assert_eq!(records[0]["recordings"].as_array().context("no list")?.len(), 1, "{}", records[0]);
    api.agent_is("anna", "available").await
}

/// Call-ID and topmost branch of each INVITE that a tracing phone has got.
fn invites(phone: &Baresip) -> Vec<(String, String)> {
    let log = phone.log();
    let received = log.split("INVITE sip:").skip(1).filter_map(|rest| {
        let message = rest.split("\r\n\r\n").next()?;
        let call = message.lines().find_map(|line| line.strip_prefix("Call-ID: "))?;
        let branch = message.split("branch=").nth(1)?.split([';', '\r', '\n', ',']).next()?;
        Some((call.trim().to_owned(), branch.to_owned()))
    });
    received.collect()
}

#[tokio::test]
async fn a_phone_rings_on_and_is_answered() -> Result<()> {
    let mut product = Product::start().await?;
    // The phone rings for as long as a slow machine takes to start the product.
    product.apply(
        &product.company()?.replace("ring: 7s", "ring: 60s").replace("max_wait: 15s", "max_wait: 5m"),
    )?;
    let api = product.api()?;
    let anna =
        ANNA.start(&product, &Phone { answers: false, traces: true, ..ANNA.account(&product) }).await?;
    ANNA.available(&product).await?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    api.agent_is("anna", "ringing").await?;
    wait::until("the phone to ring", async || (!invites(&anna).is_empty()).then_some(())).await?;

    product.kill()?;
    let before = invites(&anna).len();
    product.revive().await?;
    // The new process owes the INVITE as nobody has answered it. The phone must know it again.
    wait::until("the INVITE to come again", async || (invites(&anna).len() > before).then_some(()))
        .await
        .inspect_err(|_| eprintln!("{}\n{}", anna.log(), product.log()))?;
    let mut different = invites(&anna);
    different.dedup();
    assert_eq!(different.len(), 1, "one call and one transaction: {different:?}");
    api.agent_is("anna", "ringing").await?;

    anna.accept().await?;
    sound.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    anna.hears(CALLER).await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    let records = api.cdrs(1).await?;
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0]["outcome"], "answered", "{}", records[0]);
    api.agent_is("anna", "available").await
}

/// The calls in line, first one first.
async fn line(api: &Api) -> Option<Vec<String>> {
    let live = api.get("/live").await.ok()?;
    let waiting = live["queues"][0]["waiting"].as_array()?;
    waiting.iter().map(|one| one["call"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn who_waited_keeps_the_place_in_line() -> Result<()> {
    let (mut product, api, _anna) = company().await?;
    ANNA.rests(&product).await?;
    let sound = Sound::start(CALLER)?;
    let scenario = [sipp::INVITE, sipp::ANSWERED, sipp::ACK, sipp::AWAIT_BYE].concat();
    let _callers = Sipp::start(&scenario, &Options { calls: 2, ..Options::caller(&product, &sound) })?;
    let two = async || line(&api).await.filter(|line| line.len() == 2);
    let before = wait::until("two callers in line", two).await?;

    product.kill()?;
    product.revive().await?;
    let after = wait::until("two callers in line again", two).await?;
    assert_eq!(after, before);
    api.agent("anna", "available").await?;
    let answered = async || {
        let live = api.get("/live").await.ok()?;
        let call = live["calls"].as_array()?.iter().find(|call| call["state"] == "talking")?.clone();
        call["id"].as_str().map(str::to_owned)
    };
    let first = wait::until("somebody to be answered", answered).await?;
    assert_eq!(Some(&first), before.first(), "the first in line is answered first");
    assert_eq!(line(&api).await.as_deref(), before.get(1..), "the other waits on");
    Ok(())
}

#[tokio::test]
async fn a_caller_who_vanished_meanwhile_gets_a_record_and_the_agent_is_free() -> Result<()> {
    let (mut product, api, anna) = company().await?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;
    product.kill()?;
    drop((call, sound));
    product.revive().await?;

    let ended = async || api.get("/cdrs").await.ok()?["items"].as_array()?.first().cloned();
    let record = wait::within(Duration::from_secs(45), "the call to be given up", ended).await?;
    let cause = record["cause"].as_str().unwrap_or_default();
    assert!(["media-lost", "far-end-gone"].contains(&cause), "{record}");
    assert_eq!(record["outcome"], "failed", "{record}");
    assert_eq!(record["ended_by"], "system", "{record}");
    anna.hung_up().await?;
    api.agent_is("anna", "available").await
}

#[tokio::test]
async fn configuration_and_agents_states_are_back() -> Result<()> {
    let mut product = Product::with_company().await?;
    let api = product.api()?;
    let before = api.get("/configuration").await?;
    let _phone = ANNA.phone(&product).await?;
    ANNA.rests(&product).await?;
    product.kill()?;
    product.revive().await?;
    assert_eq!(api.get("/configuration").await?, before);
    api.agent_is("anna", "break").await
}
