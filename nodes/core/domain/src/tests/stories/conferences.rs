//! Conferences: how people come to them, what they hear, and what becomes of them.

use mangrove_proto::media::{Digit, endpoint::Hears, media_event::Fact};

use crate::{
    Author, CallWish, Command, ConferenceWish, Reply,
    config::{Conference, HangUp, Step, TenantConfig, conference::digest},
    rules::NEWEST,
    tests::{
        POISON, acme,
        far_end::sdp,
        world::{World, tenant_id},
    },
    view,
};

fn conference() -> Conference {
    Conference {
        name: "weekly".into(),
        extension: Some("300".into()),
        pin: None,
        moderator_pin: None,
        waits_for_moderator: false,
        chimes: true,
        most: None,
    }
}

fn config(conference: Conference) -> TenantConfig {
    let mut config = acme::config();
    let steps = vec![Step::Conference { name: "weekly".into() }, Step::HangUp { how: HangUp::Busy }];
    config.schemes.get_mut("main").expect("the scheme").steps = steps;
    config.conferences.insert("weekly".into(), conference);
    config
}

/// Two media nodes, and the company's number leads to the conference.
fn world(conference: Conference) -> World {
    let config = config(conference);
    assert!(config.is_of_protocol_6());
    let mut world = World::of(config);
    world.command(Command::RaiseRules { to: NEWEST });
    for extension in ["101", "102", "190"] {
        world.register(extension);
    }
    world.announce_media("m2");
    world
}

fn with_pins() -> Conference {
    let pin = |pin| Some(digest("acme", "weekly", pin));
    Conference { pin: pin("1234"), moderator_pin: pin("9999"), ..conference() }
}

fn caller(world: &mut World) -> usize {
    let caller = world.call_in(acme::NUMBER);
    world.run();
    caller
}

fn press(world: &mut World, caller: usize, keys: &str) {
    for key in keys.chars() {
        let call = world.call(caller).id;
        let endpoint = world.ends[caller].leg.clone();
        world.media(call, Fact::Digit(Digit { endpoint, digit: key.to_string(), duration_ms: 100 }));
        world.run();
    }
}

/// Whether they are heard by the others; None: they do not hear those.
fn is_heard(world: &World, index: usize) -> Option<bool> {
    match world.hears(index)? {
        Hears::Conference(conference) => Some(!conference.muted),
        _ => None,
    }
}

fn wish(world: &mut World, index: usize, wish: ConferenceWish) -> Reply {
    let (tenant, call) = (tenant_id(), world.call(index).id);
    let (wish, author) = (CallWish::Confer(wish), Author::default());
    let reply = world.command(Command::CommandCall { tenant, call, wish, author, ask: None });
    world.run();
    reply
}

fn nodes(world: &World, calls: &[usize]) -> Vec<String> {
    let mut nodes: Vec<String> = calls.iter().map(|call| world.call(*call).media.node.clone()).collect();
    nodes.dedup();
    nodes
}

#[test]
fn callers_and_an_employee_are_in_one_conference_at_one_node_until_the_last_has_left() {
    let mut world = world(conference());
    let people = [caller(&mut world), caller(&mut world), world.call_from("101", "300")];
    world.run();
    for person in people {
        assert_eq!((world.stage(person), is_heard(&world, person)), ("conferring", Some(true)));
        let session = &world.sessions[&world.call(person).id];
        assert_eq!(session.conference, "weekly");
    }
    assert_eq!(nodes(&world, &people), ["m1"]);
    assert_eq!(world.tenant().conference("weekly").map(|known| known.calls.len()), Some(3));
    world.pass(5_000);
    people.into_iter().for_each(|person| world.hang_up(person));
    assert_eq!(world.tenant().conference("weekly"), None);
    world.pass(40_000);
    for record in world.records() {
        assert_eq!((record.cause.as_str(), record.talk_ms), ("hung-up", 5_000), "{record:?}");
        assert!(record.answered.is_some());
    }
}

