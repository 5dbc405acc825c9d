//! People with several phones, and phones behind connections.

use mangrove_proto::edge::{FlowClosed, edge_event::Fact};

use crate::{
    call::Offer,
    config::{Device, Security, SipDevice},
    tests::{acme, world::World},
};

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

/// Anna with a desk phone, 101, and then a mobile one, 111.
fn two_devices(world: &mut World, version: u64) {
    let mut config = acme::config();
    config.version = version;
    let mobile =
        SipDevice { username: "111".into(), md5: "".into(), sha256: "".into(), srtp: Security::Accept };
    config.employees.get_mut(&"anna".into()).expect("anna").devices.push(Device::Sip(mobile));
    world.configure(config);
    world.register("111");
}

#[test]
fn the_second_device_joins_after_half_of_the_time_in_one_offer() {
    for picked_up in ["101", "111"] {
        let mut world = World::acme();
        two_devices(&mut world, 2);
        let caller = world.queued();
        let reserved = world.agent("anna").engaged;
        world.pass(3_499);
        assert!(world.ringing("101").is_some() && world.ringing("111").is_none());
        world.pass(1);
        let (desk, mobile) = (world.ringing("101").expect("still"), world.ringing("111").expect("now too"));
        assert_eq!(world.agent("anna").engaged, reserved);
        world.pass(3_000);
        let anna = world.pick_up(picked_up);
        assert!(world.are_joined(caller, anna));
        let other = if anna == desk { mobile } else { desk };
        assert!(world.ends[other].was_told("CANCEL"));
        world.hang_up(caller);
        assert!(world.agent("anna").wrap_up.is_some());
    }
}

#[test]
fn nobody_at_either_device_is_one_missed_call() {
    let mut world = World::acme();
    two_devices(&mut world, 2);
    world.queued();
    world.pass(3_500);
    let phones = ["101", "111"].map(|device| world.ringing(device).expect("it rings"));
    world.pass(3_500);
    assert!(phones.iter().all(|phone| world.ends[*phone].was_told("CANCEL")));
    assert_eq!((world.agent("anna").misses, world.agent("anna").engaged), (1, None));
    assert!(world.ringing("102").is_some());
}

#[test]
fn a_first_device_that_fails_brings_the_second_at_once_and_a_refusal_ends_the_offer() {
    let mut world = World::acme();
    two_devices(&mut world, 2);
    world.queued();
    let desk = world.ringing("101").expect("101 rings");
    world.final_answer(desk, 404);
    world.run();
    let mobile = world.ringing("111").expect("111 rings");
    assert!(world.ringing("102").is_none());
    world.final_answer(mobile, 603);
    world.run();
    assert!(world.ringing("102").is_some());

    let mut world = World::acme();
    two_devices(&mut world, 2);
    world.queued();
    let desk = world.ringing("101").expect("101 rings");
    world.final_answer(desk, 603);
    world.run();
    assert!(world.ringing("111").is_none() && world.ringing("102").is_some());
}

#[test]
fn a_second_device_that_left_meanwhile_or_was_never_there_takes_no_time() {
    let mut world = World::acme();
    two_devices(&mut world, 2);
    world.queued();
    world.unregister("111");
    world.pass(6_999);
    assert!(world.ringing("101").is_some() && world.ringing("111").is_none());
    world.pass(1);
    assert_eq!(world.agent("anna").misses, 1);
    world.unregister("101");
    world.register("111");
    world.pass(20_000);
    let caller = world.queued();
    assert!(world.ringing("111").is_some(), "{}", world.stage(caller));
}

#[test]
fn a_device_taken_out_of_the_configuration_does_not_ring_later() {
    let mut world = World::acme();
    two_devices(&mut world, 2);
    world.queued();
    let mut config = acme::config();
    config.version = 3;
    world.configure(config);
    world.pass(6_999);
    assert!(world.ringing("101").is_some() && world.ringing("111").is_none());
}

#[test]
fn offers_that_a_former_build_kept_can_be_read() {
    let mut world = World::acme();
    let caller = world.queued();
    let offer = world.call(caller).offers[0].clone();
    let mut value = serde_json::to_value(&offer).expect("an offer");
    value.as_object_mut().expect("fields").remove("later");
    assert_eq!(serde_json::from_value::<Offer>(value).expect("an old offer"), offer);
}
