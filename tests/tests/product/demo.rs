//! The two commands that bring callers and agents of their own: `mangrove demo`, the product alive, and
//! `mangrove loadtest`, the product measured.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use mangrove_tests::{
    api::Api,
    ports,
    product::{self, Product},
    wait,
};
use serde_json::Value;
use tempfile::TempDir;

/// `mangrove demo` on free ports, in a folder of its own.
struct Demo {
    folder: TempDir,
    child: Child,
}

impl Demo {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let log = std::fs::File::create(folder.path().join("log.txt"))?;
        let [listen, sip] = [ports::address(), ports::address()].map(|address| address.to_string());
        let child = Command::new(product::binary()?)
            .args(["-o", "json", "demo", "--data", "kept", "--listen", &listen, "--sip", &sip])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(folder.path().join("said.json"))?)
            .stderr(log)
            .spawn()?;
        Ok(Self { folder, child })
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// What it says when it is up: page, logins, where the token is.
    async fn said(&self) -> Result<Value> {
        let said = async || serde_json::from_str(&self.file("said.json")).ok();
        wait::until("the demo to be up", said).await.with_context(|| self.file("log.txt"))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // A process that ended is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_demo_is_alive_within_seconds_of_its_start() -> Result<()> {
    let demo = Demo::start()?;
    let said = demo.said().await?;
    let page = said["page"].as_str().context("no page")?;
    let api = Api::new(page.to_owned(), demo.file("kept/admin.token").trim())?.tenant("demo");
    let (login, password) = (&said["logins"]["supervisor"], &said["logins"]["password"]);
    let status = api.log_in(login.as_str().context("no login")?, password.as_str().context("none")?).await?;
    assert_eq!(status, 200, "the printed login works");

    // Arrivals are a matter of chance: one in three seconds, on the whole.
    wait::within(Duration::from_secs(40), "somebody to talk", async || {
        let live = api.get("/live").await.ok()?;
        live["calls"].as_array()?.iter().any(|call| call["state"] == "talking").then_some(())
    })
    .await
    .with_context(|| demo.file("log.txt"))?;
    let record = wait::within(Duration::from_secs(90), "an answered call's record", async || {
        let records = api.get("/cdrs?outcome=answered").await.ok()?;
        records["items"].as_array()?.first().cloned()
    })
    .await
    .with_context(|| demo.file("log.txt"))?;
    assert_eq!(record["recordings"].as_array().map(Vec::len), Some(1), "{record}");
    let log = demo.file("log.txt");
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
    Ok(())
}

const PROFILE: &str = r#"{
    "name": "short", "calls_per_second": 1.0, "seconds": 10, "talk": [2.0, 4.0], "pickup": [0.2, 1.0],
    "rejects": 0.0, "ignores": 0.0
}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_short_load_test_is_clean_and_reports_it() -> Result<()> {
    let product = Product::start().await?;
    let folder = product.folder();
    std::fs::write(folder.join("short.json"), PROFILE)?;
    let sip = product.sip_address().to_string();
    let arguments =
        ["loadtest", "--profile", "short.json", "--agents", "12", "--sip", &sip, "--report", "report"];
    let answer = product.ask(&arguments).with_context(|| product.log())?;

    let kept: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("report.json"))?)?;
    assert_eq!(kept, answer, "the file says what was printed");
    let figure = |key: &str| answer[key].as_u64().unwrap_or_default();
    assert!(figure("calls") > 0 && figure("talked") > 0, "{answer}");
    assert_eq!(figure("refused") + figure("dropped") + figure("unfinished"), 0, "{answer}");
    for side in ["caller_heard_agent", "agent_heard_caller"] {
        assert_eq!(answer[side]["yes"], answer[side]["of"], "{side}: {answer}");
    }
    let page = std::fs::read_to_string(folder.join("report.html"))?;
    assert!(page.contains("<svg") && page.contains("<rect"), "the page has charts: {page}");
    assert!(!page.contains("<script") && !page.contains("http://"), "and needs nothing else: {page}");
    Ok(())
}
