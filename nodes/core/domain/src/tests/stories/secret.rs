//! Calls whose sound is SRTP: who gets it, whose keys they are, and that they stay.

use mangrove_proto::media::{Endpoint, SetSession, Srtp};
use mangrove_sip::Message;

use crate::{
    Command, ObjectRef, State,
    config::{Device, Security, TenantConfig},
    rules::NEWEST,
    tests::{
        acme,
        far_end::{KEY, sdp, secret},
        world::World,
    },
};

/// What node m1 makes, in base64: bytes of `1`.
const OURS: &str = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTEx";

fn config(trunk: Security, phones: Security) -> TenantConfig {
    let mut config = acme::config();
    config.trunks[0].srtp = trunk;
    for employee in config.employees.values_mut() {
        for device in &mut employee.devices {
            if let Device::Sip(phone) = device {
                phone.srtp = phones;
            }
        }
    }
    config
}

/// Acme under the newest rules.
fn world(trunk: Security, phones: Security) -> World {
    let mut world = World::of(config(trunk, phones));
    world.command(Command::RaiseRules { to: NEWEST });
    for extension in ["101", "102", "190"] {
        world.register(extension);
    }
    world
}

fn plain() -> String {
    sdp(4000, "sendrecv", 1)
}

/// A caller with this description, who has heard the greeting and waits.
fn queued(world: &mut World, body: &str) -> usize {
    let caller = world.call_in_offering(acme::NUMBER, body);
    world.run();
    world.finish_prompt(caller);
    caller
}

/// What a message of ours says of SRTP: the profile, and the keys.
fn said(message: &Message) -> (String, Vec<String>) {
    let body = String::from_utf8_lossy(message.body()).into_owned();
    let profile = body.lines().find_map(|line| line.strip_prefix("m=audio ")?.split(' ').nth(1));
    let keys = body.lines().filter_map(|line| line.strip_prefix("a=crypto:"));
    (profile.unwrap_or_default().to_owned(), keys.map(str::to_owned).collect())
}

fn ours() -> Vec<String> {
    vec![format!("1 AES_CM_128_HMAC_SHA1_80 inline:{OURS}")]
}

fn answer(world: &World, index: usize) -> (String, Vec<String>) {
    let heard = &world.ends[index].heard;
    let is_answer =
        |message: &&Message| message.status() == Some(200) && message.method().as_str() == "INVITE";
    said(heard.iter().rev().find(is_answer).expect("an answer"))
}

/// A far end's endpoint, as its media node was told last.
fn endpoint(session: &SetSession, leg: &str) -> Endpoint {
    session.endpoints.iter().find(|endpoint| endpoint.id == leg).expect("an endpoint").clone()
}

fn srtp(world: &World, index: usize) -> Option<Srtp> {
    endpoint(&world.sessions[&world.call(index).id], &world.ends[index].leg).srtp
}

/// Whether a node has all that it needs to understand a far end, and to be understood.
fn has_both_keys(srtp: &Srtp) -> bool {
    (srtp.ours.len(), srtp.theirs.len(), &*srtp.suite) == (30, 30, "AES_CM_128_HMAC_SHA1_80")
}

#[test]
fn under_the_first_rules_keys_are_not_looked_at() {
    let mut world = World::of(config(Security::Require, Security::Require));
    world.register("101");
    let refused = world.call_in_offering(acme::NUMBER, &secret(&plain()));
    world.run();
    assert!(world.ends[refused].was_told("488 INVITE"), "{:?}", world.ends[refused].words());
    let caller = queued(&mut world, &secret(&plain()).replace("RTP/SAVP", "RTP/AVP"));
    assert_eq!(answer(&world, caller), ("RTP/AVP".into(), vec![]));
    let anna = world.pick_up("101");
    assert!(world.are_joined(caller, anna));
    assert_eq!((srtp(&world, caller), srtp(&world, anna)), (None, None));
    let stored = world.state.snapshot().expect("a snapshot");
    let has = |word: &str| stored.windows(word.len()).any(|part| part == word.as_bytes());
    assert!(!has("crypto") && !has("security"), "nothing is stored that earlier builds do not know");
}

