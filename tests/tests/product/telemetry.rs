//! What the node says of itself: metrics that count what happened, and a log without secrets and whole numbers.

use std::time::Duration;

use anyhow::{Context, Result};
use mangrove_tests::{
    baresip::{Baresip, Options as Phone},
    people::ANNA,
    product::{Options, Product},
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};

/// Everything that the product's own rooms have to say; the noise of libraries is left out.
const TALKATIVE: &str = r#"
[telemetry]
level = "info,mangrove_edge=trace,mangrove_control=trace,mangrove_media=trace,mangrove_console=trace,mangrove=trace"
"#;

/// A call is talked and ends; somebody tries wrong passwords, by phone and on the page.
async fn ordinary_day(product: &Product) -> Result<()> {
    let api = product.api()?;
    let anna = ANNA.phone(product).await?;
    ANNA.available(product).await?;
    let sound = Sound::start(440.0)?;
    let call = Sipp::call(product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(ANNA.hertz).await?;
    anna.hears(440.0).await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await?;
    api.cdrs(1).await?;

    let stranger = Baresip::start(&Phone::new("102", "not-his-password", product.sip, 440.0))?;
    stranger.log_says("401").await?;
    assert_eq!(api.log_in("vera@acme.example", "not-her-password").await?, 401);
    assert_eq!(api.log_in("vera@acme.example", "vera-web-password").await?, 200);
    Ok(())
}

#[tokio::test]
async fn the_log_holds_no_secret_and_no_whole_number() -> Result<()> {
    let options = Options { more: TALKATIVE, ..Options::default() };
    let product = Product::with_company_at(options).await?;
    ordinary_day(&product).await?;
    let log = product.log();
    assert!(log.contains("logged in"), "the log tells what happens: {log}");
    let token = std::fs::read_to_string(product.folder().join("data/admin.token"))?;
    for secret in [
        "79161112233",
        "74951234567",
        "not-his-password",
        "not-her-password",
        "anna-sip-password",
        "vera-web-password",
        token.trim(),
        "$argon2",
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} is in the log: {line:?}");
    }
    Ok(())
}

/// The sum of a metric over its labels.
fn value(metrics: &str, name: &str) -> Option<f64> {
    let lines = metrics.lines().filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let own = series.strip_prefix(name)?;
        (own.is_empty() || own.starts_with('{')).then(|| value.parse::<f64>().ok())?
    });
    lines.reduce(|sum, next| sum + next)
}

#[tokio::test]
async fn metrics_count_what_happened() -> Result<()> {
    let product = Product::with_company().await?;
    ordinary_day(&product).await?;
    let api = product.api()?;
    let metrics = wait::until("the outbox to be empty", async || {
        let metrics = api.text("/metrics").await.ok()?;
        (value(&metrics, "mangrove_outbox_records") == Some(0.0)).then_some(metrics)
    })
    .await?;
    let counted =
        |name: &str| value(&metrics, name).with_context(|| format!("{name} is missing:\n{metrics}"));
    for name in [
        "mangrove_edge_messages_in_total",
        "mangrove_edge_messages_out_total",
        "mangrove_edge_auth_failures_total",
        "mangrove_commands_total",
        "mangrove_log_entries_total",
        "mangrove_commit_seconds_count",
        "mangrove_groups_led",
        "mangrove_http_requests_total",
    ] {
        assert!(counted(name)? > 0.0, "{name} is nothing:\n{metrics}");
    }
    assert_eq!(counted("mangrove_logins_total")?, 2.0, "one refused, one accepted");
    for name in ["mangrove_invariant_violations_total", "mangrove_commands_poisoned_total"] {
        assert_eq!(value(&metrics, name).unwrap_or_default(), 0.0, "{name}:\n{metrics}");
    }
    Ok(())
}
