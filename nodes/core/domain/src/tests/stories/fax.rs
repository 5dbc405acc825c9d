//! Faxes: T.38 from one who talks to the other, and G.711 that nothing touches.

use mangrove_proto::media::Endpoint;
use mangrove_sip::Message;

use crate::{
    Author, CallWish, Command, Mode, ObjectRef, State,
    tests::{
        far_end::{formats, image, is_fax, sdp, sdp_of},
        world::{World, tenant_id},
    },
};

const OURS: &str = "T38FaxVersion:0";
/// What far ends answer.
const THEIRS: &str = "T38FaxVersion:3";

/// A far end's endpoint, as its media node was told last.
fn endpoint(world: &World, index: usize) -> Endpoint {
    let session = &world.sessions[&world.call(index).id];
    let found = session.endpoints.iter().find(|endpoint| endpoint.id == world.ends[index].leg);
    found.expect("an endpoint").clone()
}

fn fax(world: &World, ends: [usize; 2]) -> [bool; 2] {
    ends.map(|end| endpoint(world, end).udptl)
}

/// The last answer to a request of a far end's, 100 left out.
fn answer(world: &World, index: usize) -> &Message {
    let is_answer = |message: &&Message| message.status().is_some_and(|status| status != 100);
    world.ends[index].heard.iter().rfind(is_answer).expect("an answer")
}

/// The last INVITE that a far end got.
fn invite(world: &World, index: usize) -> &Message {
    let is_invite = |message: &&Message| message.is_request() && message.method().as_str() == "INVITE";
    world.ends[index].heard.iter().rfind(is_invite).expect("an INVITE")
}

fn invites(world: &World, index: usize) -> usize {
    world.ends[index].words().iter().filter(|word| *word == "INVITE").count()
}

/// What a description says of T.38.
fn terms(message: &Message) -> Vec<String> {
    let body = String::from_utf8_lossy(message.body()).into_owned();
    body.lines().filter_map(|line| line.strip_prefix("a=T38")).map(|term| format!("T38{term}")).collect()
}

fn ack(world: &mut World, index: usize) {
    let ack = world.ends[index].ack();
    world.sip(index, ack);
}

/// Offers T.38 and acknowledges what comes.
fn offer(world: &mut World, index: usize, version: u32) {
    world.request(index, "INVITE", "", &image(5_000, OURS, version));
    if !world.ends[index].calls {
        ack(world, index);
    }
}

/// A caller and an agent who fax: the caller has begun it.
fn faxing() -> (World, usize, usize) {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    offer(&mut world, caller, 2);
    assert_eq!(fax(&world, [caller, anna]), [true; 2]);
    (world, caller, anna)
}

#[test]
fn what_one_offers_the_other_is_asked_and_its_answer_is_the_ones() {
    for begun_by_agent in [false, true] {
        let mut world = World::raised();
        let (caller, anna) = world.talking("101");
        let (one, other) = if begun_by_agent { (anna, caller) } else { (caller, anna) };
        let recorded = world.sessions[&world.call(caller).id].recording.clone();
        world.request(one, "INVITE", "", &image(5_000, OURS, 2));
        assert!(world.ends[one].was_told("100 INVITE"));
        assert!(is_fax(invite(&world, other)) && is_fax(answer(&world, one)));
        assert_eq!(terms(invite(&world, other)), [OURS]);
        assert_eq!(terms(answer(&world, one)), [THEIRS]);
        assert_eq!(fax(&world, [caller, anna]), [true; 2]);
        let remotes = [one, other].map(|end| endpoint(&world, end).remote);
        assert_eq!(remotes, ["127.0.0.1:5000", "127.0.0.1:5200"]);
        assert!(endpoint(&world, one).codec.is_none() && world.are_joined(caller, anna));
        assert_eq!(world.sessions[&world.call(caller).id].recording, recorded, "it goes on");
        if begun_by_agent {
            ack(&mut world, one);
        }

        world.request(one, "INVITE", "", &sdp(4_000, "sendrecv", 3));
        assert_eq!(formats(answer(&world, one)), "8 0 101");
        assert!(!is_fax(invite(&world, other)), "the other is asked back to sound");
        assert_eq!(fax(&world, [caller, anna]), [false; 2]);
        assert!(endpoint(&world, one).codec.is_some() && world.are_joined(caller, anna));
    }
}

