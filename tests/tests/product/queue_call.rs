//! The whole call: a customer calls the number, hears the greeting, waits with music, an agent's phone answers, both hear
//! each other, and the recording and the record say so.

use std::time::Duration;

use anyhow::Result;
use mangrove_tests::{
    baresip::{Baresip, Options as Phone},
    product::Product,
    sipp::{self, Options, Sipp},
    sound::{self, Sound},
    wait,
};

const CALLER: f64 = 440.0;
const AGENT: f64 = 700.0;

/// A caller at the carrier who talks for a while and hangs up.
fn caller(product: &Product, sound: &Sound, talk_ms: u32) -> Result<Sipp> {
    let scenario = [sipp::INVITE, sipp::ANSWERED, sipp::ACK, &sipp::pause(talk_ms), sipp::BYE].concat();
    Sipp::start(&scenario, &Options::caller(product, sound))
}

#[tokio::test]
async fn caller_and_agent_hear_each_other_and_the_record_says_so() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let phone = Baresip::start(&Phone::new("101", "anna-sip-password", product.sip, AGENT))?;
    api.agent("anna", "available").await?;
    api.agent_is("anna", "available").await?;

    let sound = Sound::start(CALLER)?;
    let call = caller(&product, &sound, 12_000)?;
    wait::until("the caller to hear the agent", async || sound.level(AGENT).filter(|level| *level > 0.9))
        .await
        .inspect_err(|_| eprintln!("{}\n{}\n{}", call.log(), phone.log(), product.log()))?;
    wait::until("the agent to hear the caller", async || phone.level(CALLER).filter(|level| *level > 0.8))
        .await
        .inspect_err(|_| eprintln!("{}", phone.log()))?;
    api.agent_is("anna", "busy").await?;
    call.succeeds(Duration::from_secs(30)).await?;

    let record = &api.cdrs(1).await?[0];
    assert_eq!(record["outcome"], "answered", "{record}");
    assert_eq!(record["employee"], "anna", "{record}");
    assert_eq!(record["ended_by"], "caller", "{record}");
    assert_eq!(record["caller"], "79161112233", "{record}");
    let talk = record["talk_ms"].as_u64().unwrap();
    assert!((2_000..12_500).contains(&talk), "talked {talk} ms: {record}");
    let spans = record["ended"].as_u64().unwrap() - record["started"].as_u64().unwrap();
    assert!((11_500..16_000).contains(&spans), "lasted {spans} ms: {record}");
    recording_has_both_sides(&product, record).await?;
    api.agent_is("anna", "available").await
}

async fn recording_has_both_sides(product: &Product, record: &serde_json::Value) -> Result<()> {
    let (call, id) = (record["call"].as_str().unwrap(), record["recordings"][0]["id"].as_str().unwrap());
    let bytes = product.api()?.bytes(&format!("/recordings/{call}/{id}")).await?;
    let mut wav = hound::WavReader::new(std::io::Cursor::new(bytes))?;
    assert_eq!((wav.spec().channels, wav.spec().sample_rate), (2, 8_000));
    let samples: Vec<i16> = wav.samples::<i16>().collect::<Result<_, _>>()?;
    let side = |side: usize| samples.iter().skip(side).step_by(2).copied().collect::<Vec<_>>();
    let middle = |samples: &[i16]| samples[samples.len() / 2 - 4_000..samples.len() / 2 + 4_000].to_vec();
    let (left, right) = (middle(&side(0)), middle(&side(1)));
    let level = |samples: &[i16], hertz| sound::level(samples, hertz, 8_000.0);
    assert!(
        level(&left, CALLER) > 0.9 && level(&left, AGENT) < 0.1,
        "the caller is left: {}",
        level(&left, CALLER)
    );
    assert!(
        level(&right, AGENT) > 0.8 && level(&right, CALLER) < 0.1,
        "the agent is right: {}",
        level(&right, AGENT)
    );
    Ok(())
}

#[tokio::test]
async fn the_story_tells_messages_decisions_and_media_in_order() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let _phone = Baresip::start(&Phone::new("101", "anna-sip-password", product.sip, AGENT))?;
    api.agent("anna", "available").await?;
    api.agent_is("anna", "available").await?;
    let sound = Sound::start(CALLER)?;
    caller(&product, &sound, 6_000)?.succeeds(Duration::from_secs(30)).await?;
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
