//! Garbage costs what it costs to read, and never the service.

use std::time::Instant;

use mangrove_edge::Limits;
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    far_end::{UdpEnd, in_dialog, request},
    house::{House, leg},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_does_not_stop_service() {
    let house =
        House::with(|limits| (limits.requests_per_second, limits.request_burst) = (1_000, 100_000)).await;
    let (attacker, carrier) = (house.phone().await, house.carrier().await);
    let template = attacker.invite("garbage").into_bytes();
    let mut chance = StdRng::seed_from_u64(4475);
    for number in 0..20_000u32 {
        attacker.send(garbage(&template, &mut chance)).await;
        if number % 100 == 0 {
            carrier.hears_nothing(&number.to_string()).await;
        }
    }
    carrier.send(carrier.invite("a-real-call")).await;
    let (_, _, message) = house.control.received(0).await;
    assert_eq!(message.call_id(), Some("a-real-call"));
    let status = house.edge.status();
    assert_eq!((status.transactions, status.unanswered_invites), (1, 1), "garbage left nothing behind");
}

/// Anybody can write down a leg: what nobody can check is told to control at the sender's rate only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acks_and_responses_of_nobody_reach_control_at_their_senders_rate() {
    const BURST: usize = 100;
    let limit = |limits: &mut Limits| (limits.requests_per_second, limits.request_burst) = (1, BURST as u32);
    let house = House::with(limit).await;
    let (attacker, carrier) = (house.phone().await, house.carrier().await);
    let began = Instant::now();
    for number in 0..20_000u32 {
        let id = number.to_string();
        attacker.send(if number % 2 == 0 { ack(&attacker, &id) } else { response(&id) }).await;
        if number == 10_000 {
            carrier.send(in_dialog("BYE", carrier.local(), "UDP", "bye")).await;
        }
        if number % 100 == 0 {
            carrier.hears_nothing(&format!("still-served-{number}")).await;
        }
    }
    house.control.told("BYE").await;
    let told = house.control.count() - 1;
    let allowed = BURST + 1 + began.elapsed().as_secs() as usize;
    assert!((1..=allowed).contains(&told), "{told} messages were told, {allowed} allowed");
}

/// An ACK for a leg that nobody knows.
fn ack(attacker: &UdpEnd, id: &str) -> String {
    let uri = format!("sip:acme.{}@127.0.0.1", leg());
    request("ACK", &uri, attacker.local(), "UDP", id, "")
}

/// The response to a request that was never sent.
fn response(id: &str) -> String {
    format!(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK-acme.{}-{id}\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:c@d>;tag=2\r\nCall-ID: {id}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n",
        leg()
    )
}

/// Noise, a torn message, or one with bytes flipped.
fn garbage(template: &[u8], chance: &mut StdRng) -> Vec<u8> {
    let mut bytes = template.to_vec();
    match chance.random_range(0..3) {
        0 => {
            bytes = vec![0; chance.random_range(0..300)];
            chance.fill(bytes.as_mut_slice());
        }
        1 => bytes.truncate(chance.random_range(0..template.len())),
        _ => {
            for _ in 0..chance.random_range(1..20) {
                let at = chance.random_range(0..bytes.len());
                bytes[at] = chance.random();
            }
        }
    }
    bytes
}
