//! Callers whom a queue can't keep.

use mangrove_proto::{id::GroupId, live::Outcome};

use crate::{
    AgentWish,
    config::{Group, HangUp, Overflow, Step, TenantConfig},
    tests::{acme, world::World},
};

#[test]
fn after_fifteen_seconds_the_secretary_rings() {
    let mut world = World::acme();
    world.talking("101");
    world.talking("102");
    let caller = world.queued();
    world.pass(14_999);
    assert_eq!(world.stage(caller), "waiting");
    assert!(world.ringing("190").is_none());
    world.pass(1);
    assert_eq!(world.stage(caller), "ringing");
    assert_eq!(world.plays(caller).expect("music").prompts, ["music/default"]);
    let desk = world.pick_up("190");
    assert!(world.are_joined(caller, desk));
    world.hang_up(caller);
    let cdr = world.record();
    assert_eq!((cdr.employee, cdr.outcome, cdr.wait_ms), (Some("desk".into()), Outcome::Answered, 15_000));
    let today = world.tenant().today(world.stamp().wall);
    assert_eq!((today.offered, today.overflowed, today.answered), (3, 1, 2));
}

#[test]
fn agents_who_let_it_ring_do_not_keep_the_caller_for_ever() {
    let mut world = World::acme();
    let caller = world.queued();
    // Anna, Boris, and Anna again from the 14th second: her phone may ring to its end.
    world.pass(20_999);
    assert_eq!(world.stage(caller), "waiting");
    world.pass(1);
    assert_eq!(world.stage(caller), "ringing");
    assert!(world.ringing("190").is_some());
}

#[test]
fn a_ringing_offer_outlasts_the_deadline_and_no_new_one_is_made() {
    let mut config = acme::config();
    config.groups.get_mut(&"200".into()).expect("sales").ring_ms = 20_000;
    let mut world = World::of(config);
    for extension in ["101", "102", "190"] {
        world.register(extension);
    }
    let caller = world.queued();
    world.pass(16_000);
    assert_eq!(world.stage(caller), "waiting");
    assert!(world.ringing("101").is_some());
    world.pass(4_000);
    assert_eq!(world.stage(caller), "ringing");
    assert!(world.ringing("190").is_some());
    assert!(world.ringing("102").is_none());
}

#[test]
fn a_queue_that_must_not_keep_callers_lets_them_go_at_the_deadline() {
    let mut config = acme::config();
    let group = config.groups.get_mut(&"200".into()).expect("sales");
    group.ring_ms = 20_000;
    group.queue.at_max_wait = crate::config::AtMaxWait::Leave;
    let mut world = World::of(config);
    for extension in ["101", "190"] {
        world.register(extension);
    }
    let caller = world.queued();
    world.pass(15_000);
    assert_eq!(world.stage(caller), "ringing");
    assert!(world.ringing("101").is_none() && world.ringing("190").is_some());
}

#[test]
fn nobody_at_work_means_the_secretary_at_once() {
    let mut world = World::acme();
    world.wish("anna", AgentWish::Offline);
    world.wish("boris", AgentWish::Offline);
    let caller = world.queued();
    assert_eq!(world.stage(caller), "ringing");
    assert!(world.ringing("190").is_some());
}

#[test]
fn the_last_agent_to_leave_sends_the_waiting_on() {
    let mut world = World::acme();
    world.wish("boris", AgentWish::Offline);
    let caller = world.queued();
    assert!(world.ringing("101").is_some());
    world.wish("anna", AgentWish::Offline);
    world.run();
    assert!(world.ringing("101").is_none());
    assert_eq!(world.stage(caller), "ringing");
}

#[test]
fn a_full_queue_is_busy() {
    let mut config = acme::config();
    let group = config.groups.get_mut(&"200".into()).expect("sales");
    group.queue.max_length = Some(2);
    group.queue.max_wait_ms = None;
    let mut world = World::of(config);
    for extension in ["101", "102"] {
        world.register(extension);
        world.talking(extension);
    }
    world.queued();
    world.queued();
    let fifth = world.queued();
    assert_eq!(world.stage(fifth), "over");
    assert!(world.ends[fifth].was_told("BYE"));
    assert_eq!(world.record().outcome, Outcome::Busy);
}

#[test]
fn when_the_secretary_does_not_answer_either_the_call_ends_unanswered() {
    let mut world = World::acme();
    let caller = world.queued();
    world.pass(21_000 + 20_000);
    assert_eq!(world.stage(caller), "over");
    world.pass(10_000);
    let cdr = world.record();
    assert_eq!((cdr.outcome, cdr.cause.as_str()), (Outcome::NoAnswer, "no-answer"));
    assert!(world.ends[caller].was_told("BYE"));
}

#[test]
fn a_prompt_after_music_that_was_refused_is_played_and_ends() {
    let mut config = acme::config();
    let group = config.groups.get_mut(&"200".into()).expect("sales");
    group.overflow.waited = vec![Step::Play { prompt: "sorry".into() }, Step::HangUp { how: HangUp::Normal }];
    let mut world = World::of(config);
    for extension in ["101", "102"] {
        world.register(extension);
        world.talking(extension);
    }
    let caller = world.queued();
    world.refuse_media(caller);
    world.run();
    assert_eq!(world.plays(caller), None);
    world.pass(15_000);
    assert_eq!(world.plays(caller).expect("a prompt").prompts, ["prompt/ru/sorry"]);
    world.finish_prompt(caller);
    assert_eq!(world.stage(caller), "over");
}

#[test]
fn a_prompt_whose_end_is_never_reported_does_not_keep_the_caller() {
    let mut world = World::acme();
    let caller = world.call_in(acme::NUMBER);
    world.run();
    world.pass(20 * 60_000);
    assert_eq!(world.stage(caller), "playing");
    world.pass(60_000);
    assert_eq!(world.stage(caller), "waiting");
}

/// Groups that nobody serves, each sending its callers on to the next.
fn row_of_groups(length: usize) -> TenantConfig {
    let mut config = acme::config();
    let id = |number: usize| GroupId::from(format!("g{number:05}").as_str());
    let pattern = config.groups[&"200".into()].clone();
    for number in 0..length {
        let next = Step::Group { id: id(number + 1), priority: None };
        let last = Step::HangUp { how: HangUp::Busy };
        let nobody = vec![if number + 1 < length { next } else { last }];
        let overflow = Overflow { nobody, ..Overflow::default() };
        let extension = format!("{}", 10_000 + number).as_str().into();
        let group = Group { id: id(number), extension, members: Vec::new(), overflow, ..pattern.clone() };
        config.groups.insert(group.id.clone(), group);
    }
    config.schemes.get_mut("main").expect("main").steps = vec![Step::Group { id: id(0), priority: None }];
    config
}

#[test]
fn twenty_thousand_groups_in_a_row_need_no_stack() {
    let mut world = World::of(row_of_groups(20_000));
    let small = std::thread::Builder::new().stack_size(256 * 1024);
    let call = small.spawn(move || {
        let caller = world.call_in(acme::NUMBER);
        world.run();
        world.ends[caller].was_told("486 INVITE")
    });
    assert!(call.expect("a thread").join().expect("no overflow of the stack"));
}
