//! A far end: sends a tone in frames of 20 ms and keeps what it hears.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use mangrove_codec::{Decoder, Encoder, Encoding, LONGEST_MS, MOST_BYTES};
use mangrove_rtp::{
    FRAME, RATE,
    g711::{self, Law},
    header::{self, Header},
    srtp::{Receiver, Sender, Suite},
    tone,
};
use parking_lot::Mutex;
use tokio::{net::UdpSocket, task::AbortHandle};

/// One packet that was heard.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) header: Header,
    pub(crate) payload: Vec<u8>,
    pub(crate) from: SocketAddr,
}

#[derive(Debug)]
pub(crate) struct Phone {
    socket: Arc<UdpSocket>,
    law: Law,
    heard: Arc<Mutex<Vec<Heard>>>,
    sent: Arc<AtomicU64>,
    /// What it says and hears is SRTP where these are there.
    mouth: Arc<Mutex<Option<Sender>>>,
    ear: Arc<Mutex<Option<Receiver>>>,
    /// The number of the first packet that it sends.
    first: u64,
    tasks: Vec<AbortHandle>,
}

impl Phone {
    /// A silent phone on a free port of `ip`.
    pub(crate) async fn new(ip: &str, law: Law) -> Self {
        Self::at(UdpSocket::bind(format!("{ip}:0")).await.unwrap(), law)
    }

    /// The same at a socket that is there.
    pub(crate) fn at(socket: UdpSocket, law: Law) -> Self {
        let socket = Arc::new(socket);
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (ear, list) = (socket.clone(), heard.clone());
        let receiver: Arc<Mutex<Option<Receiver>>> = Arc::default();
        let opening = receiver.clone();
        let listening = tokio::spawn(async move {
            let mut buffer = [0; 2048];
            loop {
                let Ok((length, from)) = ear.recv_from(&mut buffer).await else { continue };
                let opened = match &mut *opening.lock() {
                    Some(receiver) => receiver.unprotect(&mut buffer[..length]),
                    None => Some(length),
                };
                let Some(length) = opened else { continue };
                let Some(header) = Header::read(&buffer[..length]) else { continue };
                let payload = buffer[header.payload.clone()].to_vec();
                list.lock().push(Heard { header, payload, from });
            }
        });
        let (sent, mouth, tasks) = (Arc::default(), Arc::default(), vec![listening.abort_handle()]);
        Self { socket, law, heard, sent, mouth, ear: receiver, first: 0, tasks }
    }

    /// What it says from now on is SRTP under its own key, and it hears nothing but what is under the node's.
    pub(crate) fn encrypt(&self, suite: Suite, own: &[u8], node: &[u8]) {
        *self.mouth.lock() = Sender::new(suite, own);
        *self.ear.lock() = Receiver::new(suite, node);
    }

    /// Talks from this packet on, when it talks.
    pub(crate) fn begin_at(&mut self, first: u64) {
        self.first = first;
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// Talks to `to` in a tone until the phone is dropped.
    pub(crate) fn talk(&mut self, to: SocketAddr, hertz: f64) {
        let (socket, law, sent) = (self.socket.clone(), self.law, self.sent.clone());
        let (mouth, first) = (self.mouth.clone(), self.first);
        let ssrc = to.port().into();
        let talking = tokio::spawn(async move {
            let mut frames = tokio::time::interval(Duration::from_millis(20));
            let mut number = first;
            loop {
                frames.tick().await;
                let mut packet = packet(law, hertz, number, ssrc);
                if let Some(sender) = &mut *mouth.lock() {
                    assert!(sender.protect(&mut packet));
                }
                socket.send_to(&packet, to).await.unwrap();
                sent.fetch_add(1, Ordering::Relaxed);
                number += 1;
            }
        });
        self.tasks.push(talking.abort_handle());
    }

    /// As `talk`, in another encoding than its law.
    pub(crate) fn talk_in(&mut self, encoding: Encoding, payload_type: u8, to: SocketAddr, hertz: f64) {
        let (socket, sent) = (self.socket.clone(), self.sent.clone());
        let mut mouth = Encoder::new(encoding).unwrap();
        let samples = encoding.sample_rate() as usize / 50;
        let talking = tokio::spawn(async move {
            let mut frames = tokio::time::interval(Duration::from_millis(20));
            let mut bytes = [0; header::LENGTH + MOST_BYTES];
            for number in 0u64.. {
                frames.tick().await;
                let sound = tone::sine(pitch(encoding, hertz), 4000.0, number * samples as u64, samples);
                let length = mouth.encode_into(&sound, &mut bytes[header::LENGTH..]).unwrap();
                let timestamp = (number as u32).wrapping_mul(encoding.clock_rate() / 50);
                header::write(&mut bytes, payload_type, number == 0, number as u16, timestamp, 1);
                socket.send_to(&bytes[..header::LENGTH + length], to).await.unwrap();
                sent.fetch_add(1, Ordering::Relaxed);
            }
        });
        self.tasks.push(talking.abort_handle());
    }

    pub(crate) async fn send(&self, packet: &[u8], to: SocketAddr) {
        self.socket.send_to(packet, to).await.unwrap();
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.heard.lock().len()
    }

    pub(crate) fn forget(&self) {
        self.heard.lock().clear();
    }

    /// How loud a tone is in the last half second of what was heard.
    pub(crate) fn level(&self, hertz: f64) -> f64 {
        let heard = self.heard.lock();
        let last = heard.len().saturating_sub(25);
        let bytes = heard[last..].iter().flat_map(|packet| &packet.payload);
        let samples: Vec<i16> = bytes.map(|byte| g711::decode(self.law, *byte)).collect();
        if samples.len() < 25 * FRAME { 0.0 } else { tone::level(&samples, hertz) }
    }

    /// As `level`, where all that was heard is in another encoding than its law.
    pub(crate) fn level_in(&self, encoding: Encoding, hertz: f64) -> f64 {
        let rate = encoding.sample_rate() as usize;
        let (mut ear, mut out) =
            (Decoder::new(encoding).unwrap(), vec![0; rate * LONGEST_MS as usize / 1000]);
        let mut samples = Vec::new();
        for packet in self.heard() {
            let count = ear.decode_into(&packet.payload, &mut out).unwrap_or_default();
            samples.extend_from_slice(&out[..count]);
        }
        let half_second = samples.len().checked_sub(rate / 2);
        half_second.map_or(0.0, |from| tone::level(&samples[from..], pitch(encoding, hertz)))
    }

    /// Whether one tone is loud and clear and another is not there at all.
    pub(crate) fn hears(&self, hertz: f64, not: f64) -> bool {
        self.level(hertz) > 2500.0 && self.level(not) < 300.0
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// `tone` knows 8 kHz only: at twice the rate a tone is one of half the pitch to it.
fn pitch(encoding: Encoding, hertz: f64) -> f64 {
    hertz * f64::from(RATE) / f64::from(encoding.sample_rate())
}

/// One frame of a tone.
pub(crate) fn packet(law: Law, hertz: f64, number: u64, ssrc: u32) -> Vec<u8> {
    let samples = tone::sine(hertz, 4000.0, number * FRAME as u64, FRAME);
    let mut packet = vec![0; header::LENGTH];
    let timestamp = (number as u32).wrapping_mul(FRAME as u32).wrapping_add(77);
    header::write(&mut packet, law.static_payload_type(), number == 0, number as u16, timestamp, ssrc);
    packet.extend(samples.into_iter().map(|sample| g711::encode(law, sample)));
    packet
}
