//! Sound of all parties: one thread sends each party's tone every 20 ms as G.711 A-law and keeps the last second of what
//! it hears. Whether the other side's tone is in it is asked at the end of a talk.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use mangrove_rtp::{
    g711::{self, Law},
    header::{self, Header},
    statistics::Statistics,
    tone,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

const FRAME: usize = 160;
const PERIOD: Duration = Duration::from_millis(20);
/// Frames kept of what is heard: one second.
const KEPT: usize = 50;
/// Share of the signal's power that makes a tone "heard".
const PRESENT: f64 = 0.5;

/// The thread that moves all sound of a run.
#[derive(Debug, Clone)]
pub(crate) struct Studio {
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
    socket: UdpSocket,
    frames: Vec<u8>,
    state: Mutex<StreamState>,
}

#[derive(Debug, Default)]
struct StreamState {
    to: Option<SocketAddr>,
    sent: u64,
    heard: VecDeque<[u8; FRAME]>,
    statistics: Statistics,
}

/// What a party's sound came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    pub sent: u64,
    pub received: u64,
    pub lost: u64,
    pub jitter_us: u64,
}

impl Studio {
    /// Starts the thread; it ends with the last studio handle.
    pub(crate) fn start() -> std::io::Result<Self> {
        let streams = Arc::new(Mutex::new(Vec::new()));
        let weak = Arc::downgrade(&streams);
        std::thread::Builder::new().name("sound".into()).spawn(move || run(&weak))?;
        Ok(Self { streams })
    }

    /// A party that says a tone of this frequency, once it knows to whom.
    pub(crate) fn open(&self, ip: Ipv4Addr, hertz: u32) -> std::io::Result<Sound> {
        let socket = UdpSocket::bind((ip, 0))?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let frames = tone::sine(f64::from(hertz), 12_000.0, 0, FRAME * KEPT);
        let frames = frames.into_iter().map(|sample| g711::encode(Law::A, sample)).collect();
        let stream = Arc::new(Stream { socket, frames, state: Mutex::default() });
        self.streams.lock().push(Arc::downgrade(&stream));
        Ok(Sound { stream, address })
    }
}

impl Sound {
    /// Where to send from now on.
    pub(crate) fn send_to(&self, address: SocketAddr) {
        self.stream.state.lock().to = Some(address);
    }

    /// The address for an SDP.
    pub(crate) fn media(&self) -> mangrove_sip::sdp::MediaAddress {
        mangrove_sip::sdp::MediaAddress { ip: self.address.ip(), port: self.address.port() }
    }

    pub(crate) fn counters(&self) -> Counters {
        let state = self.stream.state.lock();
        Counters {
            sent: state.sent,
            received: state.statistics.received(),
            lost: state.statistics.lost(),
            jitter_us: state.statistics.jitter_us(),
        }
    }

    /// Whether this tone is in the last second heard.
    pub(crate) fn hears(&self, hertz: u32) -> bool {
        let state = self.stream.state.lock();
        let samples: Vec<i16> =
            state.heard.iter().flatten().map(|byte| g711::decode(Law::A, *byte)).collect();
        samples.len() >= FRAME * KEPT / 2 && tone::level(&samples, f64::from(hertz)) > PRESENT
    }
}

fn run(streams: &Weak<Mutex<Vec<Weak<Stream>>>>) {
    let started = Instant::now();
    for number in 0u64.. {
        let Some(streams) = streams.upgrade() else { return };
        let live: Vec<Arc<Stream>> = {
            let mut streams = streams.lock();
            streams.retain(|stream| stream.strong_count() > 0);
            streams.iter().filter_map(Weak::upgrade).collect()
        };
        drop(streams);
        let now_us = started.elapsed().as_micros() as u64;
        live.iter().for_each(|stream| stream.tick(number, now_us));
        drop(live);
        let next = PERIOD * (number as u32 + 1);
        std::thread::sleep(next.saturating_sub(started.elapsed()));
    }
}

impl Stream {
    fn tick(&self, number: u64, now_us: u64) {
        let mut state = self.state.lock();
        let mut buffer = [0; 2048];
        while let Ok((length, _)) = self.socket.recv_from(&mut buffer) {
            state.hear(&buffer[..length], now_us);
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
        let frame = (number as usize % KEPT) * FRAME;
        packet[12..].copy_from_slice(&self.frames[frame..frame + FRAME]);
        packet
    }
}

impl StreamState {
    fn hear(&mut self, packet: &[u8], now_us: u64) {
        let Some(header) = Header::read(packet) else { return };
        self.statistics.receive(&header, now_us);
        let payload = packet
            .get(packet.len().saturating_sub(FRAME)..)
            .and_then(|payload| <[u8; FRAME]>::try_from(payload).ok());
        if let Some(payload) = payload.filter(|_| packet.len() >= 12 + FRAME) {
            if self.heard.len() == KEPT {
                self.heard.pop_front();
            }
            self.heard.push_back(payload);
        }
    }
}
