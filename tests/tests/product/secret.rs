//! An agent's phone whose sound is SRTP, and a caller who has never heard of it.

use std::time::Duration;

use anyhow::Result;
use mangrove_tests::{
    baresip::Options,
    people::ANNA,
    product::Product,
    recording::{Recording, Side},
    sipp::{self, Sipp},
    sound::Sound,
};

const CALLER: f64 = 440.0;

/// A company whose agent's phone is to be offered this.
async fn company(srtp: &str) -> Result<Product> {
    let product = Product::start().await?;
    let (plain, secret) = ("password: \"anna-sip-password\"", "password: \"anna-sip-password\", srtp: ");
    product.apply(&product.company()?.replace(plain, &format!("{secret}{srtp}")))?;
    Ok(product)
}

async fn they_talk(srtp: &str, encryption: &str) -> Result<()> {
    let product = company(srtp).await?;
    let api = product.api()?;
    let anna = ANNA.start(&product, &Options { encryption, ..ANNA.account(&product) }).await?;
    ANNA.available(&product).await?;

    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    api.call_is("talking").await.inspect_err(|_| eprintln!("{}\n{}", anna.log(), product.log()))?;
    anna.log_says("SRTP is Enabled").await?;
    sound.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}\n{}", anna.log(), product.log()))?;
    anna.hears(CALLER).await?;
    // A whole second more is heard while both talk: so long both are in the recording.
    sound.forget();
    sound.hears(ANNA.hertz).await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;

    let record = &api.cdrs(1).await?[0];
    let recording = Recording::of(&api, record).await?;
    for (side, hertz) in [(Side::Left, CALLER), (Side::Right, ANNA.hertz)] {
        assert!(recording.has_only_on(side, hertz), "{side:?}: {:?}", recording.levels(side, hertz));
    }
    let call = record["call"].as_str().unwrap_or_default();
    let story = api.get(&format!("/calls/{call}/story")).await?.to_string();
    assert!(story.contains("a=crypto:…") && !story.contains("inline:"), "{story}");
    Ok(())
}

#[tokio::test]
async fn a_phone_that_must_be_srtp_talks_with_a_caller_who_is_plain() -> Result<()> {
    they_talk("require", "srtp-mand").await
}

#[tokio::test]
async fn a_phone_that_may_be_srtp_is() -> Result<()> {
    they_talk("prefer", "srtp").await
}
