//! Reliable provisional responses (RFC 3262), seen from the rules.

use mangrove_proto::{
    edge::{Failed, edge_event::Fact, failed::Reason},
    live::{EndedBy, Outcome},
};

use crate::tests::world::World;

#[test]
fn a_caller_who_never_acknowledges_our_ringing_is_refused_and_the_phone_stops_ringing() {
    let mut world = World::acme();
    let caller = world.call_supporting("101", "190", "100rel");
    world.run();
    assert!(world.ends[caller].was_told("180 INVITE"), "{:?}", world.ends[caller].words());
    let desk = world.ringing("190").expect("190 rings");
    let missing =
        Failed { reason: Reason::PrackMissing.into(), branch: String::new(), method: "INVITE".into() };
    let leg = world.ends[caller].leg.clone();
    world.edge(&leg, Fact::Failed(missing));
    world.run();
    assert!(world.ends[caller].was_told("504 INVITE"), "{:?}", world.ends[caller].words());
    assert!(world.ends[desk].was_told("CANCEL"), "{:?}", world.ends[desk].words());
    world.pass(2_000);
    let cdr = world.record();
    assert_eq!(
        (cdr.cause.as_str(), cdr.outcome, cdr.ended_by),
        ("not-acknowledged", Outcome::Failed, EndedBy::System)
    );
    assert_eq!(world.agent("desk").engaged, None);
}
