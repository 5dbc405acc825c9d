//! A conference of a customer and two employees: tones prove that each hears both others and not themselves, and that who is
//! muted or removed is heard no more.

use anyhow::{Context, Result};
use mangrove_tests::{
    api::Api,
    baresip::Baresip,
    people::{ANNA, VERA},
    product::Product,
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};
use serde_json::{Value, json};

const CALLER: f64 = 440.0;
const TONES: [f64; 3] = [CALLER, ANNA.hertz, VERA.hertz];

/// Whom customer, Anna and Vera hear.
type Heard = [&'static [f64]; 3];

const ALL: Heard = [&[ANNA.hertz, VERA.hertz], &[CALLER, VERA.hertz], &[CALLER, ANNA.hertz]];
const ANNA_MUTED: Heard = [&[VERA.hertz], &[CALLER, VERA.hertz], &[CALLER]];

/// The customer has called the number, which leads to the conference; the others have dialled it.
struct Room {
    product: Product,
    api: Api,
    sound: Sound,
    customer: Sipp,
    anna: Baresip,
    vera: Baresip,
}

impl Room {
    async fn open() -> Result<Self> {
        let product = Product::with_company().await?;
        let company = product.company()?;
        let steps = "      - play: default-greeting\n      - group: \"200\"\n";
        anyhow::ensure!(company.contains(steps), "the example has other steps");
        let company = company.replace(steps, "      - conference: weekly\n");
        let conference = "conferences: [{name: weekly, extension: \"300\", entry_tone: false}]";
        product.apply(&format!("{company}\n{conference}\n"))?;
        let api = product.api()?;
        let (anna, vera) = (ANNA.phone(&product).await?, VERA.phone(&product).await?);
        let sound = Sound::start(CALLER)?;
        let customer = Sipp::call(&product, &sound, &[sipp::CUE, sipp::BYE])?;
        let room = Self { product, api, sound, customer, anna, vera };
        room.has(1).await?;
        for (count, phone) in [(2, &room.anna), (3, &room.vera)] {
            phone.command("dial", "sip:300@acme.example")?;
            room.has(count).await?;
        }
        Ok(room)
    }

    /// Waits until so many are in the conference; those.
    async fn has(&self, count: usize) -> Result<Vec<Value>> {
        let people = async || {
            let listed = self.api.get("/live/conferences").await.ok()?;
            let people = listed[0]["people"].as_array().cloned().unwrap_or_default();
            (people.len() == count).then_some(people)
        };
        wait::until(&format!("{count} to be in the conference"), people)
            .await
            .with_context(|| self.product.log())
    }

    /// Waits until each hears these tones and no others.
    async fn hear(&self, [customer, anna, vera]: Heard) -> Result<()> {
        wait::until("each to hear whom they may", async || {
            let all = hears(|hertz| self.sound.level(hertz), customer)
                && hears(|hertz| self.anna.level(hertz), anna)
                && hears(|hertz| self.vera.level(hertz), vera);
            all.then_some(())
        })
        .await
        .with_context(|| {
            let levels =
                TONES.map(|tone| [self.sound.level(tone), self.anna.level(tone), self.vera.level(tone)]);
            format!("{levels:?}\n{}", self.product.log())
        })
    }

    /// Asks for something about the call of whoever came at this place.
    async fn conduct(&self, place: usize, action: &str) -> Result<()> {
        let people = self.has(3).await?;
        let call = people[place]["call"].as_str().context("a call without an id")?.to_owned();
        self.api.post(&format!("/calls/{call}/conference"), &json!({ "action": action })).await
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

#[tokio::test]
async fn a_customer_and_two_employees_hear_each_other_until_one_is_muted_and_one_removed() -> Result<()> {
    let room = Room::open().await?;
    room.hear(ALL).await?;
    room.conduct(1, "mute").await?;
    room.hear(ANNA_MUTED).await?;
    room.conduct(1, "unmute").await?;
    room.hear(ALL).await?;
    room.conduct(1, "remove").await?;
    room.anna.hung_up().await?;
    room.sound.forget();
    room.sound.hears(VERA.hertz).await?;
    room.has(2).await?;
    let lock = json!({ "action": "lock" });
    room.api.post("/live/conferences/weekly", &lock).await?;
    room.anna.command("dial", "sip:300@acme.example")?;
    room.anna.log_says("403").await?;
    room.customer.cue()?;
    room.has(1).await?;
    room.api.post("/live/conferences/weekly", &json!({ "action": "end" })).await?;
    room.vera.hung_up().await?;
    room.api.quiet().await
}
