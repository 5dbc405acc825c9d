//! The people of `acme.yaml` and their phones, each with a tone of their own.

use anyhow::Result;

use crate::{
    baresip::{Baresip, Options},
    product::Product,
    wait,
};

/// An employee with a phone.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    pub id: &'static str,
    extension: &'static str,
    password: &'static str,
    /// What their phone says.
    pub hertz: f64,
}

/// An agent of the group that the company's number leads to.
pub const ANNA: Person = Person { id: "anna", extension: "101", password: "anna-sip-password", hertz: 700.0 };
/// Her colleague there.
pub const BORIS: Person =
    Person { id: "boris", extension: "102", password: "boris-sip-password", hertz: 1_000.0 };
/// Who supervises their group.
pub const VERA: Person =
    Person { id: "vera", extension: "110", password: "vera-sip-password", hertz: 1_700.0 };
/// The secretary, who serves no group.
pub const DESK: Person =
    Person { id: "desk", extension: "190", password: "desk-sip-password", hertz: 1_300.0 };

impl Person {
    /// A phone that picks up by itself; not started yet.
    pub fn account(&self, product: &Product) -> Options<'static> {
        Options::new(self.extension, self.password, product.sip, self.hertz)
    }

    /// A registered phone that picks up by itself.
    pub async fn phone(&self, product: &Product) -> Result<Baresip> {
        self.start(product, &self.account(product)).await
    }

    /// A registered phone that rings until it is told to accept.
    pub async fn ringing_phone(&self, product: &Product) -> Result<Baresip> {
        self.start(product, &Options { answers: false, ..self.account(product) }).await
    }

    /// As `phone` or `ringing_phone`, with a word on how.
    pub async fn start(&self, product: &Product, options: &Options<'_>) -> Result<Baresip> {
        let phone = Baresip::start(options)?;
        let api = product.api()?;
        let what = format!("{}'s phone to be registered", self.id);
        let reachable = wait::until(&what, async || {
            let live = api.get("/live").await.ok()?;
            let known = live["agents"].as_array()?.iter().find(|agent| agent["id"] == self.id)?.clone();
            known["reachable"].as_bool()?.then_some(())
        });
        reachable.await.inspect_err(|_| eprintln!("{}\n{}", phone.log(), product.log()))?;
        Ok(phone)
    }

    /// Takes the group's calls from now on; the phone must be registered.
    pub async fn available(&self, product: &Product) -> Result<()> {
        let api = product.api()?;
        api.agent(self.id, "available").await?;
        api.agent_is(self.id, "available").await
    }

    /// Is there, but takes no calls of the group's.
    pub async fn rests(&self, product: &Product) -> Result<()> {
        product.api()?.agent(self.id, "break").await
    }
}
