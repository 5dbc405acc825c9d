//! Phones over WebSocket: a SIP client in a browser's place registers, is called, answers and hangs up as any other. Its
//! sound is plain: what browsers make of it is another matter.

mod phone;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use mangrove_sip::{Message, Method};
use mangrove_tests::{
    people::{ANNA, BORIS},
    product::{Options, Product},
    recording::{Recording, Side},
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};
use phone::{Line, Phone, open, open_from};

const CALLER: f64 = 440.0;
/// What Anna says on a second line, or by another page.
const OTHER: f64 = 850.0;
const PASSWORD: &str = "anna-sip-password";

/// Anna's page, registered; she takes calls.
async fn annas_page(product: &Product) -> Result<Phone> {
    let mut page = Phone::connect(product, "101").await?;
    assert_eq!(page.register(PASSWORD).await?, 200);
    ANNA.available(product).await?;
    Ok(page)
}

async fn is_reachable(product: &Product, employee: &str) -> Result<bool> {
    let live = product.api()?.get("/live").await?;
    let agents = live["agents"].as_array().cloned().unwrap_or_default();
    Ok(agents.iter().any(|agent| agent["id"] == employee && agent["reachable"] == true))
}

#[tokio::test]
async fn a_page_is_called_by_the_companys_number_answers_and_hangs_up() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let mut page = annas_page(&product).await?;

    let (caller, anna) = (Sound::start(CALLER)?, Sound::start(ANNA.hertz)?);
    let call = Sipp::call(&product, &caller, &[sipp::AWAIT_BYE])?;
    let invite = page.is_asked(Method::INVITE).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    assert!(invite.header("Via").is_some_and(|via| via.starts_with("SIP/2.0/WS ")), "{invite:?}");
    assert!(invite.header("Contact").is_some_and(|contact| contact.contains(";transport=ws")), "{invite:?}");
    page.answer(&invite, 180, None).await?;
    api.agent_is("anna", "ringing").await?;
    page.answer(&invite, 200, Some(anna.port())).await?;
    page.is_asked(Method::ACK).await?;
    api.call_is("talking").await?;
    caller.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    anna.hears(CALLER).await?;
    page.hang_up(&invite).await?;
    call.succeeds(Duration::from_secs(10)).await?;

    let record = &api.cdrs(1).await?[0];
    for (key, wanted) in [
        ("outcome", "answered"),
        ("employee", "anna"),
        ("group", "200"),
        ("ended_by", "callee"),
        ("cause", "hung-up"),
        ("caller", "79161112233"),
        ("number", "74951234567"),
    ] {
        assert_eq!(record[key], wanted, "{key}: {record}");
    }
    Ok(())
}

#[tokio::test]
async fn a_page_with_a_wrong_password_is_refused() -> Result<()> {
    let product = Product::with_company().await?;
    let mut page = Phone::connect(&product, "101").await?;
    assert_eq!(page.register("not-annas-password").await?, 401);
    assert!(!is_reachable(&product, "anna").await?);
    assert_eq!(page.register(PASSWORD).await?, 200, "the same page may try again");
    wait::until("Anna to be reachable", async || is_reachable(&product, "anna").await.ok()?.then_some(()))
        .await
}

#[tokio::test]
async fn a_page_that_closes_while_it_rings_leaves_the_caller_in_line() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let mut page = annas_page(&product).await?;
    let _boris = BORIS.phone(&product).await?;
    BORIS.available(&product).await?;

    let caller = Sound::start(CALLER)?;
    let call = Sipp::call(&product, &caller, &[sipp::CUE, sipp::BYE])?;
    let invite = page.is_asked(Method::INVITE).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    page.answer(&invite, 180, None).await?;
    api.agent_is("anna", "ringing").await?;
    drop(page);
    let closed = Instant::now();
    api.call_is("talking").await.inspect_err(|_| eprintln!("{}", product.log()))?;
    // Left alone, Anna's page would ring for seven seconds.
    assert!(closed.elapsed() < Duration::from_secs(4), "after {:?}", closed.elapsed());
    caller.hears(BORIS.hertz).await?;
    assert!(!is_reachable(&product, "anna").await?);
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;

    let record = &api.cdrs(1).await?[0];
    assert_eq!((&record["outcome"], &record["employee"]), (&"answered".into(), &"boris".into()), "{record}");
    Ok(())
}

/// Anna's page in a talk with a customer; the page's dialog.
async fn talks(page: &mut Phone, own: &Sound, caller: &Sound) -> Result<Line> {
    let invite = page.is_asked(Method::INVITE).await?;
    page.answer(&invite, 200, Some(own.port())).await?;
    page.is_asked(Method::ACK).await?;
    caller.hears(ANNA.hertz).await?;
    Line::answered(&invite)
}

