//! Sound of all parties: one thread sends each party's tone every 20 ms as G.711 A-law and lets its ear hear what the
//! other side sends. What comes from elsewhere than the address agreed on is nobody's sound.

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use mangrove_rtp::{
    FRAME, RATE,
    g711::{self, Law},
    header::{self, Header},
    statistics::Statistics,
    tone,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::{ear::Ear, ledger::wall};

const PERIOD: Duration = Duration::from_millis(20);
/// Frames of a tone that are made once and sent over and over: all tones are whole in a second.
const LOOP: usize = 50;

/// The thread that moves all sound of a run.
#[derive(Debug, Clone)]
pub(crate) struct Studio {
    started: Instant,
    streams: Arc<Mutex<Vec<Weak<Stream>>>>,
}

/// One party's sound; it stops when dropped.
#[derive(Debug, Clone)]
pub(crate) struct Sound {
    stream: Arc<Stream>,
    pub address: SocketAddr,
}

#[derive(Debug)]
struct Stream {
    /// The studio's clock.
    started: Instant,
    socket: UdpSocket,
    frames: Vec<u8>,
    state: Mutex<StreamState>,
}

#[derive(Debug, Default)]
struct StreamState {
    /// The other side: where to send, and who is heard.
    to: Option<SocketAddr>,
    sent: u64,
    ear: Option<Ear>,
    statistics: Statistics,
    /// The talk's last packet, and the longest time without one.
    heard_us: u64,
    gap_us: u64,
    silences: Vec<Silence>,
}

/// The longest silence that nobody notices.
const UNHEARD_US: u64 = 200_000;

/// A silence within a talk that its listener notices: over 200 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Wall clock of its end, milliseconds since 1970.
    pub until: u64,
    pub ms: u64,
}

/// What a party's sound came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub sent: u64,
    pub received: u64,
    pub lost: u64,
    pub jitter_us: u64,
    /// The longest silence within the talk: from one packet to the next, as seen every 20 ms.
    #[serde(default)]
    pub gap_ms: u64,
}

impl Studio {
    /// Starts the thread; it ends with the last studio handle.
    pub(crate) fn start() -> std::io::Result<Self> {
        let streams = Arc::new(Mutex::new(Vec::new()));
        let (weak, started) = (Arc::downgrade(&streams), Instant::now());
        std::thread::Builder::new().name("sound".into()).spawn(move || run(&weak, started))?;
        Ok(Self { started, streams })
    }

    /// A party that says a tone of this frequency, once it knows to whom.
    pub(crate) fn open(&self, ip: IpAddr, hertz: u32) -> std::io::Result<Sound> {
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let frames = tone::sine(f64::from(hertz), 12_000.0, 0, FRAME * LOOP);
        let frames = frames.into_iter().map(|sample| g711::encode(Law::A, sample)).collect();
        let stream = Arc::new(Stream { started: self.started, socket, frames, state: Mutex::default() });
        self.streams.lock().push(Arc::downgrade(&stream));
        Ok(Sound { stream, address })
    }
}

impl Sound {
    /// Where to send and whom to hear from now on.
    pub(crate) fn send_to(&self, address: SocketAddr) {
        self.stream.state.lock().to = Some(address);
    }

    /// A talk begins with someone who has this tone.
    pub(crate) fn listen(&self, hertz: u32) {
        let (mut state, now_us) = (self.stream.state.lock(), self.stream.now_us());
        state.ear = Some(Ear::listen(hertz, now_us));
        (state.heard_us, state.gap_us) = (0, 0);
        state.silences.clear();
    }

    /// Asks whether the tone is there now.
    pub(crate) fn look(&self) {
        if let Some(ear) = &mut self.stream.state.lock().ear {
            ear.look(self.stream.now_us());
        }
    }

    /// Whether the tone was heard in this share of the looks, and to the end; None without a talk long enough.
    pub(crate) fn verdict(&self, share: f64) -> Option<bool> {
        self.stream.state.lock().ear.as_ref()?.verdict(share)
    }

    /// The address for an SDP.
    pub(crate) fn media(&self) -> mangrove_sip::sdp::MediaAddress {
        mangrove_sip::sdp::MediaAddress { ip: self.address.ip(), port: self.address.port() }
    }

    /// Silences of the talk so far.
    pub(crate) fn silences(&self) -> Vec<Silence> {
        self.stream.state.lock().silences.clone()
    }

