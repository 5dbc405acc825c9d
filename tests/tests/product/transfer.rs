//! The agent sends the caller on to a colleague and leaves, by phone and by page; the agent holds and resumes. All in a
//! recorded call of a customer's.

use std::time::Duration;

use anyhow::{Context, Result};
use mangrove_tests::{
    browser::Script,
    people::{ANNA, DESK},
    product::Product,
    recording::{Recording, Side},
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};
use serde_json::json;

const CALLER: f64 = 440.0;

/// Where a tone is first clear, in half seconds from the start.
fn first(levels: &[f64]) -> Option<usize> {
    levels.iter().position(|level| *level > 0.9)
}

#[tokio::test]
async fn blind_transfer_to_a_colleague() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let (anna, desk) = (ANNA.phone(&product).await?, DESK.phone(&product).await?);
    ANNA.available(&product).await?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;
    anna.hears(CALLER).await?;

    anna.command("transfer", "sip:190@acme.example")?;
    sound.hears(DESK.hertz).await.inspect_err(|_| eprintln!("{}\n{}", anna.log(), product.log()))?;
    desk.hears(CALLER).await?;
    anna.hung_up().await?;
    api.agent_is("anna", "available").await?;
    let talk = api.call_is("talking").await?;
    assert_eq!(talk["employee"], "desk", "{talk}");
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;

    let record = &api.cdrs(1).await?[0];
    assert_eq!(record["employee"], "desk", "{record}");
    assert_eq!(record["legs"].as_array().map(Vec::len), Some(3), "{record}");
    let recording = Recording::of(&api, record).await?;
    assert!(recording.has_only_on(Side::Left, CALLER), "the caller stays left");
    assert!(recording.has_only_on(Side::Right, ANNA.hertz), "Anna is right");
    assert!(recording.has_only_on(Side::Right, DESK.hertz), "so is the secretary");
    let starts = |hertz| first(&recording.levels(Side::Right, hertz));
    assert!(starts(ANNA.hertz) < starts(DESK.hertz), "the secretary comes after Anna");
    Ok(())
}

#[tokio::test]
async fn an_agent_with_a_desk_phone_transfers_by_wish() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let (anna, desk) = (ANNA.phone(&product).await?, DESK.phone(&product).await?);
    ANNA.available(&product).await?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;
    anna.hears(CALLER).await?;

    let person = api.as_person("anna@acme.example", "anna-web-password").await?;
    let directory = person.get("/directory").await?;
    let listed = directory.as_array().context("no list")?.iter().find(|one| one["id"] == "desk");
    assert_eq!(listed.context("no secretary")?["extension"], "190", "{directory}");
    let talk = api.call_is("talking").await?;
    let path = format!("/calls/{}/transfer", talk["id"].as_str().context("a call without an id")?);
    for (to, word) in [("999", "nobody has the number"), ("102", "no phone")] {
        let Err(refused) = person.post(&path, &json!({ "to": to })).await else {
            anyhow::bail!("nobody is at {to}")
        };
        let refused = refused.to_string();
        assert!(refused.contains("422") && refused.contains(word), "{refused}");
    }

    person.post(&path, &json!({ "to": "190" })).await?;
    sound.hears(DESK.hertz).await.inspect_err(|_| eprintln!("{}\n{}", anna.log(), product.log()))?;
    desk.hears(CALLER).await?;
    anna.hung_up().await?;
    assert_eq!(api.call_is("talking").await?["employee"], "desk");
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    let record = &api.cdrs(1).await?[0];
    assert_eq!(record["employee"], "desk", "{record}");
    let audit = api.get("/audit?action=transfer").await?;
    assert_eq!(audit["items"][0]["author"], "anna@acme.example", "{audit}");
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(1), "{audit}");
    Ok(())
}

#[tokio::test]
async fn the_page_finds_a_colleague_and_counts_the_wrap_up_down() -> Result<()> {
    let product = Product::with_company().await?;
    let (anna, desk) = (ANNA.phone(&product).await?, DESK.phone(&product).await?);
    ANNA.available(&product).await?;
    let mut script = Script::start("transfer.mjs", &product.url())?;
    script.saw("no call").await?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    script.saw("sent on").await.inspect_err(|_| eprintln!("{}\n{}", anna.log(), product.log()))?;
    sound.hears(DESK.hertz).await?;
    desk.hears(CALLER).await?;
    script.saw("wrap-up").await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    script.succeeds().await
}

#[tokio::test]
async fn a_customer_is_held_and_resumed() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let anna = ANNA.phone(&product).await?;
    ANNA.available(&product).await?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;
    anna.hears(CALLER).await?;

    anna.command("hold", "")?;
    api.call_is("held").await?;
    let music = async || sound.level(ANNA.hertz).filter(|level| *level < 0.1);
    wait::until("the customer to hear music instead of Anna", music).await?;
    anna.command("resume", "")?;
    api.call_is("talking").await?;
    sound.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}\n{}", anna.log(), product.log()))?;
    sound.forget();
    sound.hears(ANNA.hertz).await?;
    anna.hears(CALLER).await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;

    let record = &api.cdrs(1).await?[0];
    let (held, talked) = (record["hold_ms"].as_u64(), record["talk_ms"].as_u64());
    assert!(held > Some(500) && held < talked, "{record}");
    let recording = Recording::of(&api, record).await?;
    assert!(recording.has_only_on(Side::Left, CALLER), "the caller is left");
    assert!(recording.has_only_on(Side::Right, ANNA.hertz), "Anna is right");
    let talks = recording.levels(Side::Right, ANNA.hertz);
    let silent = talks.iter().skip(first(&talks).unwrap_or_default()).filter(|level| **level < 0.1).count();
    assert!(silent > 0, "Anna is not heard while she holds: {talks:?}");
    assert!(talks.iter().rev().take(3).any(|level| *level > 0.9), "and is again afterwards: {talks:?}");
    Ok(())
}
