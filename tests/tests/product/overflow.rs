//! Callers whom no agent takes: after 15 s they go to the secretary.

use std::time::{Duration, Instant};

use anyhow::Result;
use mangrove_tests::{
    baresip::{Baresip, Options as Phone},
    product::Product,
    sipp::{self, Options, Sipp},
    sound::Sound,
    wait,
};

#[tokio::test]
async fn after_fifteen_seconds_the_secretary_is_rung() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    // Anna's phone rings and is never picked up: somebody is there, so the caller waits.
    let anna = Phone { answers: false, ..Phone::new("101", "anna-sip-password", product.sip, 700.0) };
    let _anna = Baresip::start(&anna)?;
    let _desk = Baresip::start(&Phone::new("190", "desk-sip-password", product.sip, 900.0))?;
    api.agent("anna", "available").await?;
    api.agent_is("anna", "available").await?;

    let sound = Sound::start(440.0)?;
    let scenario = [sipp::INVITE, sipp::ANSWERED, sipp::ACK, &sipp::pause(26_000), sipp::BYE].concat();
    let options = Options::caller(&product, &sound);
    let started = Instant::now();
    let call = Sipp::start(&scenario, &options)?;
    wait::within(Duration::from_secs(30), "the caller to hear the secretary", async || {
        sound.level(900.0).filter(|level| *level > 0.8)
    })
    .await
    .inspect_err(|_| eprintln!("{}\n{}", call.log(), product.log()))?;
    let waited = started.elapsed().as_secs();
    assert!((15..26).contains(&waited), "rung after {waited} s");
    call.succeeds(Duration::from_secs(30)).await?;

    let record = &api.cdrs(1).await?[0];
    assert_eq!(record["employee"], "desk", "{record}");
    assert_eq!(record["outcome"], "answered", "{record}");
    Ok(())
}
