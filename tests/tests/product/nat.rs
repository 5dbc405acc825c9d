//! Address translation. The product behind a router: callers and phones are told its public address, and nothing but.
//! A phone behind a router of its own: it is reached where its messages come from, its sound where its sound comes from.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result};
use mangrove_tests::{
    api::Api,
    baresip::{Baresip, Options as Phone},
    net::{Hidden, Internet, Namespace},
    product::{self, Product},
    sipp::{self, Options, Sipp},
    sound::Sound,
    wait,
};

/// Of the product's router, and what the product is bound to.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const BOUND: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);
const CARRIER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
/// An agent's office with a public address.
const OFFICE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 3);
/// Of the router of an agent who works at home, and of the phone there.
const HOME: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 4);
const AT_HOME: Ipv4Addr = Ipv4Addr::new(192, 168, 77, 2);

const CALLER: f64 = 440.0;
const ANNA: f64 = 700.0;
const BORIS: f64 = 900.0;

/// The product behind its router, and a carrier.
struct World {
    product: Product,
    api: Api,
    carrier: Namespace,
    internet: Internet,
    _cloud: Hidden,
}

impl World {
    async fn open() -> Result<Self> {
        let internet = Internet::new()?;
        let cloud = Hidden::one_to_one(&internet, PUBLIC, BOUND)?;
        // The test speaks HTTP over loopback of the product's host.
        cloud.host.enter()?;
        let place = product::Options {
            address: BOUND.into(),
            public: Some(PUBLIC.into()),
            carrier: CARRIER.into(),
            ..product::Options::default()
        };
        let product = Product::with_company_at(place).await?;
        Ok(Self { api: product.api()?, product, carrier: internet.host(CARRIER)?, internet, _cloud: cloud })
    }

    /// Anna's phone on a host, registered; she takes calls.
    async fn anna(&self, host: &Namespace, address: Ipv4Addr, transport: &str) -> Result<Baresip> {
        let account = Phone::new("101", "anna-sip-password", self.product.sip, ANNA);
        let phone = self.phone(host, address, Phone { transport, ..account })?;
        self.api.agent("anna", "available").await?;
        self.api.agent_is("anna", "available").await.inspect_err(|_| eprintln!("{}", phone.log()))?;
        Ok(phone)
    }

    fn phone(&self, host: &Namespace, address: Ipv4Addr, account: Phone<'_>) -> Result<Baresip> {
        let (address, server) = (address.into(), self.product.sip_address());
        host.within(|| Baresip::start(&Phone { address, server, ..account }))
    }

    /// A customer calls from the carrier's host, and sends sound where the answer's SDP says.
    async fn call(&self, ending: &[&str]) -> Result<Call> {
        let sound = self.carrier.within(|| Sound::start_at(CARRIER.into(), CALLER))?;
        let scenario = [&[sipp::INVITE, sipp::ANSWERED, sipp::ACK], ending].concat().concat();
        let sipp = self.carrier.within(|| Sipp::start(&scenario, &Options::caller(&self.product, &sound)))?;
        let answered =
            async || sipp.received().into_iter().find(|message| message.starts_with("SIP/2.0 200"));
        let answer = wait::until("the call to be answered", answered)
            .await
            .inspect_err(|_| eprintln!("{}\n{}", sipp.log(), self.product.log()))?;
        let media = media_address(&answer)?;
        sound.send_to(media);
        Ok(Call { sipp, sound, answer, media })
    }

    /// Both hear each other.
    async fn talk(&self, call: &Call, phone: &Baresip) -> Result<()> {
        wait::until("the caller to hear Anna", async || call.sound.level(ANNA).filter(|level| *level > 0.9))
            .await
            .inspect_err(|_| eprintln!("{}\n{}\n{}", call.sipp.log(), phone.log(), self.product.log()))?;
        hears(phone, CALLER).await
    }

    /// What is kept of a finished call: its record, and its story as text.
    async fn finished(&self) -> Result<(serde_json::Value, String)> {
        let record = self.api.cdrs(1).await?.remove(0);
        let call = record["call"].as_str().unwrap_or_default();
        let story = self.api.get(&format!("/calls/{call}/story")).await?;
        Ok((record, story.to_string()))
    }
}

/// A customer's call that was answered.
struct Call {
    sipp: Sipp,
    sound: Sound,
    answer: String,
    /// Where the product wants its sound.
    media: SocketAddr,
}

async fn hears(phone: &Baresip, hertz: f64) -> Result<()> {
    wait::until(&format!("{hertz} Hz to be heard"), async || phone.level(hertz).filter(|level| *level > 0.8))
        .await
        .map(drop)
        .inspect_err(|_| eprintln!("{}", phone.log()))
}

/// The address in the SDP of a message.
fn media_address(message: &str) -> Result<SocketAddr> {
    let line = |start: &str| message.lines().find_map(|line| line.trim_end().strip_prefix(start));
    let host: IpAddr = line("c=IN IP4 ").context("no c=")?.parse()?;
    let port = line("m=audio ").and_then(|rest| rest.split(' ').next()).context("no m=")?.parse()?;
    Ok(SocketAddr::new(host, port))
}

fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let value = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':').map(str::trim);
    message.lines().find_map(value).unwrap_or_default()
}

#[tokio::test]
async fn a_caller_beyond_the_router_is_told_the_public_address_and_hangs_up() -> Result<()> {
    let world = World::open().await?;
    let office = world.internet.host(OFFICE)?;
    let phone = world.anna(&office, OFFICE, "udp").await?;
    let call = world.call(&[&sipp::pause(12_000), sipp::BYE]).await?;
    let contact = header(&call.answer, "Contact");
    assert!(contact.ends_with(&format!("@{}>", world.product.sip_address())), "{}", call.answer);
    assert_eq!(call.media.ip(), PUBLIC, "{}", call.answer);
    world.talk(&call, &phone).await?;
    call.sipp.succeeds(Duration::from_secs(30)).await?;

    let (record, _) = world.finished().await?;
    assert_eq!(record["outcome"], "answered", "{record}");
    assert_eq!(record["ended_by"], "caller", "{record}");
    Ok(())
}

#[tokio::test]
async fn a_request_to_a_caller_beyond_the_router_names_the_public_address() -> Result<()> {
    let world = World::open().await?;
    let office = world.internet.host(OFFICE)?;
    let phone = world.anna(&office, OFFICE, "udp").await?;
    let call = world.call(&[sipp::AWAIT_BYE]).await?;
    world.talk(&call, &phone).await?;
    office.within(|| phone.command("hangup", ""))?;
    let hung_up = async || call.sipp.received().into_iter().find(|message| message.starts_with("BYE "));
    let bye =
        wait::until("the BYE to come", hung_up).await.inspect_err(|_| eprintln!("{}", call.sipp.log()))?;

    let sent_by = format!("SIP/2.0/UDP {};", world.product.sip_address());
    assert!(header(&bye, "Via").starts_with(&sent_by), "{bye}");
    let all = call.sipp.received().concat();
    assert!(!all.contains(&BOUND.to_string()), "the bound address is nobody's business: {all}");
    call.sipp.succeeds(Duration::from_secs(10)).await
}

/// A customer talks with Anna, whose phone knows its private address only, and hangs up.
async fn anna_works_at_home(transport: &str) -> Result<()> {
    let world = World::open().await?;
    let home = Hidden::masquerade(&world.internet, HOME, AT_HOME)?;
    let phone = world.anna(&home.host, AT_HOME, transport).await?;
    let call = world.call(&[&sipp::pause(12_000), sipp::BYE]).await?;
    world.talk(&call, &phone).await?;
    call.sipp.succeeds(Duration::from_secs(30)).await?;
    wait::until("the phone to hear of it", async || phone.log().contains("session closed").then_some(()))
        .await
        .inspect_err(|_| eprintln!("{}\n{}", phone.log(), world.product.log()))?;

    let (record, story) = world.finished().await?;
    assert_eq!(record["employee"], "anna", "{record}");
    assert!(story.contains(&format!("c=IN IP4 {AT_HOME}")), "the phone must not know better: {story}");
    assert!(!story.contains(&BOUND.to_string()), "the bound address is nobody's business: {story}");
    Ok(())
}

#[tokio::test]
async fn a_phone_behind_a_router_of_its_own_is_rung_and_heard() -> Result<()> {
    anna_works_at_home("udp").await
}

#[tokio::test]
async fn a_phone_behind_a_router_of_its_own_is_rung_over_its_connection() -> Result<()> {
    anna_works_at_home("tcp").await
}

#[tokio::test]
async fn two_phones_behind_one_router_call_hold_and_resume() -> Result<()> {
    let world = World::open().await?;
    let home = Hidden::masquerade(&world.internet, HOME, AT_HOME)?;
    let anna = world.anna(&home.host, AT_HOME, "udp").await?;
    let account = Phone::new("102", "boris-sip-password", world.product.sip, BORIS);
    let boris = world.phone(&home.host, AT_HOME, account)?;
    world.api.agent("boris", "available").await?;
    world.api.agent_is("boris", "available").await.inspect_err(|_| eprintln!("{}", boris.log()))?;

    home.host.within(|| anna.command("dial", "sip:102@acme.example"))?;
    hears(&anna, BORIS).await.inspect_err(|_| eprintln!("{}", world.product.log()))?;
    hears(&boris, ANNA).await?;
    home.host.within(|| anna.command("hold", ""))?;
    wait::until("Boris to hear music instead", async || boris.level(ANNA).filter(|level| *level < 0.1))
        .await?;
    home.host.within(|| anna.command("resume", ""))?;
    hears(&boris, ANNA).await?;
    hears(&anna, BORIS).await?;
    home.host.within(|| boris.command("hangup", ""))?;
    wait::until("Anna's phone to hear of it", async || anna.log().contains("session closed").then_some(()))
        .await
        .inspect_err(|_| eprintln!("{}\n{}", anna.log(), world.product.log()))?;
    let (record, _) = world.finished().await?;
    assert_eq!(record["outcome"], "answered", "{record}");
    Ok(())
}
