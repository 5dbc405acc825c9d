//! What a stranger, a typo or a full house gets: a clear answer, and nothing changed.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use mangrove_tests::{
    ports,
    product::Product,
    sipp::{self, Options, Sipp},
    sound::Sound,
    wait,
};

fn refused(status: u16) -> String {
    format!(
        "{}\n<recv response=\"100\" optional=\"true\"/>\n<recv response=\"{status}\" rrs=\"true\"/>\n{}",
        sipp::INVITE,
        sipp::ACK
    )
}

fn options(product: &Product, sound: &Sound, called: &str) -> Options {
    Options { called: called.into(), ..Options::caller(product, sound) }
}

/// An address that is no trunk's.
fn elsewhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], ports::free()))
}

#[tokio::test]
async fn an_unknown_number_and_a_stranger_get_nowhere() -> Result<()> {
    let product = Product::with_company().await?;
    let sound = Sound::start(440.0)?;
    let unknown = Sipp::start(&refused(404), &options(&product, &sound, "74950000000"))?;
    unknown.succeeds(Duration::from_secs(20)).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    let stranger = Options { local: elsewhere(), ..options(&product, &sound, "74951234567") };
    Sipp::start(&refused(404), &stranger)?.succeeds(Duration::from_secs(20)).await
}

#[tokio::test]
async fn the_call_after_the_last_channel_is_busy() -> Result<()> {
    let product = Product::start().await?;
    let any_port = format!("from: [\"127.0.0.1:{}\"]", product.carrier);
    let company = product
        .company()?
        .replace("channels: 100 ", "channels: 1 ")
        .replace(&any_port, "from: [\"127.0.0.1\"]");
    product.apply(&company)?;
    let sound = Sound::start(440.0)?;
    let talk = [sipp::INVITE, sipp::ANSWERED, sipp::ACK, sipp::AWAIT_BYE].concat();
    let first = Sipp::start(&talk, &options(&product, &sound, "74951234567"))?;
    wait::until("the first call to be up", async || {
        let live = product.api().ok()?.get("/live").await.ok()?;
        (live["calls"].as_array()?.len() == 1).then_some(())
    })
    .await?;
    let second = Options { local: elsewhere(), ..options(&product, &sound, "74951234567") };
    Sipp::start(&refused(486), &second)?.succeeds(Duration::from_secs(20)).await?;
    first.succeeds(Duration::from_secs(30)).await?;
    let records = product.api()?.cdrs(2).await?;
    assert!(
        records.iter().any(|record| record["outcome"] == "busy"),
        "the refused call has its record too: {records:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_bad_file_names_its_line_and_changes_nothing() -> Result<()> {
    let product = Product::with_company().await?;
    let before = product.api()?.get("/configuration").await?;
    let yaml = product.company()?.replace("strategy: longest-idle", "strategy: fastest");
    let error = product.apply(&yaml).unwrap_err().to_string();
    let line = yaml.lines().position(|line| line.contains("fastest")).unwrap() + 1;
    assert!(error.contains(&format!("company.yaml:{line}")), "{error}");
    assert!(
        error.contains("strategy") && error.contains("longest-idle"),
        "names the key and what is allowed: {error}"
    );
    assert_eq!(product.api()?.get("/configuration").await?, before);
    Ok(())
}

#[tokio::test]
async fn applied_twice_changes_nothing() -> Result<()> {
    let product = Product::with_company().await?;
    let before = product.api()?.get("/configuration").await?;
    let said = product.apply(&product.company()?)?;
    assert!(said.contains("nothing to change"), "{said}");
    assert_eq!(product.api()?.get("/configuration").await?, before);
    Ok(())
}
