//! An agent's phone that does not speak what the caller speaks: their media node makes one into the other.

use std::time::Duration;

use anyhow::Result;
use mangrove_tests::{
    baresip::{Codec, G722, OPUS, Options},
    people::ANNA,
    product::Product,
    recording::{Recording, Side},
    sipp::{self, Sipp},
    sound::Sound,
};

const CALLER: f64 = 440.0;

/// A caller with A-law and an agent with nothing but this.
async fn they_talk(codec: Codec) -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let anna = ANNA.start(&product, &Options { codec, ..ANNA.account(&product) }).await?;
    ANNA.available(&product).await?;

    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    api.call_is("talking").await.inspect_err(|_| eprintln!("{}\n{}", anna.log(), product.log()))?;
    sound.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}\n{}", anna.log(), product.log()))?;
    anna.hears(CALLER).await?;
    // A whole second more is heard while both talk: so long both are in the recording.
    sound.forget();
    sound.hears(ANNA.hertz).await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;

    let recording = Recording::of(&api, &api.cdrs(1).await?[0]).await?;
    assert!(recording.has_only_on(Side::Left, CALLER), "{:?}", recording.levels(Side::Left, CALLER));
    assert!(
        recording.has_only_on(Side::Right, ANNA.hertz),
        "{:?}",
        recording.levels(Side::Right, ANNA.hertz)
    );
    Ok(())
}

#[tokio::test]
async fn an_agent_whose_phone_speaks_g722_alone_talks_with_a_caller_who_does_not() -> Result<()> {
    they_talk(G722).await
}

#[tokio::test]
async fn an_agent_whose_phone_speaks_opus_alone_talks_with_a_caller_who_does_not() -> Result<()> {
    they_talk(OPUS).await
}
