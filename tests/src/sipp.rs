//! SIPp as a carrier's caller or called party, run as a process.

mod scenario;

use std::{
    net::{SocketAddr, UdpSocket},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{
    product::Product,
    sound::{self, Sound},
    wait,
};

pub use scenario::*;

/// Length of a tone that is played again and again: a whole number of waves for every whole frequency.
const TONE: Duration = Duration::from_secs(1);

/// A running SIPp.
#[derive(Debug)]
pub struct Sipp {
    folder: TempDir,
    child: Child,
    local: SocketAddr,
}

/// How SIPp is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its own address: the carrier's.
    pub local: SocketAddr,
    /// Where it calls to; none for a called party.
    pub remote: Option<SocketAddr>,
    /// Calls in all.
    pub calls: u32,
    /// Calls a second.
    pub rate: u32,
    /// Port named in its SDP, on its own host: a test's own stream of sound.
    pub media: u16,
    /// The number it calls.
    pub called: String,
    /// What it plays itself at `PLAY`, Hz; no `media` is needed then.
    pub tone: Option<f64>,
}

impl Options {
    /// One call from the carrier to the number of the company's.
    pub fn caller(product: &Product, sound: &Sound) -> Self {
        Self {
            local: product.carrier_address(),
            remote: Some(product.sip_address()),
            calls: 1,
            // The first call comes after the first interval.
            rate: 20,
            media: sound.port(),
            called: "74951234567".into(),
            tone: None,
        }
    }

    /// One called party at the carrier.
    pub fn called(product: &Product, sound: &Sound) -> Self {
        Self { remote: None, ..Self::caller(product, sound) }
    }
}

impl Sipp {
    /// Starts a scenario on the host that the calling thread is on: its inner XML, without the outermost element.
    pub fn start(scenario: &str, options: &Options) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"test\">\n{scenario}\n</scenario>\n"
        );
        std::fs::write(folder.path().join("scenario.xml"), xml)?;
        if let Some(hertz) = options.tone {
            std::fs::write(folder.path().join("tone.alaw"), sound::tone(hertz, TONE))?;
        }
        let mut command = Command::new("sipp");
        if let Some(remote) = options.remote {
            command.arg(remote.to_string());
        }
        let child = command
            .args(["-sf", "scenario.xml", "-nostdin", "-trace_err", "-trace_msg", "-s", &options.called])
            .args(["-i", &options.local.ip().to_string(), "-p", &options.local.port().to_string()])
            .args(["-m", &options.calls.to_string(), "-l", &options.calls.to_string()])
            .args(["-r", &options.rate.to_string()])
            .args(["-key", "media", &options.media.to_string()])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("sipp can't be started; `make packages` installs it")?;
        Ok(Self { folder, child, local: options.local })
    }

    /// One customer at the carrier who calls the company's number, is answered, and then does what `ending` says.
    pub fn call(product: &Product, sound: &Sound, ending: &[&str]) -> Result<Self> {
        let scenario = [&[INVITE, ANSWERED, ACK], ending].concat().concat();
        Self::start(&scenario, &Options::caller(product, sound))
    }

    /// Waits until a called party can be called: its port is bound.
    pub async fn listens(&self) -> Result<()> {
        let taken = async || UdpSocket::bind(self.local).is_err().then_some(());
        wait::until("sipp to listen", taken).await.with_context(|| self.log())
    }

    /// Tells its only call, which waits at `CUE`, to go on.
    pub fn cue(&self) -> Result<()> {
        self.cue_nth(1)
    }

    /// As `cue`, for one of several calls, from 1 on.
    pub fn cue_nth(&self, call: u32) -> Result<()> {
        let (to, id) = (self.local, self.child.id());
        // SIPp gives a message to the call whose Call-ID it has, and takes it from anybody.
        let message = format!(
            "MESSAGE sip:test@{to} SIP/2.0\r\nVia: SIP/2.0/UDP {to};branch=z9hG4bKcue\r\n\
             From: <sip:test@{to}>;tag=cue\r\nTo: <sip:test@{to}>\r\nCall-ID: {call}-{id}@{}\r\n\
             CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
            to.ip()
        );
        UdpSocket::bind((to.ip(), 0))?.send_to(message.as_bytes(), to)?;
        Ok(())
    }

    /// Waits for its end. All its calls must have gone as the scenario says.
    pub async fn succeeds(mut self, limit: Duration) -> Result<()> {
        self.ends(limit).await
    }

    /// As `succeeds`, for a look at what it has received.
    pub async fn ends(&mut self, limit: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                anyhow::ensure!(status.success(), "sipp: {status}\n{}", self.log());
                return Ok(());
            }
            anyhow::ensure!(started.elapsed() < limit, "sipp did not end within {limit:?}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until it has got a message that starts so, and gives it.
    pub async fn gets(&self, start: &str) -> Result<String> {
        let got = async || self.received().into_iter().find(|message| message.starts_with(start));
        wait::until(&format!("sipp to get {start}"), got).await.with_context(|| self.log())
    }

    /// The messages it got so far, in order.
    pub fn received(&self) -> Vec<String> {
        let log = self.log();
        let entries = log.split("\nUDP message received ").skip(1);
        let messages = entries.filter_map(|entry| entry.split_once("\n\n")?.1.split("\n-----").next());
        messages.map(str::to_owned).collect()
    }

    /// Its messages and complaints.
    pub fn log(&self) -> String {
        let files = std::fs::read_dir(self.folder.path()).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = files
            .map(|file| file.path())
            .filter(|path| path.extension().is_some_and(|e| e == "log"))
            .collect();
        paths.sort();
        paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
    }
}

impl Drop for Sipp {
    fn drop(&mut self) {
        // A process that ended is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
