//! Any bytes as everything that a media node reads: RTP packets on their whole way, RTCP, and uploaded WAV files.

#![no_main]

use std::net::SocketAddr;

use libfuzzer_sys::fuzz_target;
use mangrove_rtp::align::{Aligner, Side, Sound};
use mangrove_rtp::g711::{self, Law};
use mangrove_rtp::header::Header;
use mangrove_rtp::latch::{Latch, Verdict};
use mangrove_rtp::statistics::Statistics;
use mangrove_rtp::stream::Outgoing;
use mangrove_rtp::{digit, resample, rtcp, samples, wav};

fuzz_target!(|bytes: &[u8]| {
    let _ = rtcp::read(bytes);
    if let Ok(sound) = wav::read(bytes) {
        assert!(!sound.samples.is_empty() && sound.samples.len() <= bytes.len());
        let _ = resample::to_8k(&sound.samples, sound.rate);
    }
    stream(bytes);
});

/// Packets one after another: a byte of length, a byte that says who sends and how long that took, the packet.
fn stream(mut bytes: &[u8]) {
    let from: [SocketAddr; 4] = ["192.0.2.1:4000", "192.0.2.2:5000", "192.0.2.2:6000", "192.0.2.3:4000"]
        .map(|a| a.parse().expect("an address"));
    let mut latch = Latch::new();
    latch.signal(Some(from[0]), Some(from[1].ip()), 0);
    let (mut counts, mut digits) = (Statistics::default(), digit::Receiver::default());
    let (mut out, mut recording) = (Outgoing::new(1, 2, 3), Aligner::new(0));
    let mut now_us = 0;
    while let [length, how, rest @ ..] = bytes {
        let (packet, next) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes = next;
        now_us += u64::from(how >> 2) * 17_000;
        let Some(header) = Header::read(packet) else { continue };
        assert!(header.payload.start <= header.payload.end && header.payload.end <= packet.len());
        let who = usize::from(how & 3);
        let verdict = latch.receive(from[who], header.ssrc, header.sequence, now_us);
        assert_eq!(verdict == Verdict::Foreign, who == 3, "a third address is never believed");
        if matches!(verdict, Verdict::Accept | Verdict::Moved) {
            let clock = if header.payload_type < 96 { 8_000 } else { 48_000 };
            counts.receive(&header, clock, now_us);
            let payload = &packet[header.payload.clone()];
            let _ = digits.receive(header.timestamp, clock, payload, now_us).count();
            let sound =
                Sound { stream: header.ssrc.into(), timestamp: header.timestamp, law: Law::Mu, payload };
            recording.add(if who == 0 { Side::Left } else { Side::Right }, sound, now_us);
            let mut copy = packet.to_vec();
            g711::transcode(Law::Mu, Law::A, &mut copy[header.payload.clone()]);
            out.set_clock(clock);
            out.forward(&mut copy, &header, 8, header.ssrc.into(), now_us);
            assert_eq!(Header::read(&copy).map(|h| (h.ssrc, h.payload)), Some((1, header.payload.clone())));
        }
        let _ = (digits.poll(now_us), counts.block(None));
        assert!(latch.destination().is_some_and(|to| to != from[3]));
    }
    let mut sound = Vec::new();
    while recording.taken() < samples(now_us) {
        recording.take(samples(now_us), &mut sound);
        sound.clear();
    }
    assert_eq!(recording.taken(), samples(now_us));
}
