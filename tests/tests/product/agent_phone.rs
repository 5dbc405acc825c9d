//! An agent whose phone is the page itself, in Debian's Chromium: her shift, a customer's call, the same call after a reload
//! and in another tab. What is done in the browser stands in `tests/web`.

use std::time::Duration;

use anyhow::Result;
use mangrove_tests::{
    browser::Script,
    people::ANNA,
    product::Product,
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};

const CALLER: f64 = 440.0;

/// Waits until Anna's shift has begun; then a customer calls, and she answers by a key.
async fn talks(script: &mut Script, product: &Product, caller: &Sound) -> Result<Sipp> {
    for seen in ["registered", "available"] {
        script.saw(seen).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    }
    product.api()?.agent_is("anna", "available").await?;
    let call = Sipp::call(product, caller, &[sipp::CUE, sipp::BYE])?;
    for seen in ["the card", "hears the customer"] {
        script.saw(seen).await.inspect_err(|_| eprintln!("{}\n{}", call.log(), product.log()))?;
    }
    Ok(call)
}

/// The customer hangs up, the page shows it, and there is one record of it all.
async fn ends(mut script: Script, product: &Product, call: Sipp) -> Result<()> {
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    script.saw("hung up").await?;
    script.succeeds().await?;
    let record = &product.api()?.cdrs(1).await?[0];
    for (key, wanted) in
        [("outcome", "answered"), ("employee", "anna"), ("group", "200"), ("cause", "hung-up")]
    {
        assert_eq!(record[key], wanted, "{key}: {record}");
    }
    Ok(())
}

#[tokio::test]
async fn an_agent_takes_a_call_in_the_page_and_keeps_it_over_a_reload() -> Result<()> {
    let product = Product::with_company().await?;
    let mut script = Script::start("agent_phone.mjs", &product.url())?;
    let caller = Sound::start(CALLER)?;
    let call = talks(&mut script, &product, &caller).await?;
    caller.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}", product.log()))?;

    script.saw("talks after a reload").await.inspect_err(|_| eprintln!("{}", product.log()))?;
    product.api()?.call_is("talking").await?;
    caller.forget();
    caller.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    ends(script, &product, call).await
}

#[tokio::test]
async fn another_tab_takes_the_phone_over_with_its_call_and_stays_muted() -> Result<()> {
    let product = Product::with_company().await?;
    let mut script = Script::start("agent_phone_tabs.mjs", &product.url())?;
    let caller = Sound::start(CALLER)?;
    let call = talks(&mut script, &product, &caller).await?;

    for seen in ["muted", "talks in the other tab"] {
        script.saw(seen).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    }
    product.api()?.call_is("talking").await?;
    caller.forget();
    let silent = async || caller.level(ANNA.hertz).filter(|level| *level < 0.1);
    wait::until("the muted agent not to be heard", silent).await?;
    ends(script, &product, call).await
}