#[tokio::test]
async fn a_page_asks_a_colleague_and_leaves_the_customer_with_him() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let boris = BORIS.phone(&product).await?;
    BORIS.rests(&product).await?;
    let mut page = annas_page(&product).await?;
    let (caller, first, second) = (Sound::start(CALLER)?, Sound::start(ANNA.hertz)?, Sound::start(OTHER)?);
    let call = Sipp::call(&product, &caller, &[sipp::CUE, sipp::BYE])?;
    let talk = talks(&mut page, &first, &caller).await.inspect_err(|_| eprintln!("{}", product.log()))?;

    let asking = page.call("102", PASSWORD, second.port(), None).await;
    let asking = asking.inspect_err(|_| eprintln!("{}\n{}", boris.log(), product.log()))?;
    second.hears(BORIS.hertz).await?;
    boris.hears(OTHER).await?;
    page.joins(&talk, &asking).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    for _ in 0..2 {
        let bye = page.is_hung_up().await?;
        assert!(bye.header("Reason").is_some(), "{bye:?}");
    }
    caller.hears(BORIS.hertz).await.inspect_err(|_| eprintln!("{}\n{}", boris.log(), product.log()))?;
    boris.hears(CALLER).await?;
    let live = api.call_is("talking").await?;
    assert_eq!(live["employee"], "boris", "{live}");
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;

    let records = api.cdrs(2).await?;
    let of =
        |cause: &str| records.iter().find(|record| record["cause"] == cause).cloned().unwrap_or_default();
    let (talk, asking) = (of("hung-up"), of("transferred"));
    assert_eq!((&talk["employee"], &talk["group"]), (&"boris".into(), &"200".into()), "{talk}");
    assert_eq!(talk["legs"].as_array().map(Vec::len), Some(3), "{talk}");
    assert_eq!((&asking["caller"], &asking["called"]), (&"101".into(), &"102".into()), "{asking}");
    let legs = asking["legs"].as_array().cloned().unwrap_or_default();
    let boris_was_there = legs.iter().any(|leg| leg["employee"] == "boris" && leg["cause"] == "transferred");
    assert!(legs.len() == 2 && boris_was_there, "{asking}");
    let recording = Recording::of(&api, &talk).await?;
    assert!(recording.has_only_on(Side::Left, CALLER), "the customer stays left");
    assert!(recording.has_only_on(Side::Right, ANNA.hertz), "Anna is right");
    assert!(recording.has_only_on(Side::Right, BORIS.hertz), "so is Boris");
    Ok(())
}

#[tokio::test]
async fn a_page_that_is_loaded_anew_goes_on_with_its_call() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let mut page = annas_page(&product).await?;
    let (caller, before, after) = (Sound::start(CALLER)?, Sound::start(ANNA.hertz)?, Sound::start(OTHER)?);
    let call = Sipp::call(&product, &caller, &[sipp::CUE, sipp::BYE])?;
    let talk = talks(&mut page, &before, &caller).await.inspect_err(|_| eprintln!("{}", product.log()))?;

    drop(page);
    api.call_is("held").await.inspect_err(|_| eprintln!("{}", product.log()))?;
    let music = async || caller.level(ANNA.hertz).filter(|level| *level < 0.1);
    wait::until("the customer to hear music instead of Anna", music).await?;
    let mut page = Phone::connect(&product, "101").await?;
    assert_eq!(page.register(PASSWORD).await?, 200);
    let again = page.call("101", PASSWORD, after.port(), Some(&talk.names())).await;
    again.inspect_err(|_| eprintln!("{}", product.log()))?;
    caller.hears(OTHER).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    after.hears(CALLER).await?;
    api.call_is("talking").await?;
    call.cue()?;
    page.is_hung_up().await?;
    call.succeeds(Duration::from_secs(10)).await?;

    let record = &api.cdrs(1).await?[0];
    assert_eq!((&record["employee"], &record["cause"]), (&"anna".into(), &"hung-up".into()), "{record}");
    assert!(record["hold_ms"].as_u64() > Some(0), "{record}");
    let recording = Recording::of(&api, record).await?;
    assert!(recording.has_only_on(Side::Right, ANNA.hertz), "Anna is right");
    assert!(recording.has_only_on(Side::Right, OTHER), "by either page");
    Ok(())
}

#[tokio::test]
async fn a_page_whose_call_ended_while_it_was_away_is_told_when_it_is_back() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let mut page = annas_page(&product).await?;
    let (caller, own) = (Sound::start(CALLER)?, Sound::start(ANNA.hertz)?);
    let call = Sipp::call(&product, &caller, &[sipp::CUE, sipp::BYE])?;
    talks(&mut page, &own, &caller).await.inspect_err(|_| eprintln!("{}", product.log()))?;

    page.disconnect().await?;
    api.call_is("held").await.inspect_err(|_| eprintln!("{}", product.log()))?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    page.reconnect(&product).await?;
    assert_eq!(page.register(PASSWORD).await?, 200);
    page.is_hung_up().await.inspect_err(|_| eprintln!("{}", product.log()))?;
    Ok(())
}

