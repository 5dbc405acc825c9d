//! kill -9 under load: fifty talk, twenty more wait, and the process dies again and again. Whoever talked talks on and
//! hears the other, whoever waited keeps the place in line, and in the end each call has one record.
//!
//! `MANGROVE_KILLS` says how often (3 when not set; the figure in the documents is of 20).

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::Result;
use mangrove_loadtest::{
    Profile, Report, Swarm, Target, company,
    compare::compare,
    ledger::{Call, End, Ledger, Offer},
    profile::Span,
};
use mangrove_tests::{
    api::Api,
    floor::Floor,
    ports,
    product::Product,
    sipp::{self, Options, Sipp},
    sound::Sound,
    wait,
};

const AGENTS: usize = 50;
const CALLERS: usize = 70;
/// The swarm's callers and the witness, without those who talk.
const WAITING: usize = CALLERS + 1 - AGENTS;
/// The number in SIPp's INVITE: the witness is the first caller, and SIPp, not the swarm, speaks for it.
const WITNESS: &str = "79161112233";
/// The tone by which the swarm's agents know a caller with this number.
const WITNESS_HERTZ: f64 = 700.0;
/// Share of the sound that should have come and must have come, besides the times when the process was dead.
const HEARD: f64 = 0.8;

/// The company under load, with its callers, agents and the witness.
struct Office {
    product: Product,
    api: Api,
    swarm: Swarm,
    profile: Profile,
    witness: Sipp,
    sound: Sound,
    /// How long nobody heard anything because the process was dead.
    silent: Duration,
}

fn is_full(floor: &Floor) -> bool {
    floor.talks.len() == AGENTS && floor.line.len() == WAITING
}

