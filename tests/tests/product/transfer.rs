//! The agent sends the caller on to a colleague and leaves.

use std::time::Duration;

use anyhow::Result;
use mangrove_tests::{
    baresip::{Baresip, Options as Phone},
    product::Product,
    sipp::{self, Options, Sipp},
    sound::Sound,
    wait,
};

#[tokio::test]
async fn blind_transfer_to_a_colleague() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let anna = Baresip::start(&Phone::new("101", "anna-sip-password", product.sip, 700.0))?;
    let _desk = Baresip::start(&Phone::new("190", "desk-sip-password", product.sip, 900.0))?;
    api.agent("anna", "available").await?;
    api.agent_is("anna", "available").await?;

    let sound = Sound::start(440.0)?;
    let scenario = [sipp::INVITE, sipp::ANSWERED, sipp::ACK, &sipp::pause(20_000), sipp::BYE].concat();
    let options = Options::caller(&product, &sound);
    let call = Sipp::start(&scenario, &options)?;
    wait::until("the caller to hear Anna", async || sound.level(700.0).filter(|level| *level > 0.8)).await?;
    anna.command("transfer", "sip:190@acme.example")?;
    wait::until("the caller to hear the secretary", async || sound.level(900.0).filter(|level| *level > 0.8))
        .await
        .inspect_err(|_| eprintln!("{}\n{}\n{}", call.log(), anna.log(), product.log()))?;
    call.succeeds(Duration::from_secs(40)).await?;

    let record = &api.cdrs(1).await?[0];
    assert_eq!(record["employee"], "desk", "{record}");
    assert_eq!(record["legs"].as_array().unwrap().len(), 3, "{record}");
    Ok(())
}
