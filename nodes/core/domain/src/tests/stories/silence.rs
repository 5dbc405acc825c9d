//! A phone without sound is dead, but only if there should be sound.

use mangrove_proto::live::{EndedBy, Outcome};

use crate::tests::{far_end::sdp, world::World};

#[test]
fn a_dead_phone_is_noticed() {
    let mut world = World::acme();
    let (_, anna) = world.talking("101");
    world.pass(30_000);
    world.silent(anna, 30_000);
    world.run();
    let cdr = world.record();
    assert_eq!(
        (cdr.cause.as_str(), cdr.outcome, cdr.ended_by),
        ("media-lost", Outcome::Failed, EndedBy::System)
    );
}

#[test]
fn a_caller_who_was_muted_while_waiting_may_be_answered() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    world.silent(caller, 60_000);
    world.pass(29_999);
    world.silent(caller, 90_000);
    assert_eq!(world.stage(caller), "talking");
    world.pass(1);
    world.silent(caller, 90_000);
    assert_eq!(world.stage(caller), "over");
}

#[test]
fn a_long_hold_is_no_silence_afterwards() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    for (direction, version, ms) in [("sendonly", 2, 90_000), ("sendrecv", 3, 29_000)] {
        world.request(anna, "INVITE", "", &sdp(4000, direction, version));
        let ack = world.ends[anna].ack();
        world.sip(anna, ack);
        world.pass(ms);
        world.silent(caller, 90_000);
        assert_eq!(world.stage(caller), "talking", "{direction}");
    }
    world.pass(1_000);
    world.silent(caller, 120_000);
    assert_eq!(world.stage(caller), "over");
}