fn kills() -> u32 {
    std::env::var("MANGROVE_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(3)
}

/// Everybody comes at once and is patient; talks last longer than all the kills.
fn profile(kills: u32) -> Profile {
    let talk = f64::from(25 + 5 * kills);
    Profile {
        name: "killed".into(),
        calls_per_second: 20.0,
        seconds: 20,
        at_once: CALLERS,
        patience: Span(3_600.0, 3_600.0),
        talk: Span(talk, talk + 6.0),
        pickup: Span(0.2, 1.0),
        agent_hangs_up: 1.0,
        rejects: 0.0,
        ignores: 0.0,
        sound: true,
        // The process is dead for a part of every talk; `deaf` counts that exactly.
        heard: 0.05,
        ..Profile::default()
    }
}

impl Office {
    /// Until fifty talk and the others wait. The witness is there first, so that it is among those who talk.
    async fn open(profile: Profile) -> Result<Self> {
        let product = Product::start().await?;
        let carrier = product.carrier_address();
        let second = SocketAddr::from(([127, 0, 0, 1], ports::free()));
        let (mut document, agents) = company::document(AGENTS, carrier, 1);
        document["trunks"][0]["from"] = serde_json::json!([carrier.to_string(), second.to_string()]);
        product.apply(&serde_json::to_string_pretty(&document)?)?;
        let api = product.api()?.tenant(company::TENANT);
        for account in &agents {
            api.agent(&account.agent, "available").await?;
        }
        let sound = Sound::start(WITNESS_HERTZ)?;
        let witness = call(&product, second, &sound)?;
        wait::until("the witness to be first in line", async || {
            (Floor::now(&api).await?.line == [WITNESS]).then_some(())
        })
        .await
        .inspect_err(|_| eprintln!("{}\n{}", witness.log(), product.log()))?;
        let target = Target {
            server: product.sip_address(),
            carrier,
            domain: company::DOMAIN.into(),
            called: company::NUMBER.into(),
            agents,
        };
        let swarm = Swarm::start(profile.clone(), target).await?;
        let office = Self { product, api, swarm, profile, witness, sound, silent: Duration::ZERO };
        office.fills().await?;
        Ok(office)
    }

    async fn fills(&self) -> Result<()> {
        let limit = Duration::from_secs(30);
        let full = wait::within(limit, "fifty talks and everybody else in line", async || {
            Floor::now(&self.api).await.filter(is_full)
        });
        let ledger = self.swarm.ledger();
        full.await.inspect_err(|_| {
            eprintln!("{:?}, last {:?}\n{}", ledger.tally(), ledger.calls().last(), self.product.log())
        })?;
        self.sounds().await
    }

    /// The witness hears its agent.
    async fn sounds(&self) -> Result<()> {
        let floor = wait::until("the floor to be seen", async || Floor::now(&self.api).await).await?;
        let agent: f64 = floor.talks.get(WITNESS).map_or(Ok(0.0), |agent| agent.parse())?;
        let hertz = 1_000.0 + 60.0 * ((agent - 1_000.0) % 12.0);
        let heard = wait::until("the witness to hear its agent", async || {
            self.sound.level(hertz).filter(|level| *level > 0.8)
        });
        heard.await.map(|_| ()).inspect_err(|_| eprintln!("{floor:?}\n{}", self.product.log()))
    }

    /// kill -9 and start: everybody is where they were, in the same order, and hears the other again.
    async fn survives(&mut self, round: u32) -> Result<()> {
        let before = wait::until("the floor to be seen", async || Floor::now(&self.api).await).await?;
        anyhow::ensure!(
            is_full(&before),
            "talks must outlast the kills, but before kill {round} it is {before:?}"
        );
        let dead = Instant::now();
        self.product.kill()?;
        self.sound.forget();
        self.product.revive().await?;
        let ready = dead.elapsed();
        let after = wait::until("the calls to be back", async || {
            Floor::now(&self.api).await.filter(|after| after.calls() >= before.calls())
        })
        .await
        .inspect_err(|_| eprintln!("{}", self.product.log()))?;
        assert_eq!(after, before, "after kill {round}");
        self.sounds().await?;
        self.silent += dead.elapsed();
        println!("kill {round}: ready after {ready:.1?}, sound after {:.1?}", dead.elapsed());
        Ok(())
    }
}

/// The witness calls, and talks until the agent hangs up.
fn call(product: &Product, local: SocketAddr, sound: &Sound) -> Result<Sipp> {
    let scenario = [sipp::INVITE, sipp::ANSWERED, sipp::ACK, sipp::AWAIT_BYE].concat();
    let called = company::NUMBER.into();
    Sipp::start(&scenario, &Options { local, called, ..Options::caller(product, sound) })
}

/// Parties who missed more of the sound than the process was dead.
fn deaf(ledger: &Ledger, silent: Duration) -> Vec<String> {
    let misses = |lasted_ms: u64, received: u64| {
        let due = lasted_ms.saturating_sub(silent.as_millis() as u64) as f64 / 20.0;
        (received as f64) < due * HEARD
    };
    let caller =
        |call: &Call| misses(call.ended_ms - call.connected_ms.unwrap_or(call.ended_ms), call.sound.received);
    let agent = |offer: &Offer| {
        misses(offer.ended_at - offer.answered_at.unwrap_or(offer.ended_at), offer.sound.received)
    };
    let (calls, offers) = (ledger.calls(), ledger.offers());
    let callers = calls.iter().filter(|call| caller(call)).map(|call| format!("{call:?}"));
    let agents = offers.iter().filter(|offer| agent(offer)).map(|offer| format!("{offer:?}"));
    callers.chain(agents).collect()
}

/// Turned away while the house filled, because the disk was too slow for so many at once: never a call, so no record.
fn is_overload(call: &Call) -> bool {
    call.end == End::Refused && call.status == 503
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_under_load_no_call_is_lost() -> Result<()> {
    let kills = kills();
    let mut office = Office::open(profile(kills)).await?;
    for round in 1..=kills {
        office.survives(round).await?;
    }
    let limit = Duration::from_secs_f64(office.profile.talk.1 * 2.0 + 30.0);
    office.swarm.finish(limit).await;
    let Office { product, api, swarm, profile, witness, silent, .. } = office;
    witness.succeeds(Duration::from_secs(30)).await?;

    let ledger = swarm.ledger();
    let records = api.cdrs(CALLERS + 1).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    let (refused, lived): (Vec<_>, Vec<_>) = ledger.calls().into_iter().partition(is_overload);
    let differences = compare(&lived, &ledger.offers(), &records, true);
    let report = Report::of(profile, ledger, Some(differences));
    let text = serde_json::to_string_pretty(&report)?;
    assert_eq!(
        (lived.len(), report.talked, report.refused),
        (CALLERS, CALLERS, refused.len()),
        "{text}\n{}",
        product.log()
    );
    assert_eq!(
        (report.caller_heard_agent.yes, report.agent_heard_caller.yes),
        (CALLERS, CALLERS + 1),
        "{text}"
    );
    assert!(report.differences.is_some_and(|differences| differences.is_empty()), "{text}");
    assert_eq!(records.len(), CALLERS + 1, "one record a call, no more");
    let witnessed: Vec<_> = records.iter().filter(|record| record["caller"] == WITNESS).collect();
    assert_eq!(witnessed.len(), 1, "{witnessed:?}");
    assert_eq!(witnessed[0]["outcome"], "answered", "{}", witnessed[0]);
    let deaf = deaf(ledger, silent);
    assert!(deaf.is_empty(), "{} parties missed sound: {deaf:#?}", deaf.len());
    Ok(())
}
