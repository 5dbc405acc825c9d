//! A supervisor beside the talk of a customer and an agent: tones prove who hears whom, and what is recorded.

use anyhow::{Context, Result};
use mangrove_tests::{
    api::Api,
    baresip::{Baresip, Options},
    browser::Script,
    people::{ANNA, VERA},
    product::Product,
    recording::{Recording, Side},
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};
use serde_json::{Value, json};

const CALLER: f64 = 440.0;
const TONES: [f64; 3] = [CALLER, ANNA.hertz, VERA.hertz];

/// What customer, agent and supervisor hear.
type Heard = [&'static [f64]; 3];

const LISTENS: Heard = [&[ANNA.hertz], &[CALLER], &[CALLER, ANNA.hertz]];
const WHISPERS: Heard = [&[ANNA.hertz], &[CALLER, VERA.hertz], &[CALLER, ANNA.hertz]];
const BARGED: Heard = [&[ANNA.hertz, VERA.hertz], &[CALLER, VERA.hertz], &[CALLER, ANNA.hertz]];

/// A customer who talks with Anna, and Vera with a phone and a login.
struct Floor {
    product: Product,
    api: Api,
    supervisor: Api,
    anna: Baresip,
    vera: Baresip,
    sound: Sound,
    call: Sipp,
    path: String,
}

impl Floor {
    async fn open() -> Result<Self> {
        let product = Product::with_company().await?;
        let api = product.api()?;
        let anna = ANNA.phone(&product).await?;
        let vera = VERA.start(&product, &Options { traces: true, ..VERA.account(&product) }).await?;
        ANNA.available(&product).await?;
        let sound = Sound::start(CALLER)?;
        let call = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
        sound.hears(ANNA.hertz).await?;
        anna.hears(CALLER).await?;
        let talk = api.call_is("talking").await?;
        let path = format!("/calls/{}/monitor", talk["id"].as_str().context("a call without an id")?);
        let supervisor = api.as_person("vera@acme.example", "vera-web-password").await?;
        Ok(Self { product, api, supervisor, anna, vera, sound, call, path })
    }

    async fn wish(&self, mode: &str) -> Result<()> {
        self.supervisor.post(&self.path, &json!({ "mode": mode })).await?;
        wait::until(&format!("the picture to say {mode}"), async || {
            let live = self.api.get("/live").await.ok()?;
            let [call] = live["calls"].as_array()?.as_slice() else { return None };
            let one = &call["monitors"][0];
            (one["mode"] == mode && one["employee"] == "vera" && one["answered"] == true).then_some(())
        })
        .await
        .with_context(|| self.vera.log())
    }

    /// Waits until customer, agent and supervisor hear these tones and no others.
    async fn hear(&self, [customer, agent, supervisor]: Heard) -> Result<()> {
        wait::until("each to hear whom they may", async || {
            let all = hears(|hertz| self.sound.level(hertz), customer)
                && hears(|hertz| self.anna.level(hertz), agent)
                && hears(|hertz| self.vera.level(hertz), supervisor);
            all.then_some(())
        })
        .await
        .with_context(|| {
            let levels =
                TONES.map(|tone| [self.sound.level(tone), self.anna.level(tone), self.vera.level(tone)]);
            format!("{levels:?}\n{}", self.product.log())
        })
    }

    /// The customer hangs up; the call's record.
    async fn end(&self) -> Result<Value> {
        self.call.cue()?;
        self.api.quiet().await?;
        Ok(self.api.cdrs(1).await?[0].clone())
    }
}

/// Whether each of these tones has its part of what is heard, and no other any.
fn hears(level: impl Fn(f64) -> Option<f64>, tones: &[f64]) -> bool {
    let least = 0.6 / tones.len().max(1) as f64;
    TONES.iter().all(|tone| match level(*tone) {
        Some(level) if tones.contains(tone) => level > least,
        Some(level) => level < 0.05,
        None => false,
    })
}

fn most(recording: &Recording, side: Side, hertz: f64) -> f64 {
    recording.levels(side, hertz).into_iter().fold(0.0, f64::max)
}

#[tokio::test]
async fn who_listens_is_heard_by_nobody_and_who_whispers_by_the_agent_alone() -> Result<()> {
    let floor = Floor::open().await?;
    floor.wish("listen").await?;
    floor.vera.log_says("answer-after=0").await?;
    floor.hear(LISTENS).await?;
    floor.wish("whisper").await?;
    floor.hear(WHISPERS).await?;
    floor.api.agent_is("vera", "busy").await?;
    floor.supervisor.delete(&floor.path).await?;
    floor.vera.hung_up().await?;
    floor.sound.forget();
    floor.sound.hears(ANNA.hertz).await?;
    floor.anna.hears(CALLER).await?;
    let is_told = floor.call.received().iter().any(|message| message.starts_with("INVITE"));
    assert!(!is_told, "the caller was told nothing");

    let record = floor.end().await?;
    assert_eq!(record["employee"], "anna", "{record}");
    let recording = Recording::of(&floor.api, &record).await?;
    assert!(recording.has_only_on(Side::Left, CALLER) && recording.has_only_on(Side::Right, ANNA.hertz));
    for side in [Side::Left, Side::Right] {
        assert!(most(&recording, side, VERA.hertz) < 0.1, "a whisper is not recorded");
    }
    wait::until("her three wishes to be in the audit log", async || {
        let audit = floor.api.get("/audit?action=monitor").await.ok()?;
        let items = audit["items"].as_array()?.clone();
        (items.len() == 3 && items.iter().all(|item| item["author"] == "vera@acme.example")).then_some(())
    })
    .await
}

#[tokio::test]
async fn the_supervisors_page_does_it_by_a_press_and_by_keys() -> Result<()> {
    let floor = Floor::open().await?;
    let mut script = Script::start("monitor.mjs", &floor.product.url())?;
    script.saw("listens").await.inspect_err(|_| eprintln!("{}", floor.product.log()))?;
    script.saw("whispers").await?;
    script.saw("has taken nothing over").await?;
    script.saw("has left").await?;
    floor.vera.hung_up().await?;
    script.succeeds().await?;
    floor.end().await.map(drop)
}

#[tokio::test]
async fn who_barges_in_is_heard_by_both_and_talks_on_when_they_take_over() -> Result<()> {
    let floor = Floor::open().await?;
    floor.wish("barge").await?;
    floor.hear(BARGED).await?;
    // A whole second more is heard like this: so long both are in the recording.
    floor.sound.forget();
    floor.hear(BARGED).await?;
    floor.supervisor.post(&floor.path, &json!({ "mode": "take-over" })).await?;
    floor.anna.hung_up().await?;
    floor.sound.hears(VERA.hertz).await?;
    floor.vera.hears(CALLER).await?;
    let talk = floor.api.call_is("talking").await?;
    assert_eq!(talk["employee"], "vera", "{talk}");

    let record = floor.end().await?;
    assert_eq!((&record["employee"], &record["cause"]), (&json!("vera"), &json!("hung-up")), "{record}");
    let recording = Recording::of(&floor.api, &record).await?;
    assert!(recording.has_only_on(Side::Left, CALLER), "the caller is alone on the left");
    let [anna, vera] = [ANNA, VERA].map(|who| recording.levels(Side::Right, who.hertz));
    let both = anna.iter().zip(&vera).any(|(anna, vera)| *anna > 0.3 && *vera > 0.3);
    assert!(both, "Anna and Vera are right together: {anna:?} {vera:?}");
    Ok(())
}

#[tokio::test]
async fn nobody_comes_to_calls_without_the_right() -> Result<()> {
    let floor = Floor::open().await?;
    let anna = floor.api.as_person("anna@acme.example", "anna-web-password").await?;
    let refused = anna.post(&floor.path, &json!({ "mode": "listen" })).await.unwrap_err();
    assert!(refused.to_string().contains("403"), "{refused}");
    floor.wish("listen").await?;
    let own = anna.get("/agents/me").await?;
    assert_eq!(own["calls"][0]["monitors"], json!([]), "{own}");
    floor.call.cue()?;
    floor.vera.hung_up().await?;
    floor.api.quiet().await
}