    pub(crate) fn counters(&self) -> Counters {
        let state = self.stream.state.lock();
        Counters {
            sent: state.sent,
            received: state.statistics.received(),
            lost: state.statistics.lost(),
            jitter_us: state.statistics.jitter_us(),
            gap_ms: state.gap_us / 1000,
        }
    }
}

fn run(streams: &Weak<Mutex<Vec<Weak<Stream>>>>, started: Instant) {
    let mut last = Instant::now();
    for number in 0u64.. {
        let Some(streams) = streams.upgrade() else { return };
        let live: Vec<Arc<Stream>> = {
            let mut streams = streams.lock();
            streams.retain(|stream| stream.strong_count() > 0);
            streams.iter().filter_map(Weak::upgrade).collect()
        };
        drop(streams);
        let stood_us = stood_still_us(std::mem::replace(&mut last, Instant::now()).elapsed());
        live.iter().for_each(|stream| stream.tick(number, stood_us));
        drop(live);
        let next = PERIOD * (number as u32 + 1);
        std::thread::sleep(next.saturating_sub(started.elapsed()));
    }
}

/// For how long nobody listened, nor said anything: this machine did something else. No party heard a silence then.
fn stood_still_us(since_last: Duration) -> u64 {
    if since_last > PERIOD * 2 { (since_last - PERIOD).as_micros() as u64 } else { 0 }
}

impl Stream {
    fn now_us(&self) -> u64 {
        self.started.elapsed().as_micros() as u64
    }

    fn tick(&self, number: u64, stood_us: u64) {
        let (mut state, now_us) = (self.state.lock(), self.now_us());
        state.stood_still(stood_us, now_us);
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            if state.to == Some(from) {
                state.hear(&buffer[..length], now_us);
            }
        }
        if let Some(to) = state.to {
            // Loopback refuses while the far end is down: that is loss.
            let _ = self.socket.send_to(&self.packet(number), to);
            state.sent += 1;
        }
    }

    fn packet(&self, number: u64) -> [u8; 12 + FRAME] {
        let mut packet = [0; 12 + FRAME];
        let ssrc = self as *const Self as usize as u32;
        header::write(&mut packet, 8, number == 0, number as u16, (number * FRAME as u64) as u32, ssrc);
        let frame = (number as usize % LOOP) * FRAME;
        packet[12..].copy_from_slice(&self.frames[frame..frame + FRAME]);
        packet
    }
}

impl StreamState {
    fn silent(&mut self, gap_us: u64) {
        self.gap_us = self.gap_us.max(gap_us);
        if gap_us > UNHEARD_US {
            self.silences.push(Silence { until: wall(), ms: gap_us / 1000 });
        }
    }

    fn stood_still(&mut self, stood_us: u64, now_us: u64) {
        if self.heard_us != 0 {
            self.heard_us = (self.heard_us + stood_us).min(now_us);
        }
    }

    fn hear(&mut self, packet: &[u8], now_us: u64) {
        let Some(header) = Header::read(packet) else { return };
        self.statistics.receive(&header, RATE, now_us);
        if self.heard_us != 0 {
            self.silent(now_us - self.heard_us);
        }
        self.heard_us = now_us;
        let Some(law) = Law::of_static(header.payload_type) else { return };
        if let Some(ear) = &mut self.ear {
            let samples: Vec<i16> =
                packet[header.payload].iter().map(|byte| g711::decode(law, *byte)).collect();
            ear.hear(&samples, now_us);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u16) -> [u8; 12 + FRAME] {
        let mut packet = [0; 12 + FRAME];
        header::write(&mut packet, 8, false, number, u32::from(number) * FRAME as u32, 1);
        packet
    }

    #[test]
    fn the_listeners_own_pause_is_no_silence() {
        let mut state = StreamState::default();
        state.hear(&packet(0), 1_000_000);
        state.stood_still(stood_still_us(Duration::from_millis(40)), 1_040_000);
        state.hear(&packet(1), 1_040_000);
        assert_eq!((state.gap_us, state.silences.len()), (40_000, 0));
        state.stood_still(stood_still_us(Duration::from_millis(520)), 1_560_000);
        state.hear(&packet(2), 1_560_000);
        assert_eq!((state.gap_us, state.silences.len()), (40_000, 0), "it was 20 ms but for the pause");
        state.stood_still(stood_still_us(Duration::from_millis(300)), 1_860_000);
        state.hear(&packet(3), 2_100_000);
        assert_eq!(state.silences.iter().map(|silence| silence.ms).collect::<Vec<_>>(), [260]);
    }
}
