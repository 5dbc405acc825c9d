//! A recording is paused while a card's number is said, as an agent's page asks for it: the paused seconds are silent on both
//! sides, the talk goes on, and the record says where.

use std::time::Duration;

use anyhow::{Context, Result};
use mangrove_tests::{
    people::ANNA,
    product::Product,
    recording::{Recording, Side},
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};
use serde_json::json;

const CALLER: f64 = 440.0;
/// Halves of seconds are compared.
const HALF_MS: u64 = 500;
/// A mark's place is control's, the sound's is the media node's.
const SPARE_MS: u64 = 200;

/// Waits until both were heard for so many seconds more.
async fn talks_on(sound: &Sound, seconds: usize) -> Result<()> {
    for _ in 0..seconds {
        sound.forget();
        let heard = async || sound.level(ANNA.hertz).filter(|level| *level > 0.9);
        wait::until("a second more of Anna", heard).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_said_in_a_pause_is_not_recorded_and_the_record_says_where() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let anna = ANNA.phone(&product).await?;
    ANNA.available(&product).await?;
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;
    anna.hears(CALLER).await?;
    let live = api.call_is("talking").await?;
    let path = format!("/calls/{}/recording", live["id"].as_str().context("no id")?);
    let (pause, resume) = (json!({"action": "pause"}), json!({"action": "resume"}));
    talks_on(&sound, 2).await?;
    // A company that was just made may have to wait for the newest rules.
    wait::until("the pause", async || api.post(&path, &pause).await.ok()).await?;
    assert_eq!(api.call_is("talking").await?["pause"], "confirmed");
    talks_on(&sound, 3).await?;
    api.post(&path, &resume).await?;
    assert!(api.call_is("talking").await?.get("pause").is_none());
    talks_on(&sound, 2).await?;
    let refused = api.post(&path, &json!({"action": "stop"})).await;
    assert!(format!("{refused:?}").contains("422"), "it is recorded by rule: {refused:?}");
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;

    let record = &api.cdrs(1).await?[0];
    let mark = &record["recordings"][0]["marks"][0];
    assert_eq!(mark["kind"], "pause", "{record}");
    let place = |name: &str| mark[name].as_u64().with_context(|| format!("no {name}: {record}"));
    let (from, until) = (place("at_ms")?, place("until_ms")?);
    assert!(until - from >= 3_000, "{record}");
    let paused = (from + SPARE_MS).div_ceil(HALF_MS) as usize..((until - SPARE_MS) / HALF_MS) as usize;
    let recording = Recording::of(&api, record).await?;
    for (side, hertz) in [(Side::Left, CALLER), (Side::Right, ANNA.hertz)] {
        let levels = recording.levels(side, hertz);
        let is_clear = |levels: &[f64]| levels.iter().any(|level| *level > 0.9);
        assert!(is_clear(&levels[..paused.start]), "{hertz} before: {levels:?}");
        let is_silent = levels[paused.clone()].iter().all(|level| *level < 0.05);
        assert!(is_silent, "{hertz} in {paused:?}: {levels:?}");
        assert!(is_clear(&levels[paused.end..]), "{hertz} after: {levels:?}");
    }
    let talk = record["talk_ms"].as_u64().unwrap_or_default();
    assert!(recording.seconds() > talk as f64 / 1e3 - 0.5, "the pause is as long as it was: {record}");
    Ok(())
}
