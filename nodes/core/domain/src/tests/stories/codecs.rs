//! Which codecs are agreed on, under the first rules and under those that know more than G.711.

use mangrove_proto::media::Endpoint;

use crate::{
    Command,
    rules::NEWEST,
    tests::{
        acme,
        far_end::{formats, sdp_of},
        world::World,
    },
};

const OPUS: &str = "111 opus/48000/2";
const DIGITS: &str = "101 telephone-event/8000";

/// Opus first, and A-law.
fn rich() -> String {
    sdp_of("111 8 101", &[OPUS, DIGITS], 1)
}

fn only_opus() -> String {
    sdp_of("111 101", &[OPUS, DIGITS], 1)
}

/// Acme under the newest rules.
fn raised() -> World {
    let mut world = World::acme();
    world.command(Command::RaiseRules { to: NEWEST });
    world
}

/// A caller with this description, who has heard the greeting and waits.
fn queued(world: &mut World, body: &str) -> usize {
    let caller = world.call_in_offering(acme::NUMBER, body);
    world.run();
    world.finish_prompt(caller);
    caller
}

/// The formats of the last answer that a far end got to its INVITE.
fn answer(world: &World, index: usize) -> String {
    let heard = &world.ends[index].heard;
    let is_answer = |message: &&mangrove_sip::Message| {
        message.status() == Some(200) && message.method().as_str() == "INVITE"
    };
    formats(heard.iter().rev().find(is_answer).expect("an answer"))
}

/// The formats that a phone which rings is offered.
fn offer(world: &World, extension: &str) -> String {
    formats(&world.ends[world.ringing(extension).expect("it rings")].invite)
}

/// A far end's endpoint, as its media node was told last.
fn endpoint(world: &World, index: usize) -> Endpoint {
    let session = &world.sessions[&world.call(index).id];
    let found = session.endpoints.iter().find(|endpoint| endpoint.id == world.ends[index].leg);
    found.expect("an endpoint").clone()
}

/// What is sent, and what may be besides.
fn spoken(world: &World, index: usize) -> Vec<String> {
    let endpoint = endpoint(world, index);
    endpoint.codec.into_iter().chain(endpoint.accepts).map(|codec| codec.name).collect()
}

#[test]
fn under_the_first_rules_nothing_but_g711_is_taken_or_offered() {
    let mut world = World::acme();
    let caller = queued(&mut world, &rich());
    assert_eq!(answer(&world, caller), "8 101");
    assert_eq!(offer(&world, "101"), "8 0 101");
    let anna = world.pick_up("101");
    assert!(world.are_joined(caller, anna));
    assert_eq!((spoken(&world, caller), spoken(&world, anna)), (vec!["PCMA".into()], vec!["PCMA".into()]));
    let stored = world.state.snapshot().expect("a snapshot");
    let has = |word: &str| stored.windows(word.len()).any(|part| part == word.as_bytes());
    assert!(!has("preferred") && !has("G722"), "nothing is stored that earlier builds do not know");
}

#[test]
fn under_the_first_rules_who_speaks_no_g711_is_refused() {
    let mut world = World::acme();
    let caller = world.call_in_offering(acme::NUMBER, &only_opus());
    world.run();
    assert!(world.ends[caller].was_told("488 INVITE"), "{:?}", world.ends[caller].words());
}

#[test]
fn who_waits_is_sent_g711_and_may_send_what_they_offered() {
    let mut world = raised();
    let caller = queued(&mut world, &rich());
    assert_eq!(answer(&world, caller), "8 111 101");
    assert_eq!(offer(&world, "101"), "8 0 111 9 18 101 110");
    let anna = world.pick_up("101");
    assert!(world.are_joined(caller, anna));
    assert_eq!(spoken(&world, caller), ["PCMA", "opus"]);
    assert_eq!(spoken(&world, anna), ["PCMA"]);
}

#[test]
fn who_speaks_nothing_but_opus_is_sent_opus_and_the_agent_is_offered_it_first() {
    let mut world = raised();
    let caller = queued(&mut world, &only_opus());
    assert_eq!(answer(&world, caller), "111 101");
    assert_eq!(spoken(&world, caller), ["opus"]);
    assert_eq!(offer(&world, "101"), "111 9 8 0 18 101 110");
    let anna = world.pick_up("101");
    assert!(world.are_joined(caller, anna));
    assert_eq!(spoken(&world, anna), ["PCMA"]);
}

#[test]
fn an_agent_who_answers_with_opus_alone_talks_with_a_caller_who_has_none() {
    let mut world = raised();
    let caller = world.queued();
    let anna = world.pick_up_saying("101", &only_opus());
    assert!(world.are_joined(caller, anna));
    assert_eq!((spoken(&world, caller), spoken(&world, anna)), (vec!["PCMA".into()], vec!["opus".into()]));
    let before = endpoint(&world, anna);
    assert_eq!((before.codec.expect("opus").clock_rate, before.telephone_event), (48_000, 101));
}

#[test]
fn colleagues_who_share_opus_talk_in_it() {
    let mut world = raised();
    let caller = world.call_offering("101", "102", &rich());
    world.run();
    assert_eq!(offer(&world, "102"), "111 8 9 0 18 101 110");
    let boris = world.pick_up_saying("102", &rich());
    assert_eq!(answer(&world, caller), "111 8 101");
    assert_eq!((&spoken(&world, caller)[0], &spoken(&world, boris)[0]), (&"opus".into(), &"opus".into()));
}

#[test]
fn a_caller_is_sent_what_the_one_who_answers_is() {
    let mut world = raised();
    let caller = world.call_offering("101", "102", &rich());
    world.run();
    world.pick_up("102");
    assert_eq!(answer(&world, caller), "8 111 101", "the colleague took A-law");
}

#[test]
fn a_trunk_is_offered_g711_and_what_the_guest_speaks() {
    for (body, offered) in [(rich(), "111 8 0 101 110"), (sdp_of("8 0", &[], 1), "8 0 101")] {
        let mut world = raised();
        world.call_offering("101", "78125550000", &body);
        world.run();
        assert_eq!(offer(&world, "78125550000"), offered);
    }
}

#[test]
fn what_is_sent_stays_through_a_hold_though_other_codecs_are_offered_first() {
    let mut world = raised();
    let caller = world.queued();
    let anna = world.pick_up("101");
    let held = sdp_of("111 8 101", &[OPUS, DIGITS], 2).replace("sendrecv", "sendonly");
    world.request(anna, "INVITE", "", &held);
    assert_eq!(answer(&world, anna), "8 111 101");
    assert_eq!(spoken(&world, anna), ["PCMA", "opus"]);
    let ack = world.ends[anna].ack();
    world.sip(anna, ack);
    world.request(anna, "INVITE", "", &sdp_of("111 8 101", &[OPUS, DIGITS], 3));
    assert!(world.are_joined(caller, anna));
}
