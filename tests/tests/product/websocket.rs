//! Phones over WebSocket: a SIP client in a browser's place registers, is called, answers and hangs up as any other. Its
//! sound is plain: what browsers make of it is another matter.

mod phone;

use std::time::{Duration, Instant};

use anyhow::Result;
use mangrove_sip::Method;
use mangrove_tests::{
    people::{ANNA, BORIS},
    product::{Options, Product},
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};
use phone::{Phone, open};

const CALLER: f64 = 440.0;
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