#[tokio::test]
async fn nobody_takes_a_colleagues_place() -> Result<()> {
    let product = Product::with_company().await?;
    let mut page = annas_page(&product).await?;
    let (caller, own) = (Sound::start(CALLER)?, Sound::start(ANNA.hertz)?);
    let call = Sipp::call(&product, &caller, &[sipp::CUE, sipp::BYE])?;
    let talk = talks(&mut page, &own, &caller).await.inspect_err(|_| eprintln!("{}", product.log()))?;

    let mut boris = Phone::connect(&product, "102").await?;
    for names in [talk.names(), talk.names().replace("from-tag=", "from-tag=x")] {
        let refused = boris.call("101", "boris-sip-password", own.port(), Some(&names)).await;
        let words = refused.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(words.contains("481"), "{words}");
    }
    caller.forget();
    caller.hears(ANNA.hertz).await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await
}

/// What Anna's page is told to connect with.
async fn annas_ticket(product: &Product) -> Result<String> {
    let anna = product.api()?.as_person("anna@acme.example", "anna-web-password").await?;
    Ok(anna.page_phone().await?["ticket"].as_str().context("no ticket")?.to_owned())
}

/// Where the other side of a dialog takes sound, by its plain description.
fn sound_of(answer: &Message) -> Result<SocketAddr> {
    let body = String::from_utf8(answer.body().to_vec())?;
    let line = |start: &str| body.lines().find_map(|line| line.strip_prefix(start));
    let host = line("c=IN IP4 ").context("no address")?;
    let port = line("m=audio ").and_then(|rest| rest.split(' ').next()).context("no port")?;
    Ok(SocketAddr::new(host.trim().parse()?, port.parse()?))
}

#[tokio::test]
async fn a_page_with_a_ticket_needs_no_password_is_rung_and_hears_itself() -> Result<()> {
    let product = Product::with_company().await?;
    let api = product.api()?;
    let ticket = annas_ticket(&product).await?;
    let mut page = Phone::with_ticket(&product, "101", &ticket).await?;
    assert_eq!(page.register_by_ticket().await?, 200);
    ANNA.available(&product).await?;

    let own = Sound::start(ANNA.hertz)?;
    let called = page.call_by_ticket("echo", own.port()).await;
    let (echo, answer) = called.inspect_err(|_| eprintln!("{}", product.log()))?;
    own.send_to(sound_of(&answer)?);
    own.hears(ANNA.hertz).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    api.agent_is("anna", "busy").await?;
    page.leaves(&echo).await?;
    api.agent_is("anna", "available").await?;

    let (caller, anna) = (Sound::start(CALLER)?, Sound::start(ANNA.hertz)?);
    let call = Sipp::call(&product, &caller, &[sipp::CUE, sipp::BYE])?;
    talks(&mut page, &anna, &caller).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    let record = &api.cdrs(1).await?[0];
    assert_eq!((&record["employee"], &record["called"]), (&"anna".into(), &"74951234567".into()), "{record}");
    assert!(!product.log().contains(&ticket), "a ticket is in the log");
    Ok(())
}

#[tokio::test]
async fn a_ticket_that_is_no_good_opens_nothing_and_pages_of_others_may_use_none() -> Result<()> {
    let product = Product::with_company().await?;
    let good = format!("sip, ticket.{}", annas_ticket(&product).await?);
    let own = product.url();
    for (protocol, origin, status) in [
        ("sip, ticket.made-up", None, Some(401)),
        (good.as_str(), Some("http://evil.example"), Some(403)),
        (good.as_str(), Some("null"), Some(403)),
        (good.as_str(), Some(own.as_str()), None),
        (good.as_str(), None, None),
        ("sip", Some("http://evil.example"), None),
    ] {
        let refused = open_from(&product, Some(protocol), origin).await?.err();
        assert_eq!(refused, status, "{origin:?}");
    }
    let mut page = Phone::with_ticket(&product, "102", &annas_ticket(&product).await?).await?;
    assert_eq!(page.register_by_ticket().await?, 403, "it is not Boris'");
    Ok(())
}

#[tokio::test]
async fn who_would_not_speak_sip_is_refused() -> Result<()> {
    let product = Product::start().await?;
    for protocol in [None, Some("xmpp")] {
        assert_eq!(open(&product, protocol).await?.err(), Some(400), "{protocol:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_node_without_an_edge_says_so() -> Result<()> {
    let roles = &["control", "media", "console"];
    let mut product = Product::unstarted(Options { roles, ..Options::default() })?;
    product.launch()?;
    let refused = async || {
        let answer = reqwest::get(format!("{}/sip", product.url())).await.ok()?;
        let status = answer.status().as_u16();
        let text = answer.text().await.ok()?;
        (status == 421).then_some(text)
    };
    let text = wait::until("/sip to be refused", refused).await?;
    assert!(text.contains("role `edge`"), "{text}");
    Ok(())
}
