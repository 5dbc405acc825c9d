//! kill -9 and start again: the call that was talked goes on, with its sound, its recording and one record.

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
async fn a_talk_survives_the_death_of_the_process() -> Result<()> {
    let mut product = Product::with_company().await?;
    let api = product.api()?;
    let phone = Baresip::start(&Phone::new("101", "anna-sip-password", product.sip, 700.0))?;
    api.agent("anna", "available").await?;
    api.agent_is("anna", "available").await?;
    let sound = Sound::start(440.0)?;
    let scenario = [sipp::INVITE, sipp::ANSWERED, sipp::ACK, &sipp::pause(22_000), sipp::BYE].concat();
    let options = Options::caller(&product, &sound);
    let call = Sipp::start(&scenario, &options)?;
    wait::until("the caller to hear the agent", async || sound.level(700.0).filter(|level| *level > 0.8))
        .await?;

    product.kill()?;
    sound.forget();
    product.revive().await?;
    wait::until("the caller to hear the agent again", async || {
        sound.level(700.0).filter(|level| *level > 0.8)
    })
    .await
    .inspect_err(|_| eprintln!("{}", product.log()))?;
    wait::until("the agent to hear the caller", async || phone.level(440.0).filter(|level| *level > 0.8))
        .await?;
    api.agent_is("anna", "busy").await?;
    call.succeeds(Duration::from_secs(40)).await?;

    let records = api.cdrs(1).await?;
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0]["outcome"], "answered", "{}", records[0]);
    assert_eq!(records[0]["ended_by"], "caller", "{}", records[0]);
    api.agent_is("anna", "available").await
}

#[tokio::test]
async fn configuration_and_agents_states_are_back() -> Result<()> {
    let mut product = Product::with_company().await?;
    let api = product.api()?;
    let before = api.get("/configuration").await?;
    let _phone = Baresip::start(&Phone::new("101", "anna-sip-password", product.sip, 700.0))?;
    api.agent_is("anna", "offline").await.or(api.agent("anna", "available").await)?;
    api.agent("anna", "break").await?;
    product.kill()?;
    product.revive().await?;
    assert_eq!(api.get("/configuration").await?, before);
    api.agent_is("anna", "break").await
}
