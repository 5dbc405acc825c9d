//! SIPp as a carrier's caller or called party: scenarios are its own XML, run as a process.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{product::Product, sound::Sound};

/// A running SIPp.
#[derive(Debug)]
pub struct Sipp {
    folder: TempDir,
    child: Child,
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
}

impl Options {
    /// One call from the carrier to the number of the company's.
    pub fn caller(product: &Product, sound: &Sound) -> Self {
        Self {
            local: product.carrier_address(),
            remote: Some(product.sip_address()),
            calls: 1,
            rate: 1,
            media: sound.port(),
            called: "74951234567".into(),
        }
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
        let mut command = Command::new("sipp");
        if let Some(remote) = options.remote {
            command.arg(remote.to_string());
        }
        let child = command
            .args(["-sf", "scenario.xml", "-nostdin", "-trace_err", "-trace_msg", "-s", &options.called])
            .args(["-i", &options.local.ip().to_string(), "-p", &options.local.port().to_string()])
            .args(["-m", &options.calls.to_string(), "-r", &options.rate.to_string()])
            .args(["-key", "media", &options.media.to_string()])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("sipp can't be started; `make packages` installs it")?;
        Ok(Self { folder, child })
    }

    /// Waits for its end. All its calls must have gone as the scenario says.
    pub async fn succeeds(mut self, limit: Duration) -> Result<()> {
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

/// The INVITE of a caller at the carrier, with the test's sound in its SDP.
pub const INVITE: &str = r#"
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Caller" <sip:79161112233@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:79161112233@[local_ip]:[local_port]>
Max-Forwards: 70
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS
Content-Type: application/sdp
Content-Length: [len]

v=0
o=sipp 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media] RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=ptime:20
]]></send>"#;

/// The caller's ACK to a 200 or a failure. `[next_url]` and routes are kept by `rrs` on the response.
pub const ACK: &str = r#"
<send><![CDATA[
ACK [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Caller" <sip:79161112233@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
[routes]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>"#;

/// The caller hangs up and waits for the answer.
pub const BYE: &str = r#"
<send retrans="500"><![CDATA[
BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Caller" <sip:79161112233@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
[routes]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>"#;

/// Waits for the other side's BYE and answers it.
pub const AWAIT_BYE: &str = r#"
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>"#;

/// Provisional answers in any number, then 200.
pub const ANSWERED: &str = r#"
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true"/>"#;

/// A pause of the call, milliseconds.
pub fn pause(milliseconds: u32) -> String {
    format!("<pause milliseconds=\"{milliseconds}\"/>")
}