#[test]
fn the_right_pin_lets_in_and_three_wrong_ones_lead_to_the_next_step() {
    let mut world = world(with_pins());
    let right = caller(&mut world);
    let asked = world.plays(right).expect("the question");
    assert_eq!(asked.prompts, ["prompt/ru/conference-pin"]);
    press(&mut world, right, "17*1234");
    assert_eq!(is_heard(&world, right), None);
    world.pass(6_000);
    assert_eq!(is_heard(&world, right), Some(true), "what was typed by then is the PIN");
    let wrong = caller(&mut world);
    let asked = world.plays(wrong).expect("the question");
    press(&mut world, wrong, "1#");
    assert_ne!(world.plays(wrong).expect("the question").id, asked.id, "it is asked anew");
    press(&mut world, wrong, "12345#");
    assert_eq!(world.stage(wrong), "conferring");
    press(&mut world, wrong, "#");
    assert_eq!(world.stage_or_gone(wrong), None);
    let calls = world.tenant().conference("weekly").map(|known| known.calls.len());
    assert_eq!(calls, Some(1), "who was turned away is not in its list");
}

/// Twenty callers type three wrong PINs each.
fn guess(world: &mut World) {
    for first in 0..20 {
        let caller = caller(world);
        press(world, caller, &format!("{first}00#{first}01#{first}02#"));
        assert_eq!(world.stage_or_gone(caller), None, "{first}");
    }
}

#[test]
fn strangers_do_not_go_through_all_pins_call_by_call() {
    let mut world = world(with_pins());
    let early = caller(&mut world);
    guess(&mut world);
    let late = caller(&mut world);
    assert_eq!(world.stage_or_gone(late), None, "nobody from outside is asked any more");
    press(&mut world, early, "1234#");
    assert_eq!(world.stage_or_gone(early), None, "nor is it looked at what somebody types who was asked");
    let employee = world.call_from("101", "300");
    world.run();
    press(&mut world, employee, "1234#");
    assert_eq!(is_heard(&world, employee), Some(true));
    world.hang_up(employee);
    world.pass(3_600_000);
    let later = caller(&mut world);
    press(&mut world, later, "1234#");
    assert_eq!(is_heard(&world, later), Some(true), "an hour later");
}

#[test]
fn who_guesses_moderators_pins_shuts_out_nobody_who_needs_none() {
    let mut world = world(Conference { pin: None, ..with_pins() });
    guess(&mut world);
    let stranger = caller(&mut world);
    press(&mut world, stranger, "9999#");
    assert_eq!(is_heard(&world, stranger), Some(true));
    let seat = view::call(world.tenant(), world.call(stranger)).conference.expect("a seat");
    assert!(!seat.moderator);
}

#[test]
fn others_wait_with_music_until_a_moderator_is_there() {
    let mut world = world(Conference { waits_for_moderator: true, ..with_pins() });
    let first = caller(&mut world);
    press(&mut world, first, "1234#");
    assert!(world.plays(first).expect("music").repeat);
    assert!(view::call(world.tenant(), world.call(first)).conference.expect("a seat").waits);
    let moderator = caller(&mut world);
    press(&mut world, moderator, "9999#");
    assert_eq!((is_heard(&world, first), is_heard(&world, moderator)), (Some(true), Some(true)));
    world.hang_up(moderator);
    assert_eq!(is_heard(&world, first), Some(true), "they go on without");
}

#[test]
fn one_is_muted_and_who_holds_is_not_heard_either() {
    let mut world = world(conference());
    let [first, second] = [caller(&mut world), caller(&mut world)];
    assert_eq!(wish(&mut world, first, ConferenceWish::Mute), Reply::Done);
    assert_eq!((is_heard(&world, first), is_heard(&world, second)), (Some(false), Some(true)));
    assert!(view::call(world.tenant(), world.call(first)).conference.expect("a seat").muted);
    assert_eq!(wish(&mut world, first, ConferenceWish::Unmute), Reply::Done);
    for (direction, version, heard) in [("sendonly", 2, false), ("sendrecv", 3, true)] {
        world.request(first, "INVITE", "", &sdp(4000, direction, version));
        assert_eq!(is_heard(&world, first), Some(heard), "their music is not for the others: {direction}");
    }
}

