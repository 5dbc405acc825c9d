//! Registered phones: a colleague is called, held and resumed; a wrong password gets nowhere.

use anyhow::Result;
use mangrove_tests::{
    baresip::{Baresip, Options as Phone},
    product::Product,
    wait,
};

async fn registered(product: &Product, employee: &str) -> Result<()> {
    let api = product.api()?;
    wait::until(&format!("{employee} to be reachable"), async || {
        let live = api.get("/live").await.ok()?;
        let agents = live["agents"].as_array()?.clone();
        agents.iter().find(|agent| agent["id"] == employee)?["reachable"].as_bool()?.then_some(())
    })
    .await
    .inspect_err(|_| eprintln!("{}", product.log()))
}

#[tokio::test]
async fn a_colleague_is_called_held_and_resumed() -> Result<()> {
    let product = Product::with_company().await?;
    let anna = Baresip::start(&Phone::new("101", "anna-sip-password", product.sip, 440.0))?;
    let boris = Baresip::start(&Phone::new("102", "boris-sip-password", product.sip, 700.0))?;
    registered(&product, "anna").await?;
    registered(&product, "boris").await?;

    anna.command("dial", "sip:102@acme.example")?;
    let hears = async |phone: &Baresip, hertz: f64| {
        wait::until(&format!("{hertz} Hz to be heard"), async || {
            phone.level(hertz).filter(|level| *level > 0.8)
        })
        .await
        .inspect_err(|_| eprintln!("{}\n{}", phone.log(), product.log()))
    };
    hears(&anna, 700.0).await?;
    hears(&boris, 440.0).await?;
    anna.command("hold", "")?;
    wait::until("the held side to hear music instead", async || {
        boris.level(440.0).filter(|level| *level < 0.1)
    })
    .await?;
    anna.command("resume", "")?;
    hears(&boris, 440.0).await?;
    hears(&anna, 700.0).await?;
    anna.command("hangup", "")?;

    let record = &product.api()?.cdrs(1).await?[0];
    assert_eq!(record["direction"], "internal", "{record}");
    assert_eq!(record["outcome"], "answered", "{record}");
    assert!(record["hold_ms"].as_u64().unwrap() > 0, "{record}");
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_does_not_register() -> Result<()> {
    let product = Product::with_company().await?;
    let phone = Baresip::start(&Phone::new("101", "not-annas-password", product.sip, 440.0))?;
    wait::until("the phone to be refused", async || phone.log().contains("401").then_some(())).await?;
    let live = product.api()?.get("/live").await?;
    let anna = live["agents"].as_array().unwrap().iter().find(|agent| agent["id"] == "anna").unwrap().clone();
    assert_eq!(anna["reachable"], false, "{anna}");
    Ok(())
}
