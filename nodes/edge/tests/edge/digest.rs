//! Devices prove themselves by their passwords, and guessing leads nowhere.

use std::time::{SystemTime, UNIX_EPOCH};

use mangrove_proto::edge::ingress::From;
use mangrove_sip::{
    Message,
    digest::{Challenge, Nonces, Secret, authorize},
};

use crate::{
    fake::{DOMAIN, NONCE_KEY},
    far_end::{UdpEnd, request},
    house::House,
};

const URI: &str = "sip:acme.example";

fn register(phone: &UdpEnd, id: &str, more: &str) -> String {
    request("REGISTER", URI, phone.local(), "UDP", id, more)
}

/// The header that answers a challenge to REGISTER.
pub(crate) fn credentials(challenge: &str, username: &str, password: &str) -> String {
    let challenge = Challenge::parse(challenge).unwrap();
    let value = authorize(&challenge, "REGISTER", URI, username, Secret::Password(password), "cnonce", 1);
    format!("Authorization: {value}\r\n")
}

/// Is challenged, then answers with these credentials.
async fn attempt(phone: &UdpEnd, id: &str, algorithm: usize, username: &str, password: &str) {
    phone.send(register(phone, id, "")).await;
    let refused = phone.receive().await;
    assert_eq!(refused.status(), Some(401));
    let challenge = refused.headers("WWW-Authenticate").nth(algorithm).unwrap();
    phone.send(register(phone, &format!("{id}-again"), &credentials(challenge, username, password))).await;
}

#[tokio::test]
async fn the_right_password_is_taken_with_either_algorithm() {
    let house = House::start().await;
    let phone = house.phone().await;
    for algorithm in [0, 1] {
        attempt(&phone, &format!("reg-{algorithm}"), algorithm, "101", "secret").await;
        let (event, received, message) = house.control.received(algorithm).await;
        assert_eq!(received.ingress.unwrap().from, Some(From::Device("101".into())));
        assert_eq!((event.tenant.as_str(), message.method().as_str()), ("acme", "REGISTER"));
        house.answer(&message, &received.source.unwrap(), 200).await;
        assert_eq!(phone.receive().await.status(), Some(200));
    }
}

/// All of an answer but what differs by chance or by the request.
fn shape(answer: &Message) -> (Option<u16>, Vec<String>) {
    let names = answer.headers.iter().map(|(name, value)| {
        let told = if name.is("WWW-Authenticate") { value.split("nonce").next().unwrap_or("") } else { "" };
        format!("{name:?} {told}")
    });
    (answer.status(), names.collect())
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_look_alike() {
    let house = House::start().await;
    let phone = house.phone().await;
    attempt(&phone, "wrong", 0, "101", "guess").await;
    let wrong = phone.receive().await;
    attempt(&phone, "unknown", 0, "999", "guess").await;
    let unknown = phone.receive().await;
    assert_eq!(wrong.status(), Some(401));
    assert_eq!(shape(&wrong), shape(&unknown));
    assert_eq!(house.control.count(), 0);
}

#[tokio::test]
async fn an_old_nonce_is_stale_and_tells_nothing_of_the_password() {
    let house = House::start().await;
    let phone = house.phone().await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let old = Nonces::new(NONCE_KEY, 0).challenge(DOMAIN, phone.local().ip(), now - 3_600_000).swap_remove(0);
    for password in ["secret", "guess"] {
        phone.send(register(&phone, password, &credentials(&old, "101", password))).await;
        let answer = phone.receive().await;
        let challenge = Challenge::parse(answer.header("WWW-Authenticate").unwrap()).unwrap();
        assert_eq!((answer.status(), challenge.stale), (Some(401), true), "{password}");
    }
}

/// The challenge that a phone gets for a REGISTER.
async fn challenge(phone: &UdpEnd, id: &str) -> String {
    phone.send(register(phone, id, "")).await;
    phone.receive().await.header("WWW-Authenticate").unwrap().to_owned()
}

#[tokio::test]
async fn what_was_captured_is_worth_nothing_elsewhere() {
    let house = House::start().await;
    let phone = house.phone().await;
    let proof = credentials(&challenge(&phone, "first").await, "101", "secret");
    let thief = UdpEnd::bind("127.0.0.2:0", house.address(mangrove_edge::Transport::Udp)).await;
    thief.send(register(&thief, "replayed", &proof)).await;
    let answer = thief.receive().await;
    let again = Challenge::parse(answer.header("WWW-Authenticate").unwrap()).unwrap();
    assert_eq!((answer.status(), again.stale), (Some(401), true));
    phone.send(register(&phone, "second", &proof)).await;
    assert_eq!(house.control.received(0).await.2.call_id(), Some("second"), "the only one taken");
}

#[tokio::test]
async fn nobody_locks_out_a_phone_at_another_address() {
    let house = House::with(|limits| limits.failures_per_minute = 3).await;
    let (phone, thief) = (
        house.phone().await,
        UdpEnd::bind("127.0.0.2:0", house.address(mangrove_edge::Transport::Udp)).await,
    );
    let foreign = challenge(&thief, "thief").await;
    for guess in 0..50 {
        // As if sent by the thief in the phone's name: an address can be forged, an answer to it not be read.
        phone
            .send(register(&phone, &format!("forged-{guess}"), &credentials(&foreign, "101", "guess")))
            .await;
        let answer = phone.receive().await;
        let again = Challenge::parse(answer.header("WWW-Authenticate").unwrap()).unwrap();
        assert_eq!((answer.status(), again.stale), (Some(401), true));
    }
    for guess in 0..3 {
        attempt(&thief, &format!("guess-{guess}"), 0, "101", "guess").await;
        assert_eq!(thief.receive().await.status(), Some(401));
    }
    attempt(&thief, "locked", 0, "101", "secret").await;
    assert_eq!(thief.receive().await.status(), Some(403));
    attempt(&phone, "right", 0, "101", "secret").await;
    house.control.received(0).await;
}

#[tokio::test]
async fn guessing_is_stopped_for_that_address() {
    let house = House::with(|limits| limits.failures_per_minute = 3).await;
    let phone = house.phone().await;
    for guess in 0..3 {
        attempt(&phone, &format!("guess-{guess}"), 0, "101", "guess").await;
        assert_eq!(phone.receive().await.status(), Some(401));
    }
    attempt(&phone, "right", 0, "101", "secret").await;
    assert_eq!(phone.receive().await.status(), Some(403), "even the right password has to wait");
    attempt(&phone, "colleague", 0, "102", "guess").await;
    assert_eq!(phone.receive().await.status(), Some(401), "behind the same NAT others may try");

    let neighbour = UdpEnd::bind("127.0.0.2:0", house.address(mangrove_edge::Transport::Udp)).await;
    attempt(&neighbour, "neighbour", 0, "101", "secret").await;
    house.control.received(0).await;
}

#[tokio::test]
async fn a_domain_of_nobody_is_not_found() {
    let house = House::start().await;
    let phone = house.phone().await;
    phone.send(register(&phone, "1", "").replace("acme.example", "nowhere")).await;
    assert_eq!(phone.receive().await.status(), Some(404));
}
