//! The caller hangs up in each state of a call: there is one record that says so, and nobody stays behind.

use std::time::Duration;

use anyhow::Result;
use mangrove_tests::{
    api::Api,
    baresip::Baresip,
    people::{ANNA, DESK},
    product::Product,
    sipp::{self, Options, Sipp},
    sound::Sound,
};
use serde_json::Value;

const CALLER: f64 = 440.0;

/// The company with a customer's phone.
struct Floor {
    product: Product,
    api: Api,
    sound: Sound,
}

impl Floor {
    async fn open() -> Result<Self> {
        let product = Product::with_company().await?;
        Ok(Self { api: product.api()?, product, sound: Sound::start(CALLER)? })
    }

    /// A customer who is answered by the scheme and hangs up when told.
    fn call(&self) -> Result<Sipp> {
        Sipp::call(&self.product, &self.sound, &[sipp::CUE, sipp::BYE])
    }

    /// The customer hangs up, and there is one record more: `count` in all, the newest is given.
    async fn hangs_up(&self, call: Sipp, count: usize) -> Result<Value> {
        call.cue()?;
        call.succeeds(Duration::from_secs(10)).await.inspect_err(|_| eprintln!("{}", self.product.log()))?;
        let records = self.api.cdrs(count).await?;
        assert_eq!(records.len(), count, "{records:?}");
        self.api.quiet().await?;
        Ok(records[0].clone())
    }

    /// Anna and the customer hear each other.
    async fn talk(&self, anna: &Baresip) -> Result<Sipp> {
        let call = self.call()?;
        self.api.call_is("talking").await?;
        self.sound.hears(ANNA.hertz).await?;
        anna.hears(CALLER).await?;
        Ok(call)
    }
}

fn assert_ended(record: &Value, cause: &str, outcome: &str) {
    assert_eq!(record["cause"], cause, "{record}");
    assert_eq!(record["outcome"], outcome, "{record}");
    assert_eq!(record["ended_by"], "caller", "{record}");
}

#[tokio::test]
async fn before_anyone_answers() -> Result<()> {
    let floor = Floor::open().await?;
    let _anna = ANNA.ringing_phone(&floor.product).await?;
    ANNA.rests(&floor.product).await?;

    let greeted = floor.call()?;
    floor.api.call_is("playing").await?;
    // The product says so before its answer is there; the cue would overtake it.
    greeted.gets("SIP/2.0 200").await?;
    let record = floor.hangs_up(greeted, 1).await?;
    assert_ended(&record, "abandoned", "abandoned");
    assert_eq!((&record["group"], &record["wait_ms"]), (&Value::Null, &0.into()), "{record}");

    let waiting = floor.call()?;
    floor.api.call_is("waiting").await?;
    floor.api.agent_is("anna", "break").await?;
    let record = floor.hangs_up(waiting, 2).await?;
    assert_ended(&record, "abandoned", "abandoned");
    assert_eq!(record["group"], "200", "{record}");

    ANNA.available(&floor.product).await?;
    let offered = floor.call()?;
    floor.api.agent_is("anna", "ringing").await?;
    let record = floor.hangs_up(offered, 3).await?;
    assert_ended(&record, "abandoned", "abandoned");
    assert_eq!(record["employee"], Value::Null, "{record}");
    floor.api.agent_is("anna", "available").await
}

#[tokio::test]
async fn in_a_talk_and_on_hold() -> Result<()> {
    let floor = Floor::open().await?;
    let anna = ANNA.phone(&floor.product).await?;
    ANNA.available(&floor.product).await?;

    let call = floor.talk(&anna).await?;
    let record = floor.hangs_up(call, 1).await?;
    assert_ended(&record, "hung-up", "answered");
    assert_eq!(record["employee"], "anna", "{record}");
    floor.api.agent_is("anna", "available").await?;

    let call = floor.talk(&anna).await?;
    anna.command("hold", "")?;
    floor.api.call_is("held").await?;
    let record = floor.hangs_up(call, 2).await?;
    assert_ended(&record, "hung-up", "answered");
    floor.api.agent_is("anna", "available").await
}

#[tokio::test]
async fn while_a_transfer_rings_and_after_it() -> Result<()> {
    let floor = Floor::open().await?;
    let anna = ANNA.phone(&floor.product).await?;
    let desk = DESK.ringing_phone(&floor.product).await?;
    ANNA.available(&floor.product).await?;

    let call = floor.talk(&anna).await?;
    anna.command("transfer", "sip:190@acme.example")?;
    floor.api.call_is("ringing").await?;
    let record = floor.hangs_up(call, 1).await?;
    assert_ended(&record, "hung-up", "answered");
    assert_eq!(record["employee"], "anna", "{record}");
    floor.api.agent_is("anna", "available").await?;

    let call = floor.talk(&anna).await?;
    anna.command("transfer", "sip:190@acme.example")?;
    floor.api.call_is("ringing").await?;
    desk.accept().await?;
    floor.sound.hears(DESK.hertz).await?;
    floor.api.agent_is("anna", "available").await?;
    let record = floor.hangs_up(call, 2).await?;
    assert_ended(&record, "hung-up", "answered");
    assert_eq!(record["employee"], "desk", "{record}");
    Ok(())
}

#[tokio::test]
async fn before_the_answer_with_a_cancel() -> Result<()> {
    let floor = Floor::open().await?;
    let company = floor.product.company()?;
    let greeted = "      - play: default-greeting\n      - group: \"200\"\n";
    assert!(company.contains(greeted), "the scheme is another: {company}");
    floor.product.apply(&company.replace(greeted, "      - employee: \"190\"\n"))?;
    let desk = DESK.ringing_phone(&floor.product).await?;

    let scenario = [sipp::INVITE, sipp::GIVE_UP].concat();
    let call = Sipp::start(&scenario, &Options::caller(&floor.product, &floor.sound))?;
    call.gets("SIP/2.0 180").await?;
    floor.api.call_is("ringing").await?;
    let record = floor.hangs_up(call, 1).await?;
    assert_ended(&record, "abandoned", "abandoned");
    assert_eq!((&record["sip_status"], &record["answered"]), (&487.into(), &Value::Null), "{record}");
    // The phone has stopped: it rings anew for the next caller.
    desk.hung_up().await?;
    let call = Sipp::start(&scenario, &Options::caller(&floor.product, &floor.sound))?;
    call.gets("SIP/2.0 180").await?;
    floor.api.call_is("ringing").await?;
    floor.hangs_up(call, 2).await.map(drop)
}
