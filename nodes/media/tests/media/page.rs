//! A browser as media nodes see it: asks by STUN, shakes hands as the client of DTLS, and then is a phone whose sound is
//! SRTP.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use dimpl::{Config, Dtls, DtlsCertificate, Output};
use mangrove_proto::media::{Endpoint, Webrtc, media_event::Fact};
use mangrove_rtp::{
    g711::Law,
    srtp::Suite,
    stun::{self, is_stun},
};
use sha2::{Digest, Sha256};
use tokio::{net::UdpSocket, time::timeout};

use crate::{
    phone::Phone,
    support::{Node, endpoint},
};

/// A question that is not answered is put again after this long.
const PAUSE: Duration = Duration::from_millis(50);
/// Cookie and transaction id of all its questions.
const TRANSACTION: [u8; 16] = [0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

pub(crate) struct Page {
    socket: UdpSocket,
    certificate: DtlsCertificate,
    pub(crate) fingerprint: Bytes,
}

/// What a handshake has led to.
pub(crate) struct Keys {
    pub(crate) suite: Suite,
    pub(crate) own: Vec<u8>,
    pub(crate) node: Vec<u8>,
}

/// What the node told last of itself, with an endpoint's address.
pub(crate) fn words(node: &Node, id: &str) -> Webrtc {
    let words = |fact: &Fact| match fact {
        Fact::Ready(ready) => ready.addresses.iter().find(|told| told.endpoint == id)?.webrtc.clone(),
        _ => None,
    };
    node.facts().iter().rev().find_map(words).expect("it was told")
}

impl Page {
    pub(crate) async fn open() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["page".to_owned()]).unwrap();
        let certificate = made.cert.der().to_vec();
        let fingerprint = Bytes::copy_from_slice(&Sha256::digest(&certificate)[..]);
        let certificate = DtlsCertificate { certificate, private_key: made.signing_key.serialize_der() };
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        Self { socket, certificate, fingerprint }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// Its endpoint, with these words of the node's.
    pub(crate) fn endpoint(&self, id: &str, words: Webrtc) -> Endpoint {
        let webrtc = Some(Webrtc { theirs: self.fingerprint.clone(), ..words });
        Endpoint { webrtc, ..endpoint(id, Law::A, "192.0.2.1:9".parse().unwrap()) }
    }

    /// Asks, and chooses this way. Whether it was answered, with proof.
    pub(crate) async fn asks(&self, to: SocketAddr, ufrag: &str, pwd: &str) -> bool {
        let question = question(ufrag, pwd);
        let mut buffer = [0; 2048];
        for _ in 0..10 {
            self.socket.send_to(&question, to).await.unwrap();
            let Ok(answer) = timeout(PAUSE, self.socket.recv_from(&mut buffer)).await else { continue };
            let (length, from) = answer.unwrap();
            let packet = &buffer[..length];
            if is_stun(packet) && from == to {
                assert_eq!((packet[..2].to_vec(), &packet[4..20]), (vec![1, 1], &TRANSACTION[..]));
                let mut again = packet[..length - 32].to_vec();
                stun::seal(&mut again, pwd);
                return again == packet;
            }
        }
        false
    }

    /// Whether anything at all comes to it within a moment.
    pub(crate) async fn hears_something(&self) -> bool {
        timeout(4 * PAUSE, self.socket.recv_from(&mut [0; 2048])).await.is_ok()
    }

    pub(crate) async fn says(&self, packet: &[u8], to: SocketAddr) {
        self.socket.send_to(packet, to).await.unwrap();
    }

    /// Shakes hands; none if that leads to nothing within this time.
    pub(crate) async fn shakes(&self, to: SocketAddr, patience: Duration) -> Option<Keys> {
        let (mut dtls, began) = (self.client(), Instant::now());
        dtls.handle_timeout(began).unwrap();
        let mut buffer = [0; 2048];
        while began.elapsed() < patience {
            let (packets, exported) = drain(&mut dtls);
            for packet in packets {
                self.says(&packet, to).await;
            }
            if let Some(exported) = exported {
                let suite = Suite::of_exported(exported.len()).unwrap();
                let [own, node] = suite.take_apart(&exported).unwrap();
                return Some(Keys { suite, own, node });
            }
            match timeout(PAUSE, self.socket.recv_from(&mut buffer)).await {
                Ok(heard) => {
                    let (length, _) = heard.unwrap();
                    if (20..64).contains(&buffer[0]) {
                        dtls.handle_packet(&buffer[..length]).ok()?;
                    }
                }
                Err(_) => dtls.handle_timeout(Instant::now()).ok()?,
            }
        }
        None
    }

    fn client(&self) -> Dtls {
        let config = Arc::new(Config::builder().build().unwrap());
        let mut dtls = Dtls::new_12(config, self.certificate.clone(), Instant::now());
        dtls.set_active(true);
        dtls
    }

    /// The first word of a handshake.
    pub(crate) fn hello(&self) -> Vec<u8> {
        let mut dtls = self.client();
        dtls.handle_timeout(Instant::now()).unwrap();
        drain(&mut dtls).0.remove(0)
    }

    /// A phone under these keys, at its socket.
    pub(crate) fn talks(self, keys: &Keys) -> Phone {
        let phone = Phone::at(self.socket, Law::A);
        phone.encrypt(keys.suite, &keys.own, &keys.node);
        phone
    }
}

/// What is to be sent, and the keys if there are some.
fn drain(dtls: &mut Dtls) -> (Vec<Vec<u8>>, Option<Vec<u8>>) {
    let (mut packets, mut exported, mut out) = (Vec::new(), None, [0; 4096]);
    for _ in 0..100 {
        match dtls.poll_output(&mut out) {
            Output::Packet(packet) => packets.push(packet.to_vec()),
            Output::KeyingMaterial(material, _) => exported = Some(material.to_vec()),
            Output::Timeout(_) => break,
            _ => {}
        }
    }
    (packets, exported)
}

/// As browsers put it, with their choice.
fn question(ufrag: &str, pwd: &str) -> Vec<u8> {
    let name = format!("{ufrag}:F7gI");
    let mut packet = [&[0, 1, 0, 0][..], &TRANSACTION].concat();
    packet.extend([0, 6, 0, name.len() as u8]);
    packet.extend(name.bytes());
    packet.resize(packet.len().next_multiple_of(4), 0);
    packet.extend([0, 0x25, 0, 0]);
    stun::seal(&mut packet, pwd);
    packet
}
