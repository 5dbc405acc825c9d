//! Garbage costs what it costs to read, and never the service.

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::house::House;

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