#[test]
fn nobody_but_moderators_comes_into_a_locked_one_and_a_full_one_takes_nobody() {
    let mut world = world(with_pins());
    let first = caller(&mut world);
    press(&mut world, first, "1234#");
    assert_eq!(wish(&mut world, first, ConferenceWish::Lock), Reply::Done);
    assert!(view::call(world.tenant(), world.call(first)).conference.expect("a seat").locked);
    let late = caller(&mut world);
    press(&mut world, late, "1234#");
    assert_eq!(world.stage_or_gone(late), None);
    let moderator = caller(&mut world);
    press(&mut world, moderator, "9999#");
    assert_eq!(is_heard(&world, moderator), Some(true));
    assert_eq!(wish(&mut world, first, ConferenceWish::Unlock), Reply::Done);
    let later = caller(&mut world);
    press(&mut world, later, "1234#");
    assert_eq!(is_heard(&world, later), Some(true));

    let mut world = self::world(Conference { most: Some(2), ..conference() });
    let two = [caller(&mut world), caller(&mut world)];
    let third = caller(&mut world);
    assert_eq!(world.stage_or_gone(third), None);
    world.hang_up(two[0]);
    let fourth = caller(&mut world);
    assert_eq!(is_heard(&world, fourth), Some(true));
}

#[test]
fn whoever_conducts_ends_it_for_all() {
    let mut world = world(conference());
    let people = [caller(&mut world), caller(&mut world), caller(&mut world)];
    assert_eq!(wish(&mut world, people[1], ConferenceWish::End), Reply::Done);
    assert!(people.iter().all(|person| world.stage_or_gone(*person).is_none()));
    assert_eq!(world.tenant().conference("weekly"), None);
    let other = world.call_from("101", "102");
    world.run();
    assert!(matches!(wish(&mut world, other, ConferenceWish::Mute), Reply::Refused { .. }));
}

#[test]
fn all_go_on_at_one_node_when_theirs_is_lost_or_about_to_go() {
    let mut world = world(conference());
    world.announce_media("m3");
    let people = [caller(&mut world), caller(&mut world), caller(&mut world), caller(&mut world)];
    assert_eq!(nodes(&world, &people), ["m1"]);
    world.command(Command::NodeLost { name: "m1".into(), tells: true });
    world.run();
    let there = nodes(&world, &people);
    assert_eq!(there.len(), 1, "{there:?}");
    assert!(people.iter().all(|person| is_heard(&world, *person) == Some(true)));
    world.drain(&there[0]);
    world.run();
    world.pass(10_000);
    let after = nodes(&world, &people);
    assert!(after.len() == 1 && after != there, "{after:?}");
    let late = caller(&mut world);
    assert_eq!(world.call(late).media.node, after[0], "and who comes now comes there");
}

#[test]
fn an_agent_sends_their_caller_into_it_be_it_at_their_node_or_at_another() {
    for elsewhere in [false, true] {
        let mut config = config(conference());
        config.schemes = acme::config().schemes;
        let mut world = World::of(config);
        world.command(Command::RaiseRules { to: NEWEST });
        world.register("101");
        if elsewhere {
            world.announce_media("m2");
        }
        let (customer, anna) = world.talking("101");
        world.refer(anna, "300");
        world.run();
        world.pass(6_000);
        assert_eq!((world.stage(customer), is_heard(&world, customer)), ("conferring", Some(true)));
        assert!(world.agent("anna").engaged.is_none());
        assert!(world.call(customer).recording.as_ref().is_some_and(|recording| !recording.running));
        assert!(!world.call(customer).is_retelling(), "they know where to send");
        let second = world.call_from("101", "300");
        world.run();
        let there = if elsewhere { "m2" } else { "m1" };
        assert_eq!(nodes(&world, &[customer, second]), [there]);
    }
}

