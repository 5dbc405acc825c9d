//! A phone that dies in a talk says nothing: its silence ends the call.

use std::time::{Duration, Instant};

use anyhow::Result;
use mangrove_tests::{
    people::ANNA,
    product::Product,
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};

/// RTP timeout, of reliability's table.
const LIMIT: Duration = Duration::from_secs(35);

#[tokio::test]
async fn an_agents_phone_that_dies_ends_the_call_within_35_seconds() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let anna = ANNA.phone(&product).await?;
    ANNA.available(&product).await?;
    let sound = Sound::start(440.0)?;
    let caller = Sipp::call(&product, &sound, &[sipp::AWAIT_BYE])?;
    sound.hears(ANNA.hertz).await?;

    let died = Instant::now();
    drop(anna);
    let ended = async || api.get("/cdrs").await.ok()?["items"].as_array()?.first().cloned();
    let record = wait::within(Duration::from_secs(60), "the call to be given up", ended)
        .await
        .inspect_err(|_| eprintln!("{}", product.log()))?;
    let after = died.elapsed();
    assert!(after < LIMIT, "given up after {after:?}");
    assert_eq!((&record["cause"], &record["outcome"]), (&"media-lost".into(), &"failed".into()), "{record}");
    assert_eq!(record["ended_by"], "system", "{record}");
    caller.succeeds(Duration::from_secs(10)).await?;
    api.quiet().await
}
