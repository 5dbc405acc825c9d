//! The whole call: a customer calls the number, hears the greeting, waits with music, an agent's phone answers, both hear
//! each other, and the recording and the record say so.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use mangrove_tests::{
    people::ANNA,
    product::Product,
    recording::{Recording, Side},
    sipp::{self, Options, Sipp},
    sound::Sound,
    wait,
};
use serde_json::Value;

const CALLER: f64 = 440.0;

/// Two readings of one clock, by two processes.
const CLOCKS_MS: u64 = 50;
/// The greeting takes longer, and is no waiting.
const GREETING_MS: u64 = 3_000;

/// Milliseconds since 1970, of the test's own clock.
fn now() -> Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64)
}

fn figure(record: &Value, key: &str) -> u64 {
    record[key].as_u64().unwrap_or_default()
}

/// Between what the test did to bring it about and what it saw of it.
fn assert_within(record: &Value, key: &str, [from, to]: [u64; 2]) {
    let found = figure(record, key);
    let range = from.saturating_sub(CLOCKS_MS)..=to + CLOCKS_MS;
    assert!(range.contains(&found), "{key} is {found}, not within {range:?}: {record}");
}

async fn assert_sides(product: &Product, record: &Value) -> Result<()> {
    let recording = Recording::of(&product.api()?, record).await?;
    assert!(recording.has_only_on(Side::Left, CALLER), "the caller is left");
    assert!(recording.has_only_on(Side::Right, ANNA.hertz), "the agent is right");
    let (seconds, talk) = (recording.seconds(), record["talk_ms"].as_u64().unwrap_or_default() as f64 / 1e3);
    assert!((seconds - talk).abs() < 0.5, "recorded {seconds} s of {talk} s");
    Ok(())
}

#[tokio::test]
async fn caller_and_agent_hear_each_other_and_the_record_has_the_true_times() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let anna = ANNA.phone(&product).await?;
    ANNA.rests(&product).await?;

    let sound = Sound::start(CALLER)?;
    let calls = now()?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    api.call_is("waiting").await?;
    let waits = now()?;
    sound.forget();
    wait::until("a second of music", async || sound.level(ANNA.hertz)).await?;
    let offered = now()?;
    api.agent("anna", "available").await?;
    api.call_is("talking").await?;
    let answered = now()?;
    sound.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}\n{}", anna.log(), product.log()))?;
    anna.hears(CALLER).await?;
    api.agent_is("anna", "busy").await?;
    let hangs_up = now()?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    let ended = now()?;

    let record = &api.cdrs(1).await?[0];
    for (key, wanted) in [
        ("outcome", "answered"),
        ("employee", "anna"),
        ("group", "200"),
        ("ended_by", "caller"),
        ("cause", "hung-up"),
        ("caller", "79161112233"),
        ("number", "74951234567"),
        ("source", "website"),
        ("trunk", "carrier"),
    ] {
        assert_eq!(record[key], wanted, "{key}: {record}");
    }
    for (key, range) in [
        ("started", [calls, waits]),
        ("answered", [offered, answered]),
        ("ended", [hangs_up, ended]),
        ("wait_ms", [offered - waits, answered - calls - GREETING_MS]),
        ("talk_ms", [hangs_up - answered, ended - offered]),
    ] {
        assert_within(record, key, range);
    }
    assert!(
        figure(record, "wait_ms") + GREETING_MS <= figure(record, "answered") - figure(record, "started")
    );
    assert_sides(&product, record).await?;
    api.agent_is("anna", "available").await
}

#[tokio::test]
async fn a_tone_that_sipp_plays_reaches_the_agent_and_the_recording() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let anna = ANNA.phone(&product).await?;
    ANNA.available(&product).await?;
    let invite = sipp::INVITE.replace("[media]", "[rtpstream_audio_port]");
    let scenario = [invite.as_str(), sipp::ANSWERED, sipp::ACK, sipp::PLAY, sipp::CUE, sipp::BYE].concat();
    // Its own stream, so the test's takes no part.
    let options = Options { media: 0, tone: Some(CALLER), ..Options::caller(&product, &Sound::start(0.0)?) };
    let call = Sipp::start(&scenario, &options)?;
    anna.hears(CALLER).await.inspect_err(|_| eprintln!("{}\n{}", call.log(), product.log()))?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    assert_sides(&product, &api.cdrs(1).await?[0]).await
}

#[tokio::test]
async fn the_story_tells_messages_decisions_and_media_in_order() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let _anna = ANNA.phone(&product).await?;
    ANNA.available(&product).await?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    api.call_is("talking").await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    let call = api.cdrs(1).await?[0]["call"].as_str().unwrap().to_owned();

    let story = api.get(&format!("/calls/{call}/story")).await?;
    let titles: Vec<&str> =
        story.as_array().unwrap().iter().filter_map(|entry| entry["title"].as_str()).collect();
    let position = |start: &str| titles.iter().position(|title| title.starts_with(start));
    assert!(position("INVITE").is_some() && position("INVITE") < position("200"), "{titles:?}");
    assert!(position("200") < position("BYE"), "{titles:?}");
    assert!(!story.to_string().contains("79161112233"), "numbers are shortened: {story}");
    let printed = product.command(&["call", "--tenant", "acme", &call])?;
    let text = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.status.success() && text.contains("INVITE") && text.contains("BYE"), "{text}");
    Ok(())
}