#[test]
fn a_carrier_that_offers_keys_gets_ours_and_the_agent_whose_phone_has_none_is_plain() {
    let mut world = world(Security::Accept, Security::Accept);
    let caller = world.call_in_offering(acme::NUMBER, &secret(&plain()));
    let first = srtp(&world, caller).expect("it is to be SRTP");
    assert!(first.ours.is_empty() && first.theirs.len() == 30, "the node makes our key");
    world.run();
    world.finish_prompt(caller);
    assert_eq!(answer(&world, caller), ("RTP/SAVP".into(), ours()));
    assert!(has_both_keys(&srtp(&world, caller).expect("keys")));
    let ringing = world.ringing("101").expect("anna rings");
    assert_eq!(said(&world.ends[ringing].invite), ("RTP/AVP".into(), vec![]));
    let anna = world.pick_up("101");
    assert!(world.are_joined(caller, anna) && srtp(&world, anna).is_none());
}

#[test]
fn where_one_side_wants_what_the_other_has_not_there_is_no_call() {
    let other = secret(&plain()).replace("AES_CM_128_HMAC_SHA1_80", "F8_128_HMAC_SHA1_80");
    for (trunk, body) in
        [(Security::Off, secret(&plain())), (Security::Accept, other), (Security::Require, plain())]
    {
        let mut world = world(trunk, Security::Accept);
        let caller = world.call_in_offering(acme::NUMBER, &body);
        world.run();
        assert!(world.ends[caller].was_told("488 INVITE"), "{trunk:?}: {:?}", world.ends[caller].words());
        assert_eq!(world.record().sip_status, 488);
    }
}

#[test]
fn a_phone_that_may_be_srtp_decides_itself() {
    let mut world = world(Security::Accept, Security::Prefer);
    let caller = queued(&mut world, &plain());
    let ringing = world.ringing("101").expect("anna rings");
    assert_eq!(said(&world.ends[ringing].invite), ("RTP/AVP".into(), ours()));
    let anna = world.pick_up("101");
    assert!(world.are_joined(caller, anna) && srtp(&world, anna).is_none(), "it took the plain one");
    world.hang_up(caller);
    world.pass(6_000);

    let caller = queued(&mut world, &plain());
    let body = secret(&plain()).replace("RTP/SAVP", "RTP/AVP");
    let anna = world.pick_up_saying("101", &body);
    assert!(world.are_joined(caller, anna) && srtp(&world, caller).is_none());
    assert!(has_both_keys(&srtp(&world, anna).expect("keys")));
}

#[test]
fn a_phone_that_must_be_srtp_is_not_rung_before_there_is_a_key_and_not_talked_to_without() {
    let mut world = world(Security::Accept, Security::Require);
    let caller = queued(&mut world, &plain());
    let ringing = world.ringing("101").expect("anna rings");
    assert_eq!(said(&world.ends[ringing].invite), ("RTP/SAVP".into(), ours()));
    world.pick_up_saying("101", &plain());
    assert!(world.ends[ringing].was_told("BYE"), "{:?}", world.ends[ringing].words());
    assert_ne!(world.stage(caller), "talking");
    let boris = world.pick_up_saying("102", &secret(&plain()));
    assert!(world.are_joined(caller, boris));
}

#[test]
fn an_address_without_its_key_is_none() {
    let mut world = world(Security::Accept, Security::Require);
    let caller = world.call_in_offering(acme::NUMBER, &secret(&plain()));
    let (call, version) = (world.call(caller).id, world.call(caller).media.version);
    world.pending.retain(|pending| !matches!(pending, crate::tests::world::Pending::Media(..)));
    let address = mangrove_proto::media::EndpointAddress {
        endpoint: world.ends[caller].leg.clone(),
        address: "10.0.0.2:20000".into(),
        ..Default::default()
    };
    let ready = mangrove_proto::media::Ready { version, addresses: vec![address] };
    world.media(call, mangrove_proto::media::media_event::Fact::Ready(ready));
    world.run();
    assert_eq!(world.stage(caller), "arriving");
    assert!(!world.ends[caller].was_told("200 INVITE"));
}