#[test]
fn a_fax_goes_on_in_g711_where_the_other_has_no_t38() {
    for status in [488, 415, 606, 500, 408] {
        let mut world = World::raised();
        let (caller, anna) = world.talking("101");
        world.ends[anna].fax = status;
        offer(&mut world, caller, 2);
        assert_eq!(answer(&world, caller).status(), Some(488), "{status}");
        assert_eq!((fax(&world, [caller, anna]), world.stage(caller)), ([false; 2], "talking"));
        world.request(caller, "INVITE", "", &sdp(4_002, "sendrecv", 3));
        assert_eq!(formats(answer(&world, caller)), "8 0 101");
        assert!(world.are_joined(caller, anna));
    }
}

#[test]
fn who_does_not_answer_in_time_is_not_waited_for_and_is_asked_back_when_it_does() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    world.ends[anna].fax = 0;
    world.request(caller, "INVITE", "", &image(5_000, OURS, 2));
    world.pass(9_999);
    assert_eq!(world.ends[caller].words().last().expect("a word"), "100 INVITE");
    world.pass(1);
    assert_eq!(answer(&world, caller).status(), Some(488));
    let late = world.ends[anna].reply(invite(&world, anna), 200, &image(5_200, THEIRS, 2));
    world.sip(anna, late);
    world.run();
    assert!(!is_fax(invite(&world, anna)), "nobody faxes with her");
    assert_eq!((fax(&world, [caller, anna]), world.stage(caller)), ([false; 2], "talking"));
}

#[test]
fn offers_that_cross_answer_each_other() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    world.ends[anna].fax = 491;
    world.request(caller, "INVITE", "", &image(5_000, OURS, 2));
    assert_eq!(fax(&world, [caller, anna]), [false; 2]);
    world.request(anna, "INVITE", "", &image(5_200, THEIRS, 2));
    ack(&mut world, anna);
    assert_eq!(fax(&world, [caller, anna]), [true; 2]);
    assert_eq!(terms(answer(&world, caller)), [THEIRS]);
    assert_eq!(terms(answer(&world, anna)), [OURS]);
    let asked = invites(&world, anna);
    world.pass(10_000);
    assert_eq!(invites(&world, anna), asked, "what waited after the glare is not needed");
}

#[test]
fn while_somebody_holds_there_is_no_fax() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    world.request(anna, "INVITE", "", &sdp(4_200, "sendonly", 2));
    ack(&mut world, anna);
    let asked = invites(&world, anna);
    offer(&mut world, caller, 2);
    assert_eq!((answer(&world, caller).status(), invites(&world, anna)), (Some(488), asked));
}

#[test]
fn a_hold_in_a_fax_is_a_hold_and_both_fax_on_afterwards() {
    let (mut world, caller, anna) = faxing();
    let asked = invites(&world, anna);
    world.request(caller, "INVITE", "", &(image(5_000, OURS, 3) + "a=sendonly\r\n"));
    assert!(world.call(caller).held_since.is_some());
    assert!(String::from_utf8_lossy(answer(&world, caller).body()).contains("a=recvonly"));
    world.request(caller, "INVITE", "", &image(5_004, OURS, 4));
    assert!(world.call(caller).held_since.is_none() && world.are_joined(caller, anna));
    assert_eq!(fax(&world, [caller, anna]), [true; 2]);
    assert_eq!(invites(&world, anna), asked, "she hears nothing of it");
    assert_eq!(endpoint(&world, caller).remote, "127.0.0.1:5004");
}

#[test]
fn an_heir_goes_on_with_the_fax_and_tells_its_address_as_one() {
    let (mut world, caller, anna) = faxing();
    world.announce_media("m2");
    world.command(Command::NodeLost { name: "m1".into(), tells: true });
    assert_eq!(fax(&world, [caller, anna]), [true; 2], "at once");
    world.run();
    assert_eq!(world.call(caller).media.node, "m2");
    for end in [caller, anna] {
        assert!(is_fax(invite(&world, end)), "{:?}", world.ends[end].words());
    }
    assert_eq!(fax(&world, [caller, anna]), [true; 2]);
}

#[test]
fn who_is_left_alone_with_a_fax_is_asked_back_to_sound_once() {
    let (mut world, caller, anna) = faxing();
    world.refer(anna, "102");
    world.run();
    assert!(!is_fax(invite(&world, caller)), "the guest is to hear music");
    assert!(!endpoint(&world, caller).udptl && world.plays(caller).is_some());

    let (mut world, caller, anna) = faxing();
    world.request(caller, "INVITE", "", &sdp(4_000, "sendrecv", 3));
    assert_eq!(fax(&world, [caller, anna]), [false; 2]);
    let asked = invites(&world, anna);
    world.pass(60_000);
    assert_eq!(invites(&world, anna), asked);
}

