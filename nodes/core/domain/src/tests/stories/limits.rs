//! What is too much.

use mangrove_proto::live::Outcome;

use crate::tests::{
    acme::{self, NUMBER},
    world::World,
};

#[test]
fn the_hundred_and_first_call_of_a_number_is_busy() {
    let mut world = World::acme();
    let callers: Vec<usize> = (0..101).map(|_| world.call_in(NUMBER)).collect();
    assert!(callers[..100].iter().all(|caller| world.stage(*caller) == "arriving"));
    let last = callers[100];
    assert!(world.ends[last].was_told("486 INVITE"));
    let cdr = world.record();
    assert_eq!((cdr.cause.as_str(), cdr.outcome, cdr.sip_status), ("number-busy", Outcome::Busy, 486));
    world.run();
    world.hang_up(callers[0]);
    let next = world.call_in(NUMBER);
    assert_eq!(world.stage(next), "arriving", "a channel is free again");
}

#[test]
fn a_trunk_has_its_limits_too() {
    let mut config = acme::config();
    config.trunks[0].channels = Some(2);
    let mut world = World::of(config);
    let callers = [world.call_in(NUMBER), world.call_in(NUMBER), world.call_in(NUMBER)];
    assert!(world.ends[callers[2]].was_told("503 INVITE"));
    assert!(world.ends[callers[2]].heard.last().expect("503").header("Retry-After").is_some());

    let mut config = acme::config();
    config.trunks[0].calls_per_second = Some(2);
    let mut world = World::of(config);
    let callers = [world.call_in(NUMBER), world.call_in(NUMBER), world.call_in(NUMBER)];
    assert!(world.ends[callers[2]].was_told("503 INVITE"));
    world.pass(1_000);
    let next = world.call_in(NUMBER);
    assert_eq!(world.stage(next), "arriving");
}

#[test]
fn a_number_that_is_not_ours_is_not_found() {
    let mut world = World::acme();
    let caller = world.call_in("78120000000");
    assert!(world.ends[caller].was_told("404 INVITE"));
    assert_eq!(world.record().cause, "not-found");
}

#[test]
fn without_a_media_node_calls_are_refused() {
    let mut world = World::acme();
    world.command(crate::Command::NodeLost { name: "m1".into(), tells: true });
    let caller = world.call_in(NUMBER);
    assert!(world.ends[caller].was_told("503 INVITE"));
    assert_eq!(world.record().cause, "no-media");
}

#[test]
fn a_media_node_that_never_gets_ready_costs_the_call() {
    let mut world = World::acme();
    let caller = world.call_in(NUMBER);
    world.pending.clear();
    world.pass(10_000);
    assert!(world.ends[caller].was_told("503 INVITE"));
}

#[test]
fn no_call_lasts_longer_than_four_hours() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    // Session timers of the dialogs are theirs to keep; here only the rules' own limit counts.
    for _ in 0..10 {
        world.pass(1_440_000);
    }
    assert_eq!(world.stage_or_gone(caller), None);
    assert!(world.ends[anna].was_told("BYE"));
}
