//! baresip as an employee's phone: registered, answering by itself or on command, with sound of its own. What it hears
//! it writes to a file.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::{ports, sound, wait};

/// Debian's modules.
const MODULES: &str = "/usr/lib/baresip/modules";

/// A running phone.
#[derive(Debug)]
pub struct Baresip {
    folder: TempDir,
    child: Child,
    control: u16,
}

/// What a phone speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codec {
    /// As in an account's list.
    name: &'static str,
    module: &'static str,
    /// Of its sound: what it says and hears has the same, so that nothing need be resampled.
    rate: u32,
    channels: u16,
}

pub const PCMA: Codec = Codec { name: "pcma/8000/1", module: "g711.so", rate: 8_000, channels: 1 };
pub const G722: Codec = Codec { name: "G722/16000/1", module: "g722.so", rate: 16_000, channels: 1 };
pub const OPUS: Codec = Codec { name: "opus/48000/2", module: "opus.so", rate: 48_000, channels: 2 };

/// What kind of phone.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    pub username: &'a str,
    pub password: &'a str,
    /// Its own host's address.
    pub address: IpAddr,
    /// Where it reaches the product's SIP.
    pub server: SocketAddr,
    /// Picks up by itself.
    pub answers: bool,
    /// What it says.
    pub hertz: f64,
    pub transport: &'a str,
    /// The only one that it offers and takes.
    pub codec: Codec,
    /// How its sound is encrypted, as accounts have it; empty: it is not.
    pub encryption: &'a str,
    /// Its log has every SIP message.
    pub traces: bool,
}

impl<'a> Options<'a> {
    /// A phone over UDP that picks up by itself; the product is at this port of loopback.
    pub fn new(username: &'a str, password: &'a str, server: u16, hertz: f64) -> Self {
        let address = Ipv4Addr::LOCALHOST.into();
        let server = SocketAddr::new(address, server);
        let (answers, transport, codec, encryption, traces) = (true, "udp", PCMA, "", false);
        Self { username, password, address, server, answers, hertz, transport, codec, encryption, traces }
    }
}

