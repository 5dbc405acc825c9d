//! Phones that are browsers: offered what they understand, told of their media node, and kept when that is another one.

use mangrove_proto::media::{
    Endpoint, EndpointAddress, Ready, Secured, SetSession, Srtp, Webrtc, media_event::Fact,
};
use mangrove_sip::{Message, Transport};

use crate::{
    Action, Command, NodeInfo, ObjectRef, State,
    rules::NEWEST,
    tests::{
        acme,
        far_end::{browser_sdp, sdp},
        world::World,
    },
};

/// What node m1 says of itself: bytes of `1`.
const FINGERPRINT: &str = "sha-256 31:31:31:31";
/// What browsers show: bytes of `7`.
const THEIRS: [u8; 32] = [0x37; 32];

/// Acme under the newest rules, with Anna at a page.
fn world() -> World {
    let mut world = World::of(acme::config());
    world.command(Command::RaiseRules { to: NEWEST });
    page(&mut world);
    world
}

fn page(world: &mut World) {
    let contacts = [(Transport::Udp, "10.0.0.1:5060"), (Transport::Ws, "10.0.0.1:8080")];
    let contacts = contacts.map(|(transport, at)| (transport, at.to_owned())).to_vec();
    let node = NodeInfo { name: "e1".into(), contacts, media: false };
    world.command(Command::NodeAnnounced { node });
    world.register_browser("101", "flow-1");
}

/// A caller and Anna, who talk.
fn talk(world: &mut World) -> (usize, usize) {
    let caller = world.queued();
    let anna = world.pick_up_saying("101", &browser_sdp("sendrecv", "active", 1));
    assert!(world.are_joined(caller, anna));
    (caller, anna)
}

fn body(message: &Message) -> String {
    String::from_utf8_lossy(message.body()).into_owned()
}

/// The last INVITE that a far end got.
fn told(world: &World, end: usize) -> String {
    let heard = world.ends[end].heard.iter();
    let invite = heard.rev().find(|message| message.is_request() && message.method().as_str() == "INVITE");
    body(invite.unwrap_or(&world.ends[end].invite))
}

fn endpoint(set: &SetSession, leg: &str) -> Endpoint {
    set.endpoints.iter().find(|endpoint| endpoint.id == leg).expect("an endpoint").clone()
}

/// What whoever carries the call's media is told of a far end.
fn owed(world: &World, end: usize) -> Endpoint {
    let object = ObjectRef::Call("acme".into(), world.call(end).id);
    let session =
        world.state.owed(&object, world.stamp()).into_iter().find_map(|effect| match effect.action {
            Action::Media { command, .. } => command.set.filter(|set| !set.close),
            Action::Edge { .. } => None,
        });
    endpoint(&session.expect("a session"), &world.ends[end].leg)
}

fn srtp() -> Srtp {
    let key = |byte: u8| vec![byte; 28].into();
    Srtp { suite: "AEAD_AES_128_GCM".into(), ours: key(b'o'), theirs: key(b't') }
}

/// The node tells that it has shaken hands with the browser, under these words.
fn secure(world: &mut World, end: usize, ufrag: &str) {
    let (call, endpoint) = (world.call(end).id, world.ends[end].leg.clone());
    let theirs = THEIRS.to_vec().into();
    let secured = Secured { endpoint, srtp: Some(srtp()), ufrag: ufrag.into(), theirs };
    world.media(call, Fact::Secured(secured));
}

#[test]
fn a_page_is_offered_what_it_understands_and_its_media_node_is_told_its_certificate() {
    let mut world = world();
    let caller = world.queued();
    let anna = world.ringing("101").expect("Anna's page rings");
    let offer = body(&world.ends[anna].invite);
    for line in [" UDP/TLS/RTP/SAVPF ", "a=ice-lite", "a=ice-ufrag:m1ufrag", FINGERPRINT, "a=setup:actpass"] {
        assert!(offer.contains(line), "{line}: {offer}");
    }
    assert!(!offer.contains("a=crypto"), "{offer}");
    world.pick_up_saying("101", &browser_sdp("sendrecv", "active", 1));
    assert!(world.are_joined(caller, anna));
    let told = owed(&world, anna).webrtc.expect("a browser");
    assert_eq!((told.ufrag.as_str(), &told.theirs[..]), ("m1ufrag", &THEIRS[..]));
    assert_eq!((owed(&world, caller).webrtc, owed(&world, caller).srtp), (None, None));
}

