//! The database of past calls is away, refuses to write, hangs: calls go on, and in the end each has its record, once.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context, Result};
use mangrove_tests::{
    api::Api,
    baresip::Baresip,
    people::ANNA,
    postgres::Postgres,
    product::{Options, Product},
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};

/// A statement is given up after ten seconds.
const GIVEN_UP: Duration = Duration::from_secs(30);

/// The company with its records in PostgreSQL, and Anna who takes calls.
struct Firm {
    database: Postgres,
    product: Product,
    api: Api,
    anna: Baresip,
    calls: usize,
}

impl Firm {
    async fn open() -> Result<Self> {
        let database = Postgres::start(Ipv4Addr::LOCALHOST).await?;
        let options = Options { database: Some(database.url()), ..Options::default() };
        let product = Product::with_company_at(options).await?;
        let (api, anna) = (product.api()?, ANNA.phone(&product).await?);
        ANNA.available(&product).await?;
        Ok(Self { database, product, api, anna, calls: 0 })
    }

    /// A customer calls, both hear one another, the customer hangs up, and Anna is there for the next.
    async fn serves_a_call(&mut self) -> Result<()> {
        let sound = Sound::start(440.0)?;
        let call = Sipp::call(&self.product, &sound, &[sipp::CUE, sipp::BYE])?;
        sound.hears(ANNA.hertz).await.with_context(|| self.product.log())?;
        self.anna.hears(440.0).await?;
        call.cue()?;
        call.succeeds(Duration::from_secs(10)).await?;
        self.calls += 1;
        self.api.agent_is("anna", "available").await
    }

    /// Each call has its record, and no record is there twice.
    async fn all_recorded(&self) -> Result<()> {
        let records = self.api.cdrs(self.calls).await.with_context(|| self.product.log())?;
        assert_eq!(records.len(), self.calls, "{records:?}");
        self.alarmed(false).await
    }

    /// Whether operators are told that records wait.
    async fn alarmed(&self, expected: bool) -> Result<()> {
        let what = if expected { "the alarm of records" } else { "the end of the alarm" };
        let told = wait::within(GIVEN_UP, what, async || {
            let alarms = self.api.node("/status").await.ok()?["alarms"].to_string();
            (alarms.contains("call records wait for the database") == expected).then_some(())
        });
        told.await.with_context(|| self.product.log())
    }

    /// Past calls can't be read, and the answer says that it is for now; all else can.
    async fn history_is_away(&self) -> Result<()> {
        let refused = self.api.get("/cdrs").await.err().context("there was an answer")?.to_string();
        assert!(refused.contains("503"), "{refused}");
        self.api.get("/live").await?;
        self.api.get("/configuration").await.map(drop)
    }
}

/// Row 26. The process is killed while records wait, and starts without its database.
#[tokio::test(flavor = "multi_thread")]
async fn calls_need_no_database_and_their_records_come_later() -> Result<()> {
    let mut firm = Firm::open().await?;
    firm.serves_a_call().await?;
    firm.all_recorded().await?;
    firm.database.stop()?;
    firm.serves_a_call().await?;
    firm.history_is_away().await?;
    firm.alarmed(true).await?;
    firm.product.kill()?;
    firm.product.revive().await?;
    firm.serves_a_call().await?;
    firm.database.revive().await?;
    firm.all_recorded().await
}

/// Row 26, of a database that is there: it refuses to write, also when the process starts, and it hangs.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_write_holds_up_nobody() -> Result<()> {
    let mut firm = Firm::open().await?;
    firm.database.read_only(true)?;
    firm.serves_a_call().await?;
    firm.product.kill()?;
    firm.product.revive().await?;
    firm.serves_a_call().await?;
    firm.alarmed(true).await?;
    firm.database.read_only(false)?;
    firm.all_recorded().await?;

    firm.database.hang(true)?;
    firm.serves_a_call().await?;
    firm.history_is_away().await?;
    firm.alarmed(true).await?;
    firm.database.hang(false)?;
    firm.all_recorded().await
}