fn supervise(world: &mut World, index: usize, mode: Mode) {
    let (call, author) = (world.call(index).id, Author::default());
    let wish = CallWish::Monitor { supervisor: "vera".into(), mode: Some(mode) };
    world.command(Command::CommandCall { tenant: tenant_id(), call, wish, author, ask: None });
    world.run();
}

#[test]
fn a_supervisor_beside_the_talk_hears_nothing_of_a_fax_and_hinders_none() {
    let mut world = World::raised();
    world.register("110");
    let (caller, anna) = world.talking("101");
    supervise(&mut world, caller, Mode::Barge);
    let vera = world.pick_up("110");
    assert!(!world.are_joined(caller, anna), "they hear her, too");
    offer(&mut world, vera, 2);
    assert_eq!(answer(&world, vera).status(), Some(488), "nobody faxes with her");
    offer(&mut world, caller, 2);
    assert_eq!(fax(&world, [caller, anna]), [true; 2]);
    assert!(world.are_joined(caller, anna) && !endpoint(&world, vera).udptl);

    supervise(&mut world, caller, Mode::TakeOver);
    assert!(world.ends[anna].was_told("BYE") && !is_fax(invite(&world, caller)), "back to sound");
    assert_eq!(fax(&world, [caller, vera]), [false; 2]);
    assert!(world.are_joined(caller, vera));
}

#[test]
fn a_call_that_ends_meanwhile_ends() {
    for leaves in [0, 1] {
        let mut world = World::raised();
        let (caller, anna) = world.talking("101");
        world.ends[anna].fax = 0;
        world.request(caller, "INVITE", "", &image(5_000, OURS, 2));
        world.hang_up([caller, anna][leaves]);
        assert!(world.ends[caller].was_told("487 INVITE"), "{:?}", world.ends[caller].words());
        world.pass(20_000);
        assert_eq!(world.record().cause, "hung-up");
    }
}

#[test]
fn it_outlives_a_snapshot_while_it_waits_and_while_it_goes_on() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    world.ends[anna].fax = 0;
    world.request(caller, "INVITE", "", &image(5_000, OURS, 2));
    for _ in 0..2 {
        let object = ObjectRef::Call("acme".into(), world.call(caller).id);
        let restored = State::restore(&world.state.snapshot().expect("a snapshot")).expect("a state");
        assert_eq!(restored.owed(&object, world.stamp()), world.state.owed(&object, world.stamp()));
        let answer = world.ends[anna].reply(invite(&world, anna), 200, &image(5_200, THEIRS, 2));
        world.sip(anna, answer);
        world.run();
    }
    assert_eq!(fax(&world, [caller, anna]), [true; 2]);
}

#[test]
fn under_the_first_rules_it_is_refused_at_once_and_nothing_is_kept_of_it() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    let asked = invites(&world, anna);
    world.request(caller, "INVITE", "", &image(5_000, OURS, 2));
    assert_eq!((answer(&world, caller).status(), invites(&world, anna)), (Some(488), asked));
    let words = world.ends[caller].words();
    assert_eq!(words.iter().filter(|word| *word == "100 INVITE").count(), 1, "of the call's");
    let stored = world.state.snapshot().expect("a snapshot");
    let has = |word: &str| stored.windows(word.len()).any(|part| part == word.as_bytes());
    assert!(!["udptl", "relayed", "recalled", "turning"].into_iter().any(has));
}

const OPUS: &str = "111 opus/48000/2";
const DIGITS: &str = "101 telephone-event/8000";

#[test]
fn who_comes_down_to_g711_takes_the_other_along() {
    let mut world = World::raised();
    let rich = sdp_of("111 8 101", &[OPUS, DIGITS], 1);
    let caller = world.call_offering("101", "102", &rich);
    world.run();
    let boris = world.pick_up_saying("102", &rich);
    let name = |world: &World, end| endpoint(world, end).codec.expect("a codec").name;
    assert_eq!([caller, boris].map(|end| name(&world, end)), ["opus", "opus"]);
    let plain = sdp_of("8 0", &[], 2) + "a=silenceSupp:off - - - -\r\na=fax\r\n";
    world.request(caller, "INVITE", "", &plain);
    assert_eq!(formats(answer(&world, caller)), "8 0");
    assert_eq!(formats(invite(&world, boris)), "8 0 101", "nothing but G.711, and no comfort noise");
    assert_eq!([caller, boris].map(|end| name(&world, end)), ["PCMA", "PCMA"]);
    let asked = invites(&world, boris);
    world.request(caller, "INVITE", "", &sdp_of("8", &[], 3));
    assert_eq!(invites(&world, boris), asked, "they share it already");
}