#[test]
fn a_page_that_calls_is_answered_as_it_asks() {
    let mut world = world();
    world.register("102");
    let anna = world.call_offering("101", "102", &browser_sdp("sendrecv", "actpass", 1));
    world.run();
    let boris = world.pick_up("102");
    assert!(world.are_joined(anna, boris));
    let heard = world.ends[anna].heard.iter();
    let answer = body(heard.rev().find(|message| message.status() == Some(200)).expect("an answer"));
    assert!(answer.contains("UDP/TLS/RTP/SAVPF") && answer.contains("a=setup:passive"), "{answer}");
    assert!(answer.contains("a=mid:0") && answer.contains(FINGERPRINT), "{answer}");
}

#[test]
fn others_over_a_websocket_and_all_under_the_first_rules_are_plain() {
    let mut first = World::of(acme::config());
    page(&mut first);
    let mut plain = world();
    plain.register_over_websocket("101", "flow-1");
    for world in [&mut first, &mut plain] {
        let caller = world.queued();
        let anna = world.ringing("101").expect("Anna's page rings");
        let offer = body(&world.ends[anna].invite);
        assert!(offer.contains(" RTP/AVP ") && !offer.contains("a=ice"), "{offer}");
        world.pick_up("101");
        assert!(world.are_joined(caller, anna));
        let stored = world.state.snapshot().expect("a snapshot");
        for word in ["webrtc", "association", "credentials", "ice"] {
            // As MessagePack has it: a name of so many letters.
            let name = [&[0xa0 + word.len() as u8][..], word.as_bytes()].concat();
            assert!(!stored.windows(name.len()).any(|part| part == name), "{word} is stored");
        }
    }
    let refused = first.call_offering("101", "102", &browser_sdp("sendrecv", "actpass", 1));
    first.run();
    assert!(first.ends[refused].was_told("488 INVITE"), "{:?}", first.ends[refused].words());
}

#[test]
fn who_carries_the_same_address_later_is_told_words_and_keys_and_the_page_nothing() {
    let mut world = world();
    let (_, anna) = talk(&mut world);
    assert_eq!(owed(&world, anna).srtp, None, "no hands were shaken");
    secure(&mut world, anna, "m1ufrag");
    let (heard, told) = (world.ends[anna].heard.len(), owed(&world, anna));
    assert_eq!(told.srtp, Some(srtp()));
    let restored = State::restore(&world.state.snapshot().expect("a snapshot")).expect("a state");
    let object = ObjectRef::Call("acme".into(), world.call(anna).id);
    assert_eq!(restored.owed(&object, world.stamp()), world.state.owed(&object, world.stamp()));
    world.run();
    assert_eq!(world.ends[anna].heard.len(), heard, "the page hears nothing of it");
    let shown = format!("{:?}", world.call(anna));
    assert!(!shown.contains("oooo") && !shown.contains("111, 111, 111"), "no key is shown");
    assert!(!shown.contains("m1+password"), "nor a password");
}

#[test]
fn keys_that_were_agreed_under_other_words_or_with_another_certificate_are_over() {
    let mut world = world();
    let (_, anna) = talk(&mut world);
    secure(&mut world, anna, "former-words");
    assert_eq!(owed(&world, anna).srtp, None);
    secure(&mut world, anna, "m1ufrag");
    let other = browser_sdp("sendrecv", "actpass", 2).replace("37:37", "38:37");
    world.request(anna, "INVITE", "", &other);
    assert_eq!(owed(&world, anna).srtp, None, "it has another certificate");
}

