//! Calls that begin at an employee's phone.

use mangrove_proto::live::{AgentState, Direction, Outcome};

use crate::tests::{acme, world::World};

#[test]
fn a_colleague_is_called_and_answers() {
    let mut world = World::acme();
    let caller = world.call_from("101", "102");
    world.run();
    assert_eq!(world.ends[caller].words(), ["100 INVITE", "180 INVITE"]);
    assert_eq!(world.agent("anna").state(), AgentState::Busy);
    let boris = world.pick_up("102");
    assert!(world.ends[caller].was_told("200 INVITE"));
    assert!(world.are_joined(caller, boris));
    assert!(world.sessions[&world.call(caller).id].recording.is_none(), "only outside calls are recorded");
    world.hang_up(boris);
    world.pass(2_000);
    let cdr = world.record();
    assert_eq!((cdr.direction, cdr.outcome), (Direction::Internal, Outcome::Answered));
    assert_eq!((cdr.caller.as_str(), cdr.called.as_str()), ("101", "102"));
    assert_eq!(world.agent("boris").state(), AgentState::Available, "no wrap-up: it came through no group");
}

#[test]
fn what_the_colleague_says_is_what_the_caller_hears() {
    for (status, told, outcome) in [
        (486, "486 INVITE", Outcome::Busy),
        (603, "603 INVITE", Outcome::Rejected),
        (480, "480 INVITE", Outcome::NoAnswer),
    ] {
        let mut world = World::acme();
        let caller = world.call_from("101", "102");
        world.run();
        let boris = world.ringing("102").expect("102 rings");
        world.final_answer(boris, status);
        world.run();
        assert!(world.ends[caller].was_told(told), "{:?}", world.ends[caller].words());
        world.pass(2_000);
        assert_eq!(world.record().outcome, outcome);
    }
}

#[test]
fn who_is_in_a_call_is_busy_and_who_is_not_there_unreachable() {
    let mut world = World::acme();
    world.talking("101");
    let caller = world.call_from("102", "101");
    world.run();
    assert!(world.ends[caller].was_told("486 INVITE"));
    let caller = world.call_from("102", "110");
    world.run();
    assert!(world.ends[caller].was_told("480 INVITE"));
    let caller = world.call_from("102", "555");
    world.run();
    assert!(world.ends[caller].was_told("404 INVITE"));
    let second = world.call_from("101", "102");
    world.run();
    assert!(world.ends[second].was_told("486 INVITE"), "one call at a time");
}

#[test]
fn it_rings_as_long_as_the_tenant_says() {
    let mut world = World::acme();
    let caller = world.call_from("101", "102");
    world.run();
    world.pass(19_999);
    assert_eq!(world.stage(caller), "ringing");
    world.pass(1);
    assert!(world.ends[caller].was_told("480 INVITE"));
}

#[test]
fn an_outside_number_is_called_through_the_trunk_with_a_number_that_it_owns() {
    let mut world = World::acme();
    let caller = world.call_from("101", "+7 812 555-00-00".replace(' ', "").as_str());
    world.run();
    let outside = world.ringing("78125550000").expect("the carrier rings");
    let invite = world.ends[outside].invite.clone();
    assert_eq!(invite.request_uri().expect("a URI").to_string(), "sip:78125550000@127.0.0.1:5080");
    assert_eq!(invite.from().expect("From").uri.user.as_deref(), Some(acme::NUMBER));
    world.pick_up("78125550000");
    assert!(world.are_joined(caller, outside));
    assert!(world.sessions[&world.call(caller).id].recording.is_some());
    world.hang_up(caller);
    let cdr = world.record();
    assert_eq!((cdr.direction, cdr.trunk.as_deref()), (Direction::Outbound, Some("carrier")));
}

#[test]
fn without_a_trunk_that_owns_the_number_nobody_is_called() {
    let mut config = acme::config();
    config.trunks[0].caller_ids.clear();
    let mut world = World::of(config);
    world.register("101");
    let caller = world.call_from("101", "78125550000");
    world.run();
    assert!(world.ends[caller].was_told("502 INVITE"));
    assert!(world.ringing("78125550000").is_none());
}

#[test]
fn the_carriers_early_sound_is_heard() {
    let mut world = World::acme();
    let caller = world.call_from("101", "78125550000");
    world.run();
    let outside = world.ringing("78125550000").expect("the carrier rings");
    let progress = world.ends[outside].reply(
        &world.ends[outside].invite,
        183,
        &crate::tests::far_end::sdp(4300, "sendrecv", 1),
    );
    world.sip(outside, progress);
    world.run();
    assert!(world.ends[caller].was_told("183 INVITE"), "{:?}", world.ends[caller].words());
    assert!(world.are_joined(caller, outside));
    world.pick_up("78125550000");
    assert!(world.ends[caller].was_told("200 INVITE"));
}

#[test]
fn an_employee_may_call_the_group_and_their_own_number() {
    for called in ["200", acme::NUMBER] {
        let mut world = World::acme();
        let caller = world.call_from("190", called);
        world.run();
        if world.stage(caller) == "playing" {
            world.finish_prompt(caller);
        }
        assert_eq!(world.stage(caller), "waiting", "{called}");
        let anna = world.pick_up("101");
        assert!(world.are_joined(caller, anna));
    }
}
