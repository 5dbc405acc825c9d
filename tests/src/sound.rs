//! A party's sound in the hands of a test: an RTP socket that sends a tone as G.711 A-law and keeps what it hears.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::Result;

use crate::wait;

const RATE: usize = 8_000;
const FRAME: usize = 160;

/// A running stream; it stops when dropped.
#[derive(Debug)]
pub struct Sound {
    port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// Samples heard since the last `forget`.
    heard: Mutex<Vec<i16>>,
    /// Where the last packet came from.
    from: Mutex<Option<SocketAddr>>,
    told: Mutex<Option<SocketAddr>>,
}

impl Sound {
    /// Opens a port of loopback and, as soon as `send_to` or the first packet tells where, sends a tone of this
    /// frequency.
    pub fn start(hertz: f64) -> Result<Self> {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), hertz)
    }

    /// As `start`, on another address of the host that the calling thread is on.
    pub fn start_at(address: IpAddr, hertz: f64) -> Result<Self> {
        let socket = UdpSocket::bind((address, 0))?;
        socket.set_nonblocking(true)?;
        let port = socket.local_addr()?.port();
        let shared = Arc::new(Shared::default());
        let thread = std::thread::spawn({
            let shared = shared.clone();
            move || run(&socket, &shared, hertz)
        });
        Ok(Self { port, shared, thread: Some(thread) })
    }

    /// The port for the SDP.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends there from now on, wherever the sound that it hears comes from.
    pub fn send_to(&self, address: SocketAddr) {
        self.shared.told.lock().map(|mut told| *told = Some(address)).unwrap_or_default();
    }

    /// Drops what was heard so far.
    pub fn forget(&self) {
        self.shared.heard.lock().map(|mut heard| heard.clear()).unwrap_or_default();
    }

    /// How strong a frequency is in the last second heard: 1.0 is a pure tone, below 0.1 is not there. None until a second was heard.
    pub fn level(&self, hertz: f64) -> Option<f64> {
        let heard = self.shared.heard.lock().ok()?;
        let second = heard.len().checked_sub(RATE)?;
        Some(level(&heard[second..], hertz, RATE as f64))
    }

    /// Waits until a tone is heard.
    pub async fn hears(&self, hertz: f64) -> Result<()> {
        let heard = async || self.level(hertz).filter(|level| *level > 0.8);
        wait::until(&format!("{hertz} Hz to be heard"), heard).await.map(drop)
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

fn run(socket: &UdpSocket, shared: &Shared, hertz: f64) {
    let started = Instant::now();
    let mut sent: u64 = 0;
    while !shared.stop.load(Ordering::Relaxed) {
        listen(socket, shared);
        let told = shared.told.lock().map(|told| *told).unwrap_or_default();
        let to = told.or(shared.from.lock().map(|from| *from).unwrap_or_default());
        while started.elapsed() >= Duration::from_millis(sent * 20) {
            if let Some(to) = to {
                // The network may refuse while the far end is down: like loss.
                let _ = socket.send_to(&packet(sent, hertz), to);
            }
            sent += 1;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn listen(socket: &UdpSocket, shared: &Shared) {
    let mut buffer = [0; 2048];
    while let Ok((length, source)) = socket.recv_from(&mut buffer) {
        if length < 12 + FRAME || buffer[0] >> 6 != 2 || buffer[1] & 0x7f != 8 {
            continue;
        }
        if let (Ok(mut heard), Ok(mut from)) = (shared.heard.lock(), shared.from.lock()) {
            heard.extend(buffer[12..length].iter().map(|byte| alaw_to_linear(*byte)));
            *from = Some(source);
        }
    }
}

/// A tone as G.711 A-law, 8000 bytes a second.
pub fn tone(hertz: f64, length: Duration) -> Vec<u8> {
    let frames = length.as_millis() as u64 / 20;
    (0..frames).flat_map(|number| frame(number, hertz)).collect()
}

/// The samples of one packet, the `number`th of a tone.
fn frame(number: u64, hertz: f64) -> impl Iterator<Item = u8> {
    let first = number as usize * FRAME;
    let sample = move |at: usize| (at as f64 / RATE as f64 * hertz * std::f64::consts::TAU).sin() * 12_000.0;
    (first..first + FRAME).map(move |at| linear_to_alaw(sample(at) as i16))
}

fn packet(number: u64, hertz: f64) -> Vec<u8> {
    let mut bytes = vec![0x80, 8];
    bytes.extend((number as u16).to_be_bytes());
    bytes.extend((number as u32 * FRAME as u32).to_be_bytes());
    bytes.extend(0x7e57_0001_u32.to_be_bytes());
    bytes.extend(frame(number, hertz));
    bytes
}

/// The share of a signal's power at one frequency (Goertzel), 0 to 1.
pub fn level(samples: &[i16], hertz: f64, rate: f64) -> f64 {
    let step = hertz / rate * std::f64::consts::TAU;
    let (mut sine, mut cosine, mut power) = (0.0, 0.0, 0.0);
    for (at, sample) in samples.iter().enumerate() {
        let value = f64::from(*sample);
        sine += value * (step * at as f64).sin();
        cosine += value * (step * at as f64).cos();
        power += value * value;
    }
    if power == 0.0 { 0.0 } else { 2.0 * (sine * sine + cosine * cosine) / (power * samples.len() as f64) }
}

/// ITU-T G.711 A-law, written apart from the product's: the two check each other.
fn alaw_to_linear(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (exponent, mantissa) = (i16::from(byte >> 4 & 7), i16::from(byte & 15));
    let size = if exponent == 0 { mantissa * 16 + 8 } else { (mantissa * 16 + 264) << (exponent - 1) };
    if byte & 0x80 == 0 { -size } else { size }
}

fn linear_to_alaw(sample: i16) -> u8 {
    let (sign, size) =
        if sample < 0 { (0, (-(i32::from(sample)) - 1).max(0)) } else { (0x80, i32::from(sample)) };
    let exponent = (size >> 8).checked_ilog2().map_or(0, |bits| bits + 1).min(7);
    let mantissa = if exponent == 0 { size >> 4 } else { size >> (exponent + 3) } & 15;
    (sign | (exponent as u8) << 4 | mantissa as u8) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_survives_the_law_and_is_told_from_another() {
        let samples: Vec<i16> =
            (0..50).flat_map(|n| packet(n, 440.0).split_off(12)).map(alaw_to_linear).collect();
        assert!(level(&samples, 440.0, 8_000.0) > 0.99, "{}", level(&samples, 440.0, 8_000.0));
        assert!(level(&samples, 700.0, 8_000.0) < 0.01);
    }
}
