//! A full house: the call after the last channel, the caller for whom the queue has no place. Each is told so at once,
//! and has a record that says so.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use mangrove_tests::{
    cluster::PATIENT,
    people::ANNA,
    ports,
    product::{self, Product},
    sipp::{self, Options, Sipp},
    sound::Sound,
    wait,
};
use serde_json::Value;

/// The channels of the company's number.
const CHANNELS: u32 = 100;

/// A caller who is either answered, and hangs up when told, or refused with 486.
fn answered_or_busy() -> String {
    let answers = "
        <recv response=\"100\" optional=\"true\"/>
        <recv response=\"180\" optional=\"true\"/>
        <recv response=\"486\" optional=\"true\" next=\"1\" rrs=\"true\"/>
        <recv response=\"200\" rrs=\"true\"/>";
    let (over, busy, end) = ("<nop next=\"2\"/>", "<label id=\"1\"/>", "<label id=\"2\"/>");
    [sipp::INVITE, answers, sipp::ACK, sipp::CUE, sipp::BYE, over, busy, sipp::ACK, end].concat()
}

/// Calls by a key of their records.
fn counts<'a>(records: &'a [Value], key: &str) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for record in records {
        *counts.entry(record[key].as_str().unwrap_or_default()).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn of_101_calls_at_once_the_number_takes_100() -> Result<()> {
    let product =
        Product::start_at(product::Options { more: PATIENT, ..product::Options::default() }).await?;
    // The number is as it stands; all who get in wait, so that no channel is free again before its time.
    let company = product.company()?.replace("max_length: 50", "max_length: 150");
    product.apply(&company.replace("max_wait: 15s", "max_wait: 5m"))?;
    let api = product.api()?;
    let _anna = ANNA.phone(&product).await?;
    ANNA.rests(&product).await?;
    let sound = Sound::start(440.0)?;
    let options = Options { calls: CHANNELS + 1, ..Options::caller(&product, &sound) };
    let callers = Sipp::start(&answered_or_busy(), &options)?;
    let full = wait::within(Duration::from_secs(60), "100 callers in line", async || {
        let live = api.get("/live").await.ok()?;
        (live["queues"][0]["waiting"].as_array()?.len() == CHANNELS as usize).then_some(())
    });
    full.await.inspect_err(|_| eprintln!("{}", product.log()))?;
    callers.gets("SIP/2.0 486").await?;
    for call in 1..=CHANNELS + 1 {
        callers.cue_nth(call)?;
    }
    callers.succeeds(Duration::from_secs(30)).await?;

    let records = api.cdrs(CHANNELS as usize + 1).await?;
    let causes = counts(&records, "cause");
    assert_eq!(causes, BTreeMap::from([("abandoned", CHANNELS as usize), ("number-busy", 1)]));
    Ok(())
}

#[tokio::test]
async fn the_caller_for_whom_the_queue_has_no_place_is_busy() -> Result<()> {
    let product = Product::start().await?;
    let (carrier, other) = (product.carrier_address(), ports::address());
    let narrow = product
        .company()?
        .replace("max_length: 50", "max_length: 1")
        .replace("      - play: default-greeting\n", "")
        .replace(&format!("from: [\"{carrier}\"]"), &format!("from: [\"{carrier}\", \"{other}\"]"));
    product.apply(&narrow)?;
    let api = product.api()?;
    let _anna = ANNA.phone(&product).await?;
    ANNA.rests(&product).await?;
    let sound = Sound::start(440.0)?;
    let first = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
    api.call_is("waiting").await?;

    let second = Options { local: other, ..Options::caller(&product, &sound) };
    Sipp::start(&sipp::refused(486), &second)?.succeeds(Duration::from_secs(10)).await?;
    let record = &api.cdrs(1).await?[0];
    // The company's file says what a full queue means: `full: [{busy: true}]`.
    assert_eq!((&record["cause"], &record["outcome"]), (&"scheme-busy".into(), &"busy".into()), "{record}");
    assert_eq!(record["sip_status"], 486, "{record}");
    api.call_is("waiting").await?;
    first.cue()?;
    first.succeeds(Duration::from_secs(10)).await
}