impl Baresip {
    /// Starts the phone; it registers by itself.
    pub fn start(options: &Options<'_>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let control = ports::free();
        write_tone(&folder.path().join("tone.wav"), options)?;
        std::fs::create_dir(folder.path().join("heard"))?;
        std::fs::write(folder.path().join("accounts"), account(options))?;
        std::fs::write(folder.path().join("contacts"), "")?;
        std::fs::write(folder.path().join("config"), configuration(&folder, options, control))?;
        let log = std::fs::File::create(folder.path().join("log.txt"))?;
        let child = Command::new("baresip")
            .args(["-f", "."])
            .args(options.traces.then_some("-s"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("baresip can't be started; `make packages` installs it")?;
        Ok(Self { folder, child, control })
    }

    /// A command of baresip's own: `dial`, `hangup`, `hold`, `resume`, `transfer`. The calling thread must
    /// be on the phone's host.
    pub fn command(&self, command: &str, parameters: &str) -> Result<String> {
        let mut stream =
            TcpStream::connect(("127.0.0.1", self.control)).context("baresip takes no commands")?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let json =
            serde_json::json!({ "command": command, "params": parameters, "token": "test" }).to_string();
        write!(stream, "{}:{json},", json.len())?;
        let mut answer = [0; 4096];
        let length = stream.read(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
    }

    /// Answers the call that rings, or the next one to ring: a phone may learn of a call later than its agent's page.
    pub async fn accept(&self) -> Result<()> {
        let answered = || self.log().matches("answering call on line").count();
        let before = answered();
        let accepted = async || {
            self.command("accept", "").ok()?;
            (answered() > before).then_some(())
        };
        wait::until("the phone to ring", accepted).await.with_context(|| self.log())
    }

    /// How strong a frequency is in what it heard last, over half a second; see `sound::level`.
    pub fn level(&self, hertz: f64) -> Option<f64> {
        let newest = self.heard()?;
        // The header's length is written at the end of the call: the samples are read past it.
        let bytes = std::fs::read(newest).ok()?;
        let (head, body) = bytes.split_at_checked(44)?;
        let channels = usize::from(u16::from_le_bytes([head[22], head[23]]));
        let rate = u32::from_le_bytes([head[24], head[25], head[26], head[27]]);
        let first = body.chunks_exact(2 * channels.max(1));
        let samples: Vec<i16> = first.map(|all| i16::from_le_bytes([all[0], all[1]])).collect();
        let last = samples.len().checked_sub(rate as usize / 2)?;
        Some(sound::level(&samples[last..], hertz, rate.into()))
    }

    /// Waits until it hears a tone.
    pub async fn hears(&self, hertz: f64) -> Result<()> {
        wait::until(&format!("the phone to hear {hertz} Hz"), async || {
            self.level(hertz).filter(|level| *level > 0.8)
        })
        .await
        .map(drop)
        .with_context(|| self.log())
    }

    /// Waits until a call of its has ended, by whichever side.
    pub async fn hung_up(&self) -> Result<()> {
        let ends = ["session closed", "terminated (duration"];
        let over = async || ends.iter().any(|end| self.log().contains(end)).then_some(());
        wait::until("the phone's call to end", over).await.with_context(|| self.log())
    }

    /// Waits until it has printed this.
    pub async fn log_says(&self, what: &str) -> Result<()> {
        let said = async || self.log().contains(what).then_some(());
        wait::until(&format!("the phone to say {what:?}"), said).await.with_context(|| self.log())
    }

    /// What it printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log.txt")).unwrap_or_default()
    }

    fn heard(&self) -> Option<PathBuf> {
        let files = std::fs::read_dir(self.folder.path().join("heard")).ok()?.flatten();
        let decoded =
            files.map(|file| file.path()).filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
        decoded.max_by_key(|path| path.metadata().and_then(|data| data.modified()).ok())
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        // A process that ended is what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn account(options: &Options<'_>) -> String {
    let Options { username, password, server, transport, codec, encryption, .. } = options;
    let encryption = if encryption.is_empty() { String::new() } else { format!(";mediaenc={encryption}") };
    let mode = if options.answers { "auto" } else { "manual" };
    format!(
        "<sip:{username}@acme.example;transport={transport}>;auth_user={username};auth_pass={password};\
         outbound=\"sip:{server};transport={transport}\";regint=60;answermode={mode};audio_codecs={}{encryption}\n",
        codec.name
    )
}

fn configuration(folder: &TempDir, options: &Options<'_>, control: u16) -> String {
    let (path, address) = (folder.path().display(), options.address);
    let Codec { module, rate, channels, .. } = options.codec;
    let encryption = if options.encryption.is_empty() { "" } else { "module srtp.so\n" };
    format!(
        "net_interface {address}\n\
         audio_path {path}\n\
         audio_source aufile,{path}/tone.wav\n\
         audio_player aubridge,null\n\
         audio_alert aubridge,null\n\
         audio_srate {rate}\n\
         audio_channels {channels}\n\
         ausrc_srate {rate}\n\
         auplay_srate {rate}\n\
         ausrc_channels {channels}\n\
         auplay_channels {channels}\n\
         rtp_timeout 0\n\
         snd_path {path}/heard\n\
         ctrl_tcp_listen 127.0.0.1:{control}\n\
         module_path {MODULES}\n\
         module {module}\n\
         module aufile.so\n\
         module aubridge.so\n\
         module sndfile.so\n\
         {encryption}\
         module_app account.so\n\
         module_app menu.so\n\
         module_app ctrl_tcp.so\n"
    )
}

fn write_tone(path: &std::path::Path, options: &Options<'_>) -> Result<()> {
    let Codec { rate, channels, .. } = options.codec;
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec)?;
    for at in 0..rate * 60 {
        let angle = f64::from(at) / f64::from(rate) * options.hertz * std::f64::consts::TAU;
        for _ in 0..channels {
            writer.write_sample((angle.sin() * 12_000.0) as i16)?;
        }
    }
    Ok(writer.finalize()?)
}
