//! The caller hangs up in each state: while it rings or waits nothing stays behind, and there is one record each.

use std::time::Duration;

use anyhow::Result;
use mangrove_tests::{
    baresip::{Baresip, Options as Phone},
    product::Product,
    sipp::{self, Options, Sipp},
    sound::Sound,
    wait,
};

async fn call(product: &Product, pause_ms: u32) -> Result<()> {
    let sound = Sound::start(440.0)?;
    let scenario = [sipp::INVITE, sipp::ANSWERED, sipp::ACK, &sipp::pause(pause_ms), sipp::BYE].concat();
    let options = Options::caller(product, &sound);
    Sipp::start(&scenario, &options)?.succeeds(Duration::from_secs(40)).await
}

#[tokio::test]
async fn during_the_greeting_while_waiting_and_while_the_agent_rings() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let anna = Phone { answers: false, ..Phone::new("101", "anna-sip-password", product.sip, 700.0) };
    let _anna = Baresip::start(&anna)?;
    api.agent("anna", "available").await?;
    api.agent_is("anna", "available").await?;
    for (count, pause) in [200, 3_500, 6_000].into_iter().enumerate() {
        call(&product, pause).await.inspect_err(|_| eprintln!("{}", product.log()))?;
        let records = api.cdrs(count + 1).await?;
        assert_eq!(records.len(), count + 1);
        assert_eq!(records[0]["outcome"], "abandoned", "{}", records[0]);
        assert_eq!(records[0]["ended_by"], "caller", "{}", records[0]);
    }
    wait::until("nothing to be left of the calls", async || {
        let live = api.get("/live").await.ok()?;
        live["calls"].as_array()?.is_empty().then_some(())
    })
    .await?;
    api.agent_is("anna", "available").await
}