#[test]
fn a_hold_keeps_profile_and_key() {
    let mut world = world(Security::Accept, Security::Require);
    let caller = queued(&mut world, &secret(&plain()));
    let anna = world.pick_up_saying("101", &secret(&plain()));
    let before = srtp(&world, anna);
    world.request(anna, "INVITE", "", &secret(&sdp(4000, "sendonly", 2)));
    assert_eq!(answer(&world, anna), ("RTP/SAVP".into(), ours()));
    assert_eq!(srtp(&world, anna), before);
    assert!(world.plays(caller).is_some(), "the caller hears music");
}

#[test]
fn an_heir_is_told_both_keys_and_tells_the_far_ends_the_same_one() {
    let mut world = world(Security::Accept, Security::Require);
    let caller = queued(&mut world, &secret(&plain()));
    let anna = world.pick_up_saying("101", &secret(&plain()));
    let before = [caller, anna].map(|end| srtp(&world, end));
    world.announce_media("m2");
    world.command(Command::NodeLost { name: "m1".into(), tells: true });
    assert_eq!([caller, anna].map(|end| srtp(&world, end)), before, "at once");
    world.run();
    assert_eq!(world.call(caller).media.node, "m2");
    for end in [caller, anna] {
        let invite = world.ends[end].heard.iter().rfind(|message| message.method().as_str() == "INVITE");
        let invite = invite.expect("it is told the new address");
        assert_eq!(said(invite), ("RTP/SAVP".into(), ours()), "and the key that it has");
    }
    assert_eq!([caller, anna].map(|end| srtp(&world, end)), before);
}

#[test]
fn of_two_nodes_that_made_a_key_both_are_told_the_first() {
    let mut world = world(Security::Accept, Security::Require);
    let caller = queued(&mut world, &secret(&plain()));
    world.announce_media("m2");
    world.drain("m1");
    let call = world.call(caller).id;
    let anna = world.ringing("101").expect("anna rings");
    world.final_answer(anna, 486);
    world.run();
    let boris = world.pick_up_saying("102", &secret(&plain()));
    assert!(world.are_joined(caller, boris));
    let key = srtp(&world, boris).expect("keys").ours;
    let text = if key[0] == b'1' { "MTEx" } else { "MjIy" }.repeat(10);
    let line = format!("1 AES_CM_128_HMAC_SHA1_80 inline:{text}");
    assert_eq!(said(&world.ends[boris].invite), ("RTP/SAVP".into(), vec![line]));
    for ((node, of), session) in &world.held {
        if *of == call
            && !session.close
            && session.endpoints.iter().any(|end| end.id == world.ends[boris].leg)
        {
            let told = endpoint(session, &world.ends[boris].leg).srtp.expect("keys").ours;
            assert_eq!(told, key, "{node}");
        }
    }
}

#[test]
fn keys_outlive_a_snapshot_and_are_in_no_story() {
    let mut world = world(Security::Accept, Security::Require);
    let caller = world.call_in_offering(acme::NUMBER, &secret(&plain()));
    let mut told = format!("{:?}", world.last.story);
    world.run();
    told += &format!("{:?}", world.last.story);
    world.finish_prompt(caller);
    let anna = world.ringing("101").expect("anna rings");
    let body = secret(&plain());
    let bytes = world.ends[anna].reply(&world.ends[anna].invite, 200, &body);
    world.sip(anna, bytes);
    told += &format!("{:?}", world.last.story);
    assert!(told.contains("a=crypto:…") && !told.contains(KEY) && !told.contains(OURS), "{told}");

    let object = ObjectRef::Call("acme".into(), world.call(caller).id);
    let restored = State::restore(&world.state.snapshot().expect("a snapshot")).expect("a state");
    assert_eq!(restored.owed(&object, world.stamp()), world.state.owed(&object, world.stamp()));
    let shown = format!("{:?}", world.call(caller).parties.values().next().expect("the caller").line);
    assert!(shown.contains("Key(…)"), "{shown}");
}
