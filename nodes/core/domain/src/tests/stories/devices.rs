//! People with several phones, and phones behind connections.

use mangrove_proto::edge::{FlowClosed, edge_event::Fact};

use crate::tests::{acme, world::World};

/// Anna with a second phone at another address.
fn two_phones() -> World {
    let mut world = World::acme();
    world.register_at("101", "10.0.2.1:5060", "");
    world
}

#[test]
fn all_phones_of_a_person_ring_and_the_first_to_answer_wins() {
    let mut world = two_phones();
    let caller = world.queued();
    let rings: Vec<usize> = (0..world.ends.len()).filter(|end| world.ends[*end].user == "101").collect();
    assert_eq!(rings.len(), 2);
    world.final_answer(rings[0], 200);
    world.run();
    assert!(world.are_joined(caller, rings[0]));
    assert!(world.ends[rings[1]].was_told("CANCEL"));
    let cancel = world.ends[rings[1]].heard.iter().find(|message| message.method().as_str() == "CANCEL");
    let reason = cancel.and_then(|cancel| cancel.header("Reason").map(str::to_owned)).expect("a reason");
    assert!(reason.contains("completed elsewhere"), "{reason}");
}

#[test]
fn both_phones_answering_at_once_leave_one_call() {
    let mut world = two_phones();
    let caller = world.queued();
    let rings: Vec<usize> = (0..world.ends.len()).filter(|end| world.ends[*end].user == "101").collect();
    for phone in &rings {
        world.final_answer(*phone, 200);
    }
    world.run();
    assert!(world.are_joined(caller, rings[0]));
    assert!(world.ends[rings[1]].was_told("ACK") && world.ends[rings[1]].was_told("BYE"));
}

#[test]
fn one_phone_out_of_reach_leaves_the_other_ringing_and_one_refusal_is_enough() {
    let mut world = two_phones();
    let caller = world.queued();
    let rings: Vec<usize> = (0..world.ends.len()).filter(|end| world.ends[*end].user == "101").collect();
    world.final_answer(rings[0], 404);
    world.run();
    assert_eq!(world.call(caller).offers[0].legs.len(), 1);
    world.final_answer(rings[1], 603);
    world.run();
    assert!(world.ringing("102").is_some());
}

#[test]
fn a_closed_connection_takes_its_phone_along() {
    let mut world = World::of(acme::config());
    world.register_at("101", "10.0.3.1:40000", "flow-1");
    assert!(world.agent("anna").is_reachable(world.now));
    world.edge("", Fact::FlowClosed(FlowClosed { flow: "flow-2".into() }));
    assert!(world.agent("anna").is_reachable(world.now));
    world.edge("", Fact::FlowClosed(FlowClosed { flow: "flow-1".into() }));
    assert!(!world.agent("anna").is_reachable(world.now));
}
