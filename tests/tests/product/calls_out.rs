//! An employee calls a customer: out through the trunk, with the company's number, heard, recorded and accounted for.

use std::time::Duration;

use anyhow::Result;
use mangrove_tests::{
    people::ANNA,
    product::Product,
    recording::{Recording, Side},
    sipp::{self, Options, Sipp},
    sound::Sound,
};

const CUSTOMER: f64 = 440.0;

#[tokio::test]
async fn a_customer_is_called_through_the_trunk() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let anna = ANNA.phone(&product).await?;
    let sound = Sound::start(CUSTOMER)?;
    let scenario = [sipp::ANSWER, sipp::AWAIT_BYE].concat();
    let customer = Sipp::start(&scenario, &Options::called(&product, &sound))?;
    customer.listens().await?;

    anna.command("dial", "sip:78125550000@acme.example")?;
    sound.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}\n{}", customer.log(), product.log()))?;
    anna.hears(CUSTOMER).await?;
    let call = api.call_is("talking").await?;
    assert_eq!(call["direction"], "outbound", "{call}");
    let received = customer.received();
    assert!(received[0].starts_with("INVITE sip:78125550000@"), "{}", received[0]);
    let from = received[0].lines().find(|line| line.starts_with("From:")).unwrap_or_default();
    assert!(from.contains("sip:74951234567@"), "the company's number is shown: {from}");
    assert!(!from.contains("101"), "and nothing of the extension: {from}");
    anna.command("hangup", "")?;
    customer.succeeds(Duration::from_secs(10)).await?;

    let record = &api.cdrs(1).await?[0];
    for (key, wanted) in [
        ("direction", "outbound"),
        ("called", "78125550000"),
        ("trunk", "carrier"),
        ("outcome", "answered"),
        ("ended_by", "caller"),
        ("cause", "hung-up"),
    ] {
        assert_eq!(record[key], wanted, "{key}: {record}");
    }
    let recording = Recording::of(&api, record).await?;
    assert!(recording.has_only_on(Side::Left, ANNA.hertz), "who calls is left");
    assert!(recording.has_only_on(Side::Right, CUSTOMER), "who is called is right");
    Ok(())
}