#[test]
fn who_comes_into_it_on_the_way_to_another_node_goes_on_to_where_the_others_are() {
    let mut config = config(conference());
    config.schemes = acme::config().schemes;
    let mut world = World::of(config);
    world.command(Command::RaiseRules { to: NEWEST });
    world.register("101");
    let (customer, anna) = world.talking("101");
    world.announce_media("m2");
    let second = world.call_from("102", "300");
    world.run();
    world.announce_media("m3");
    world.drain("m1");
    assert_eq!(nodes(&world, &[customer, second]), ["m3", "m2"]);
    world.refer(anna, "300");
    world.run();
    world.pass(12_000);
    assert_eq!(nodes(&world, &[customer, second]), ["m2"]);
    assert_eq!((is_heard(&world, customer), is_heard(&world, second)), (Some(true), Some(true)));
}

#[test]
fn whom_the_node_of_the_others_refuses_does_not_stay_alone() {
    let mut config = config(conference());
    config.schemes = acme::config().schemes;
    let mut world = World::of(config);
    world.command(Command::RaiseRules { to: NEWEST });
    world.register("101");
    let (customer, anna) = world.talking("101");
    world.announce_media("m2");
    world.call_from("102", "300");
    world.run();
    world.refer(anna, "300");
    assert_eq!((world.stage(customer), nodes(&world, &[customer])), ("conferring", vec!["m2".to_owned()]));
    world.refuse_media(customer);
    assert_eq!(world.stage_or_gone(customer), None);
    assert_eq!(nodes(&world, &[customer]), ["m1"]);
    assert_eq!(world.tenant().conference("weekly").map(|known| known.calls.len()), Some(1));
}

#[test]
fn who_has_held_for_long_is_not_taken_for_dead() {
    let mut world = world(conference());
    let person = caller(&mut world);
    world.request(person, "INVITE", "", &sdp(4000, "sendonly", 2));
    world.pass(60_000);
    world.silent(person, 60_000);
    world.request(person, "INVITE", "", &sdp(4000, "sendrecv", 3));
    world.silent(person, 60_000);
    world.run();
    assert_eq!(world.stage(person), "conferring");
    world.pass(31_000);
    world.silent(person, 91_000);
    world.run();
    assert_eq!(world.stage_or_gone(person), None);
}

#[test]
fn it_goes_on_with_its_lock_where_its_company_moves() {
    let mut world = world(conference());
    let people = [caller(&mut world), caller(&mut world)];
    assert_eq!(wish(&mut world, people[0], ConferenceWish::Lock), Reply::Done);
    world.move_to(7);
    world.run();
    assert!(people.iter().all(|person| is_heard(&world, *person) == Some(true)));
    let known = world.tenant().conference("weekly").map(|known| (known.locked, known.calls.len()));
    assert_eq!(known, Some((true, 2)));
    let late = caller(&mut world);
    assert_eq!(world.stage_or_gone(late), None);
    people.into_iter().for_each(|person| world.hang_up(person));
    assert_eq!(world.tenant().conference("weekly"), None);
}

#[test]
fn a_call_that_is_taken_out_leaves_it_and_the_others_go_on() {
    let mut world = world(conference());
    let [first, second] = [caller(&mut world), caller(&mut world)];
    world.strict = false;
    POISON.with(|poison| poison.set(true));
    let bye = world.ends[first].request("BYE", "", "");
    let reply = world.sip(first, bye);
    POISON.with(|poison| poison.set(false));
    world.strict = true;
    assert!(matches!(reply, Reply::Dropped { .. }), "{reply:?}");
    assert_eq!(world.tenant().conference("weekly").map(|known| known.calls.len()), Some(1));
    world.pass(1);
    assert_eq!(is_heard(&world, second), Some(true));
}
