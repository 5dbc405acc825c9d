//! Phones that are Debian's Chromium: called by a customer and calling a colleague, heard and hearing. What the page does
//! stands in `tests/web`.

use std::time::Duration;

use anyhow::Result;
use mangrove_tests::{
    browser::Script,
    people::{ANNA, BORIS},
    product::{Options, Product},
    recording::{Recording, Side},
    sipp::{self, Sipp},
    sound::Sound,
    turn::Turn,
};

const CALLER: f64 = 440.0;

#[tokio::test]
async fn a_customer_talks_with_an_agent_in_a_browser() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let mut script = Script::start("phone_rings.mjs", &product.url())?;
    script.saw("registered 200").await.inspect_err(|_| eprintln!("{}", product.log()))?;
    ANNA.available(&product).await?;
    let caller = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &caller, &[sipp::CUE, sipp::BYE])?;
    script.saw("answered").await.inspect_err(|_| eprintln!("{}", product.log()))?;
    api.call_is("talking").await?;
    caller.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    script.saw("hears the caller").await.inspect_err(|_| eprintln!("{}", product.log()))?;
    // Some more of it, for the recording.
    caller.forget();
    caller.hears(ANNA.hertz).await?;
    caller.forget();
    caller.hears(ANNA.hertz).await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    script.saw("hung up").await?;
    script.succeeds().await?;

    let record = &api.cdrs(1).await?[0];
    assert_eq!((&record["outcome"], &record["employee"]), (&"answered".into(), &"anna".into()), "{record}");
    let recording = Recording::of(&api, record).await?;
    let levels = |hertz| (recording.levels(Side::Left, hertz), recording.levels(Side::Right, hertz));
    assert!(recording.has_only_on(Side::Left, CALLER), "the customer is left: {:?}", levels(CALLER));
    assert!(recording.has_only_on(Side::Right, ANNA.hertz), "Anna is right: {:?}", levels(ANNA.hertz));
    Ok(())
}

#[tokio::test]
async fn a_browser_calls_a_desk_phone() -> Result<()> {
    let product = Product::with_company().await?;
    let boris = BORIS.phone(&product).await?;
    let mut script = Script::start("phone_calls.mjs", &product.url())?;
    script.saw("called 200").await.inspect_err(|_| eprintln!("{}\n{}", boris.log(), product.log()))?;
    script.saw("hears Boris").await.inspect_err(|_| eprintln!("{}\n{}", boris.log(), product.log()))?;
    boris.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    boris.command("hangup", "")?;
    script.saw("hung up").await?;
    script.succeeds().await
}

#[tokio::test]
async fn a_browser_with_a_ticket_hears_itself_by_a_turn_server_alone() -> Result<()> {
    let turn = Turn::start().await?;
    let product =
        Product::with_company_at(Options { more: turn.table().leak(), ..Options::default() }).await?;
    let logs = || eprintln!("{}\n{}", turn.log(), product.log());
    let mut script = Script::start("phone_relayed.mjs", &product.url())?;
    script.saw("told of 1 servers").await.inspect_err(|_| logs())?;
    script.saw("registered 200").await.inspect_err(|_| logs())?;
    script.saw("called 200").await.inspect_err(|_| logs())?;
    script.saw("hears itself by relay").await.inspect_err(|_| logs())?;
    script.succeeds().await
}
