//! Employees who call `echo` to hear themselves.

use mangrove_proto::{
    live::AgentState,
    media::{Echo, endpoint::Hears},
};

use crate::tests::{
    acme,
    world::{World, ticket},
};

#[test]
fn an_employee_hears_themselves_for_half_a_minute_and_nothing_is_kept_of_it() {
    let mut world = World::raised();
    let anna = world.call_from("101", "echo");
    world.run();
    assert!(world.ends[anna].was_told("200 INVITE"), "{:?}", world.ends[anna].words());
    assert_eq!(world.hears(anna), Some(Hears::Echo(Echo { delay_ms: 1_000 })));
    assert_eq!(world.agent("anna").state(), AgentState::Busy);
    world.pass(29_000);
    assert_eq!(world.stage(anna), "echoing");
    world.pass(2_000);
    assert!(world.ends[anna].was_told("BYE"));
    assert_eq!(world.agent("anna").state(), AgentState::Available);
    world.pass(60_000);
    assert!(world.try_call(anna).is_none(), "it is forgotten");
    assert_eq!(world.records(), []);
}

#[test]
fn who_has_heard_enough_hangs_up() {
    let mut world = World::raised();
    let anna = world.call_from("101", "echo");
    world.run();
    world.hang_up(anna);
    world.pass(60_000);
    assert_eq!(world.records(), []);
    assert_eq!(world.agent("anna").state(), AgentState::Available);
}

#[test]
fn an_echo_is_for_employees_and_has_no_place_in_a_talk() {
    let mut world = World::raised();
    let stranger = world.call_in("echo");
    world.run();
    assert!(world.ends[stranger].was_told("404 INVITE"), "{:?}", world.ends[stranger].words());
    let (caller, anna) = world.talking("101");
    world.refer(anna, "echo");
    world.run();
    assert_eq!(world.stage(caller), "talking");
    let mut first = World::of(acme::config());
    let page = first.page_calls(ticket("anna", 1), "101", "echo");
    first.register("101");
    let phone = first.call_from("101", "echo");
    first.run();
    assert!(first.ends[phone].was_told("404 INVITE"), "not under the first rules");
    assert!(first.try_call(page).is_none());
}

#[test]
fn a_media_node_that_is_lost_takes_no_echo_along() {
    let mut world = World::raised();
    let anna = world.call_from("101", "echo");
    world.run();
    world.announce_media("m2");
    world.command(crate::Command::NodeLost { name: "m1".into(), tells: true });
    world.run();
    assert_eq!(world.stage(anna), "echoing");
    assert!(matches!(world.hears(anna), Some(Hears::Echo(_))), "at the other node");
}