#[test]
fn an_heir_that_can_not_shake_hands_says_other_words_and_the_page_is_told_them() {
    let mut world = world();
    let (caller, anna) = talk(&mut world);
    let before = world.ends[caller].heard.len();
    let (call, version) = (world.call(anna).id, world.call(anna).media.version);
    let address = world.call(anna).parties.values().find(|party| party.employee.is_some());
    let address = address.and_then(|party| party.address).expect("an address").to_string();
    let pwd = "another-password-of-22".replace('-', "+");
    let (ufrag, fingerprint) = ("heir".into(), vec![9_u8; 32].into());
    let webrtc = Webrtc { ufrag, pwd, fingerprint, ..Default::default() };
    let endpoint = world.ends[anna].leg.clone();
    let told_again = EndpointAddress { endpoint, address, webrtc: Some(webrtc), ..Default::default() };
    let ready = Ready { version, addresses: vec![told_again] };
    world.media(call, Fact::Ready(ready.clone()));
    world.run();
    let offer = told(&world, anna);
    assert!(offer.contains("a=ice-ufrag:heir") && offer.contains("sha-256 09:09"), "{offer}");
    assert_eq!(owed(&world, anna).webrtc.expect("a browser").ufrag, "heir");
    assert_eq!(world.ends[caller].heard.len(), before, "nothing is new for the other");
    let heard = world.ends[anna].heard.len();
    world.media(call, Fact::Ready(ready));
    world.run();
    assert_eq!(world.ends[anna].heard.len(), heard, "once");
}

#[test]
fn another_media_node_says_words_of_its_own_and_the_keys_of_before_are_over() {
    let mut world = world();
    let (caller, anna) = talk(&mut world);
    secure(&mut world, anna, "m1ufrag");
    world.announce_media("m2");
    world.command(Command::NodeLost { name: "m1".into(), tells: true });
    world.run();
    assert_eq!(world.call(anna).media.node, "m2");
    let offer = told(&world, anna);
    assert!(offer.contains("a=ice-ufrag:m2ufrag") && offer.contains("10.0.0.3"), "{offer}");
    assert_eq!(owed(&world, anna).srtp, None);
    assert!(world.are_joined(caller, anna));
}

#[test]
fn while_a_session_leaves_a_node_each_of_the_two_has_its_own_words() {
    let mut world = world();
    let (caller, anna) = talk(&mut world);
    secure(&mut world, anna, "m1ufrag");
    world.announce_media("m2");
    world.drain("m1");
    let leg = world.ends[anna].leg.clone();
    let words = |world: &World, node: &str| {
        let held = &world.held[&(node.to_owned(), world.call(anna).id)];
        held.endpoints
            .iter()
            .find(|end| end.id == leg)
            .and_then(|end| end.webrtc.clone())
            .map(|one| one.ufrag)
    };
    assert_eq!(words(&world, "m2").as_deref(), Some(""), "it is to make them");
    world.run();
    assert!(told(&world, anna).contains("a=ice-ufrag:m2ufrag"));
    world.pass(10_000);
    assert_eq!(world.call(anna).media.node, "m2");
    assert_eq!(owed(&world, anna).webrtc.expect("a browser").ufrag, "m2ufrag");
    assert!(world.are_joined(caller, anna));
}

#[test]
fn a_hold_keeps_words_and_keys() {
    let mut world = world();
    let (caller, anna) = talk(&mut world);
    secure(&mut world, anna, "m1ufrag");
    world.request(anna, "INVITE", "", &browser_sdp("sendonly", "actpass", 2));
    assert!(world.plays(caller).is_some(), "the caller hears music");
    let told = owed(&world, anna);
    assert_eq!((told.webrtc.expect("a browser").ufrag.as_str(), told.srtp), ("m1ufrag", Some(srtp())));
    world.request(anna, "INVITE", "", &sdp(4000, "sendrecv", 3));
    assert!(world.ends[anna].was_told("488 INVITE"), "it does not become plain");
    assert!(!world.ends[anna].was_told("BYE") && !world.ends[caller].was_told("BYE"));
}
