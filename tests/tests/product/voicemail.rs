//! A caller reaches a box and leaves a message: it is listed and heard, its owner's phone shows it, and it is mailed.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use mangrove_tests::{
    api::Api,
    mail::MailServer,
    people::ANNA,
    ports,
    product::{Options, Product},
    recording::{Recording, Side},
    sipp::{self, Sipp},
    sound::Sound,
    wait,
};
use serde_json::Value;

use super::sounds::wav;

const CALLER: f64 = 440.0;
/// What callers are greeted with, and the tone behind it.
const GREETING: f64 = 500.0;
const TONE: f64 = 1_000.0;
/// Mail to a server that was away may take its time.
const MAILED: Duration = Duration::from_secs(30);

/// A node whose number is answered by anna's box, which is mailed to a server at this port.
async fn with_box(port: u16) -> Result<Product> {
    let smtp =
        format!("[smtp]\nserver = \"127.0.0.1:{port}\"\nfrom = \"mangrove@acme.example\"\ntls = \"off\"\n");
    let product = Product::start_at(Options { more: smtp.leak(), ..Options::default() }).await?;
    let steps = "      - play: default-greeting\n      - group: \"200\"\n";
    let company = product.company()?;
    anyhow::ensure!(company.contains(steps), "the file's scheme is another one");
    let company = company.replace(steps, "      - voicemail: anna\n").replace("language: ru", "language: en");
    let boxes = "voicemail: [{name: anna, employee: \"101\", greeting: hello, email: anna@acme.example}]\n";
    product.apply(&format!("{company}{boxes}"))?;
    product.api()?.put("/sounds/prompt/hello", wav(GREETING, 3)?).await?;
    Ok(product)
}

fn is_recording(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| !path.is_dir() || is_recording(&path))
}

/// A caller who hears the greeting, speaks after the tone, and hangs up.
async fn leave_a_message(product: &Product) -> Result<()> {
    let sound = Sound::start(CALLER)?;
    let call = Sipp::call(product, &sound, &[sipp::CUE, sipp::BYE])?;
    sound.hears(GREETING).await.inspect_err(|_| eprintln!("{}\n{}", call.log(), product.log()))?;
    product.api()?.call_is("voicemail").await?;
    let parts = product.folder().join("data/objects/recordings");
    wait::until("some of the message in the store", async || is_recording(&parts).then_some(())).await?;
    call.cue()?;
    call.succeeds(Duration::from_secs(10)).await
}

/// The only message in anna's box, once it can be heard.
async fn message(api: &Api) -> Result<Value> {
    wait::until("a message with its sound", async || {
        let boxes = api.get("/messages").await.ok()?;
        let [message] = boxes.as_array()?.first()?["messages"].as_array()?.as_slice() else { return None };
        (message["stored"] == true).then(|| message.clone())
    })
    .await
}

#[tokio::test]
async fn a_message_is_listed_heard_shown_by_the_phone_and_mailed() -> Result<()> {
    let port = ports::free();
    let server = MailServer::start(port).await?;
    let product = with_box(port).await?;
    let account = ANNA.account(&product);
    let anna = ANNA.start(&product, &mangrove_tests::baresip::Options { traces: true, ..account }).await?;
    let shows = async |counts: &str| {
        let shown = async || anna.log().contains(&format!("Voice-Message: {counts}")).then_some(());
        wait::until(&format!("the lamp to show {counts}"), shown).await.with_context(|| anna.log())
    };
    shows("0/0").await?;
    leave_a_message(&product).await?;
    shows("1/0").await?;

    let api = product.api()?;
    let message = message(&api).await.inspect_err(|_| eprintln!("{}", product.log()))?;
    assert_eq!(message["caller"], "79161112233");
    assert_eq!(message["heard"], false);
    let path = format!("/messages/anna/{}", message["id"]);
    let own = api.as_person("anna@acme.example", "anna-web-password").await?;
    let sound = Recording::read(own.bytes(&path).await?)?;
    assert!(sound.has_only_on(Side::Left, CALLER), "what the caller said, and nothing of the tone's time");
    for hertz in [GREETING, TONE] {
        assert!(sound.levels(Side::Left, hertz).into_iter().all(|level| level < 0.1), "{hertz} is not in it");
    }
    let record = &api.cdrs(1).await?[0];
    assert_eq!(record["outcome"], "voicemail", "{record}");
    assert!(record["answered"].is_null(), "no person answered: {record}");
    let boris = api.as_person("boris@acme.example", "boris-web-password").await?;
    assert!(boris.bytes(&path).await.is_err(), "it is not his");

    let letter = wait::until("the mail", async || server.letters().into_iter().next()).await;
    let letter = letter.inspect_err(|_| eprintln!("{}", product.log()))?;
    for part in ["To: anna@acme.example", "79161112233 has left a message", "audio/wav", "UklGR"] {
        assert!(letter.contains(part), "{part}: {letter}");
    }
    own.delete(&path).await?;
    let gone = wait::until("no message", async || {
        api.get("/messages").await.ok()?[0]["messages"].as_array()?.is_empty().then_some(())
    });
    gone.await?;
    assert!(own.bytes(&path).await.is_err(), "its sound is gone");
    assert_eq!(server.letters().len(), 1, "mailed once");
    Ok(())
}

#[tokio::test]
async fn mail_waits_for_its_server_over_the_nodes_end() -> Result<()> {
    let port = ports::free();
    let mut product = with_box(port).await?;
    leave_a_message(&product).await?;
    message(&product.api()?).await?;
    product.kill()?;
    product.revive().await?;
    let server = MailServer::start(port).await?;
    let letter = wait::within(MAILED, "the mail", async || server.letters().into_iter().next()).await;
    letter.inspect_err(|_| eprintln!("{}", product.log()))?;
    assert_eq!(message(&product.api()?).await?["heard"], false, "it stays in its box");
    Ok(())
}
