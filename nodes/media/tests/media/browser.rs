//! Browsers: they prove themselves, shake hands, are heard and hear; a stranger is answered by nothing, and an heir goes on.

use std::time::Duration;

use mangrove_proto::media::{Endpoint, Secured, SetSession, Srtp, Webrtc, media_event::Fact};
use mangrove_rtp::g711::Law;

use crate::{
    page::{Page, words},
    phone::{Phone, packet},
    support::*,
    talk::on_ports,
};

const PATIENCE: Duration = Duration::from_secs(10);

/// What the node told of a handshake.
async fn secured(node: &Node) -> Secured {
    let secured = |fact: &Fact| match fact {
        Fact::Secured(secured) => Some(secured.clone()),
        _ => None,
    };
    node.fact("hands are shaken", secured).await
}

fn has_secured(node: &Node) -> bool {
    node.facts().iter().any(|fact| matches!(fact, Fact::Secured(_)))
}

fn set(version: u64, page: Endpoint, phone: &Phone) -> SetSession {
    bridged(version, page, endpoint("b", Law::A, phone.address()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_and_a_phone_hear_each_other() {
    let node = Node::start();
    let (page, mut b) = (Page::open().await, Phone::new("127.0.0.1", Law::A).await);
    let address = page.address();
    let ours = node.ready(set(1, page.endpoint("a", Webrtc::default()), &b)).await;
    let told = words(&node, "a");
    assert_eq!((told.ufrag.len(), told.pwd.len(), told.fingerprint.len()), (8, 32, 32));
    assert!(page.asks(ours[0], &told.ufrag, &told.pwd).await);
    let keys = page.shakes(ours[0], PATIENCE).await.expect("a handshake");
    let fact = secured(&node).await;
    let srtp = fact.srtp.expect("keys");
    assert_eq!((fact.endpoint.as_str(), &fact.ufrag, &fact.theirs), ("a", &told.ufrag, &page.fingerprint));
    assert_eq!((&srtp.ours[..], &srtp.theirs[..]), (&keys.node[..], &keys.own[..]));
    assert_eq!(srtp.suite, keys.suite.name());
    let chosen = |fact: &Fact| match fact {
        Fact::Latched(latched) => Some(latched.address.clone()),
        _ => None,
    };
    assert_eq!(node.fact("its way is told", chosen).await, address.to_string());
    let mut a = page.talks(&keys);
    a.talk(ours[0], 440.0);
    b.talk(ours[1], 1000.0);
    until("they hear each other", || a.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_control_gives_back_changes_nothing() {
    let node = Node::start();
    let (page, mut b) = (Page::open().await, Phone::new("127.0.0.1", Law::A).await);
    let ours = node.ready(set(1, page.endpoint("a", Webrtc::default()), &b)).await;
    let told = words(&node, "a");
    node.ready(set(2, page.endpoint("a", Webrtc::default()), &b)).await;
    assert_eq!(words(&node, "a"), told, "while control has not said them");
    assert!(page.asks(ours[0], &told.ufrag, &told.pwd).await);
    let keys = page.shakes(ours[0], PATIENCE).await.expect("a handshake");
    let srtp = secured(&node).await.srtp;
    let again = Endpoint { srtp, ..page.endpoint("a", told) };
    node.ready(set(3, again, &b)).await;
    let mut a = page.talks(&keys);
    a.talk(ours[0], 440.0);
    b.talk(ours[1], 1000.0);
    until("they hear each other", || a.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_proves_nothing_is_answered_by_nothing_and_heard_by_nobody() {
    let node = Node::start();
    let (page, stranger) = (Page::open().await, Page::open().await);
    let b = Phone::new("127.0.0.1", Law::A).await;
    let ours = node.ready(set(1, page.endpoint("a", Webrtc::default()), &b)).await;
    let told = words(&node, "a");
    assert!(!stranger.asks(ours[0], &told.ufrag, "another-password-of-22").await);
    assert!(!stranger.asks(ours[0], "another", &told.pwd).await);
    for number in 0..20 {
        stranger.says(&stranger.hello(), ours[0]).await;
        stranger.says(&packet(Law::A, 700.0, number, 5), ours[0]).await;
    }
    assert!(!stranger.hears_something().await);
    assert!(page.asks(ours[0], &told.ufrag, &told.pwd).await);
    // Known, but without keys.
    for number in 0..20 {
        page.says(&packet(Law::A, 700.0, number, 5), ours[0]).await;
    }
    assert!(page.shakes(ours[0], PATIENCE).await.is_some());
    assert_eq!(b.count(), 0, "nothing of it was passed on");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_another_certificate_shakes_no_hands_and_the_call_goes_on() {
    let node = Node::start();
    let (page, mut b) = (Page::open().await, Phone::new("127.0.0.1", Law::A).await);
    let mut wrong = page.endpoint("a", Webrtc::default());
    if let Some(webrtc) = &mut wrong.webrtc {
        webrtc.theirs = vec![7_u8; 32].into();
    }
    let ours = node.ready(set(1, wrong, &b)).await;
    let told = words(&node, "a");
    assert!(page.asks(ours[0], &told.ufrag, &told.pwd).await);
    page.shakes(ours[0], Duration::from_secs(1)).await;
    assert!(!has_secured(&node), "{:?}", node.facts());
    node.ready(set(2, page.endpoint("a", told), &b)).await;
    let keys = page.shakes(ours[0], PATIENCE).await.expect("a handshake under the right one");
    let mut a = page.talks(&keys);
    a.talk(ours[0], 440.0);
    b.talk(ours[1], 1000.0);
    until("they hear each other", || a.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_heir_with_words_and_keys_goes_on_without_a_word_to_the_browser() {
    let first = Node::start();
    let (page, mut b) = (Page::open().await, Phone::new("127.0.0.1", Law::A).await);
    let (address, theirs) = (page.address(), page.fingerprint.clone());
    let wanted = set(1, page.endpoint("a", Webrtc::default()), &b);
    let ours = first.ready(wanted.clone()).await;
    let told = words(&first, "a");
    assert!(page.asks(ours[0], &told.ufrag, &told.pwd).await);
    let keys = page.shakes(ours[0], PATIENCE).await.expect("a handshake");
    let srtp: Option<Srtp> = secured(&first).await.srtp;
    let mut a = page.talks(&keys);
    a.talk(ours[0], 440.0);
    b.talk(ours[1], 1000.0);
    until("they hear each other", || a.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;
    let store = first.objects.clone();
    drop(first);

    let second = Node::start_with(store, |options| options.run = 2);
    let mut again = on_ports(SetSession { version: 2, ..wanted }, &ours);
    let end = &mut again.endpoints[0];
    (end.webrtc, end.srtp) = (Some(Webrtc { theirs, ..told.clone() }), srtp);
    end.latched = address.to_string();
    assert_eq!(second.ready(again).await, ours);
    assert_eq!(words(&second, "a"), Webrtc { theirs: Default::default(), ..told });
    a.forget();
    b.forget();
    until("they hear each other again", || a.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_heir_without_keys_says_words_of_its_own() {
    let first = Node::start();
    let (page, b) = (Page::open().await, Phone::new("127.0.0.1", Law::A).await);
    let wanted = set(1, page.endpoint("a", Webrtc::default()), &b);
    let ours = first.ready(wanted.clone()).await;
    let told = words(&first, "a");
    let store = first.objects.clone();
    drop(first);

    let second = Node::start_with(store, |options| options.run = 2);
    let mut again = on_ports(SetSession { version: 2, ..wanted }, &ours);
    again.endpoints[0] = Endpoint { port: again.endpoints[0].port, ..page.endpoint("a", told.clone()) };
    second.ready(again).await;
    let new = words(&second, "a");
    assert!(new.ufrag != told.ufrag && new.pwd != told.pwd && new.fingerprint != told.fingerprint);
    assert!(page.asks(ours[0], &new.ufrag, &new.pwd).await);
    assert!(page.shakes(ours[0], PATIENCE).await.is_some());
    assert!(secured(&second).await.srtp.is_some());
}
