//! The two commands that bring callers and agents of their own: `mangrove demo`, the product alive, and
//! `mangrove loadtest`, the product measured.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use mangrove_tests::{
    api::Api,
    browser::Script,
    ports,
    product::{self, Product},
    wait,
};
use serde_json::Value;
use tempfile::TempDir;

/// Three debug builds on a busy machine take their time until all replicas are made.
const START: Duration = Duration::from_secs(120);

/// `mangrove demo` on free ports, in a folder of its own.
struct Demo {
    folder: TempDir,
    /// Of the first node's SIP: no other demo of this machine has it.
    sip: SocketAddr,
    child: Child,
}

impl Demo {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let [low, high] = (std::process::id() as u16).to_le_bytes();
        let sip = SocketAddr::from(([127, 1 + high % 250, low, 11], ports::free()));
        let child = launch(folder.path(), sip)?;
        Ok(Self { folder, sip, child })
    }

    /// kill -9 of the demo, which takes its nodes with it.
    async fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        wait::until("the nodes to end with the demo", async || self.nodes().is_empty().then_some(())).await
    }

    /// The same demo again, in the same folder.
    fn again(&mut self) -> Result<()> {
        std::fs::remove_file(self.folder.path().join("said.json"))?;
        self.child = launch(self.folder.path(), self.sip)?;
        Ok(())
    }

    /// Processes that run nodes of this demo.
    fn nodes(&self) -> Vec<String> {
        let folder = self.folder.path().join("kept").display().to_string();
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
        let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
        lines.filter(|line| line.contains(" serve ") && line.contains(&folder)).collect()
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// What the demo and its nodes printed.
    fn logs(&self) -> String {
        let logs = ["log.txt", "kept/a/log.txt", "kept/b/log.txt", "kept/c/log.txt"];
        logs.map(|name| format!("--- {name}\n{}", self.file(name))).concat()
    }

    /// What it says when it is up: page, logins, where the token is.
    async fn said(&self) -> Result<Value> {
        let said = async || serde_json::from_str(&self.file("said.json")).ok();
        let said: Value =
            wait::within(START, "the demo to be up", said).await.with_context(|| self.logs())?;
        anyhow::ensure!(said["page"].is_string(), "{said}\n{}", self.logs());
        Ok(said)
    }

    fn api(&self, said: &Value) -> Result<Api> {
        let page = said["page"].as_str().context("no page")?;
        Ok(Api::new(page.to_owned(), self.file("kept/admin.token").trim())?.tenant("demo"))
    }

    /// Arrivals are a matter of chance: one in three seconds, on the whole.
    async fn talks(&self, api: &Api) -> Result<()> {
        let talking = wait::within(Duration::from_secs(60), "somebody to talk", async || {
            let live = api.get("/live").await.ok()?;
            live["calls"].as_array()?.iter().any(|call| call["state"] == "talking").then_some(())
        });
        talking.await.with_context(|| self.logs())
    }
}

fn launch(folder: &Path, sip: SocketAddr) -> Result<Child> {
    let listen = ports::address().to_string();
    let child = Command::new(product::binary()?)
        .args(["-o", "json", "demo", "--data", "kept", "--listen", &listen, "--sip", &sip.to_string()])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(std::fs::File::create(folder.join("said.json"))?)
        .stderr(std::fs::File::create(folder.join("log.txt"))?)
        .spawn()?;
    Ok(child)
}

impl Drop for Demo {
    fn drop(&mut self) {
        // A process that ended is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_demo_is_alive_within_seconds_of_its_start_and_of_its_end() -> Result<()> {
    let mut demo = Demo::start()?;
    let said = demo.said().await?;
    assert_eq!(demo.nodes().len(), 3, "each node is a process");
    let api = demo.api(&said)?;
    let (login, password) = (&said["logins"]["supervisor"], &said["logins"]["password"]);
    let status = api.log_in(login.as_str().context("no login")?, password.as_str().context("none")?).await?;
    assert_eq!(status, 200, "the printed login works");
    demo.talks(&api).await?;
    let record = wait::within(Duration::from_secs(90), "an answered call's record", async || {
        let records = api.get("/cdrs?outcome=answered").await.ok()?;
        records["items"].as_array()?.first().cloned()
    })
    .await
    .with_context(|| demo.logs())?;
    assert_eq!(record["recordings"].as_array().map(Vec::len), Some(1), "{record}");
    let logs = demo.logs();
    assert!(!logs.contains("ERROR") && !logs.contains("panicked"), "{logs}");

    demo.kill().await?;
    demo.again()?;
    let said = demo.said().await?;
    let api = demo.api(&said)?;
    demo.talks(&api).await?;
    let records = api.get("/cdrs?limit=500").await?;
    let kept =
        records["items"].as_array().context("no list")?.iter().any(|one| one["call"] == record["call"]);
    assert!(kept, "the record outlived the kill: {records}");
    Ok(())
}

#[tokio::test]
async fn any_node_may_be_killed_on_the_page_while_people_talk() -> Result<()> {
    let demo = Demo::start()?;
    let said = demo.said().await?;
    demo.talks(&demo.api(&said)?).await?;
    let mut script = Script::start("cluster.mjs", said["page"].as_str().context("no page")?)?;
    for seen in ["three nodes", "a is lost", "a is back", "b is lost", "b is back"] {
        script.saw(seen).await.inspect_err(|_| eprintln!("{}", demo.logs()))?;
    }
    script.succeeds().await
}

const PROFILE: &str = r#"{
    "name": "short", "calls_per_second": 1.0, "seconds": 10, "talk": [4.0, 7.0], "pickup": [0.2, 1.0],
    "rejects": 0.0, "ignores": 0.0, "heard": 0.5
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
