use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::message::{Message, Method};

const NOW: u64 = 1_800_000_000_000;
const LIFETIME: u64 = 60_000;
const ALICE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const MALLORY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 66));

fn nonces() -> Nonces {
    Nonces::new([7; 32], LIFETIME)
}

fn lookup(username: &str) -> Option<Ha1s> {
    (username == "alice").then(|| Ha1s::new("alice", "acme.example", "secret"))
}

fn request(challenge: &str, username: &str, password: &str) -> Message {
    let challenge = Challenge::parse(challenge).unwrap();
    let uri = "sip:acme.example";
    let value = authorize(&challenge, "REGISTER", uri, username, Secret::Password(password), "c", 1);
    Message::request(Method::REGISTER, uri).with("Authorization", value)
}

fn check(request: &Message, now: u64) -> Verdict {
    nonces().check(request, "acme.example", ALICE, now, lookup)
}

#[test]
fn the_examples_of_rfc_7616_come_out() {
    for (algorithm, response) in [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let challenge = Challenge::parse(&format!(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm={}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
            algorithm.name()
        ))
        .unwrap();
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let secret = Secret::Password("Circle of Life");
        let value = authorize(&challenge, "GET", "/dir/index.html", "Mufasa", secret, cnonce, 1);
        assert!(value.contains(&format!("response=\"{response}\"")), "{value}");
    }
}

#[test]
fn both_algorithms_are_offered_and_accepted() {
    let challenges = nonces().challenge("acme.example", ALICE, NOW);
    assert!(challenges[0].contains("SHA-256") && challenges[1].contains("algorithm=MD5"));
    for challenge in challenges {
        let verdict = check(&request(&challenge, "alice", "secret"), NOW + 1);
        assert_eq!(verdict, Verdict::Accepted { username: "alice".into() });
    }
}

#[test]
fn every_other_case_has_its_verdict() {
    let challenge = &nonces().challenge("acme.example", ALICE, NOW)[0];
    let wrong = |name: &str| Verdict::WrongPassword { username: name.into() };
    assert_eq!(check(&request(challenge, "alice", "guess"), NOW), wrong("alice"));
    assert_eq!(check(&request(challenge, "bob", "secret"), NOW), wrong("bob"));
    let good = request(challenge, "alice", "secret");
    for password in ["secret", "guess"] {
        let late = check(&request(challenge, "alice", password), NOW + LIFETIME + 1);
        assert_eq!(late, Verdict::Stale, "an old nonce tells nothing about {password}");
    }
    let without = Message::request(Method::REGISTER, "sip:acme.example");
    assert_eq!(check(&without, NOW), Verdict::Challenge);
    let other_scheme = without.with("Authorization", "NoOneKnowsThisScheme opaque-data=here");
    assert_eq!(check(&other_scheme, NOW), Verdict::Challenge);
    let mut moved = good.clone();
    moved.start = Message::request(Method::REGISTER, "sip:other.example").start;
    assert_eq!(check(&moved, NOW), Verdict::Malformed);
    let mut renamed = good;
    renamed.start = Message::request(Method::INVITE, "sip:acme.example").start;
    assert_eq!(check(&renamed, NOW), wrong("alice"));
}

#[test]
fn nonces_of_other_keys_realms_and_forgers_are_foreign() {
    for challenge in [
        Nonces::new([8; 32], LIFETIME).challenge("acme.example", ALICE, NOW).remove(0),
        nonces().challenge("other.example", ALICE, NOW).remove(0).replace("other.example", "acme.example"),
        "Digest realm=\"acme.example\", nonce=\"1\", qop=\"auth\"".to_owned(),
        "Digest realm=\"acme.example\", nonce=\"äöüäöüäöüäöü\", qop=\"auth\"".to_owned(),
    ] {
        assert_eq!(check(&request(&challenge, "alice", "secret"), NOW), Verdict::Challenge, "{challenge}");
    }
}

#[test]
fn a_nonce_is_good_from_the_address_it_was_given_to_only() {
    let challenge = nonces().challenge("acme.example", ALICE, NOW).remove(0);
    for password in ["secret", "guess"] {
        let captured = request(&challenge, "alice", password);
        let verdict = nonces().check(&captured, "acme.example", MALLORY, NOW, lookup);
        assert_eq!(verdict, Verdict::Stale, "{password}");
    }
    let mapped = IpAddr::V6(Ipv4Addr::new(192, 0, 2, 1).to_ipv6_mapped());
    let verdict =
        nonces().check(&request(&challenge, "alice", "secret"), "acme.example", mapped, NOW, lookup);
    assert_eq!(
        verdict,
        Verdict::Accepted { username: "alice".into() },
        "the same address, written otherwise"
    );
    let marked = Challenge::parse(&challenge).unwrap().nonce;
    let forged = challenge.replace(&marked[16..32], "0123456789abcdef");
    assert_eq!(check(&request(&forged, "alice", "secret"), NOW), Verdict::Challenge);
}

#[test]
fn responses_without_qop_are_challenged() {
    let challenge = nonces().challenge("acme.example", ALICE, NOW).remove(0).replace(", qop=\"auth\"", "");
    assert_eq!(check(&request(&challenge, "alice", "secret"), NOW), Verdict::Challenge);
}

#[test]
fn quotes_in_names_survive() {
    let nonces = nonces();
    let challenge = nonces.challenge("a\"b\\c", ALICE, NOW).remove(0);
    let challenge = Challenge::parse(&challenge).unwrap();
    assert_eq!(challenge.realm, "a\"b\\c");
}

#[test]
fn unknown_algorithms_are_passed_over() {
    let values =
        ["Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256", "Digest realm=\"r\", nonce=\"n\""];
    assert_eq!(Challenge::choose(values.into_iter()).map(|c| c.algorithm), Ok(Algorithm::Md5));
    assert_eq!(Challenge::parse(values[0]), Err(Error::Algorithm("SHA-512-256".into())));
    assert_eq!(Challenge::choose(["Basic realm=\"r\""].into_iter()), Err(Error::Malformed));
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?} {:?} {:?}", nonces(), lookup("alice"), Secret::Password("secret"));
    assert!(!shown.contains("7, 7") && !shown.contains(&Ha1s::new("alice", "acme.example", "secret").md5));
}
