//! The last agent of a group goes without saying so: callers who wait are sent on as if nobody had been there.

use mangrove_proto::edge::{FlowClosed, edge_event::Fact};

use crate::{
    AgentWish,
    tests::{acme, world::World},
};

/// Anna, whose phone holds a connection, is on a break; a caller waits for her.
fn waiting() -> (World, usize) {
    let mut config = acme::config();
    let group = config.groups.get_mut(&"200".into()).expect("sales");
    group.queue.max_wait_ms = None;
    let mut world = World::of(config);
    world.register("190");
    world.register_at("101", "10.0.3.1:40000", "flow-1");
    world.wish("anna", AgentWish::Break(None));
    let caller = world.queued();
    assert_eq!(world.stage(caller), "waiting");
    (world, caller)
}

fn sent_on(world: &World, caller: usize) {
    assert_eq!(world.stage(caller), "ringing");
    assert!(world.ringing("190").is_some(), "the secretary rings");
}

#[test]
fn by_a_connection_that_closes() {
    let (mut world, caller) = waiting();
    world.edge("", Fact::FlowClosed(FlowClosed { flow: "flow-1".into() }));
    world.run();
    sent_on(&world, caller);
}

#[test]
fn by_a_phone_that_leaves() {
    let (mut world, caller) = waiting();
    world.unregister("101");
    world.run();
    sent_on(&world, caller);
}

#[test]
fn by_a_registration_that_is_not_refreshed() {
    let (mut world, caller) = waiting();
    world.pass(3_500_000);
    world.register("190");
    assert_eq!(world.stage(caller), "waiting");
    world.pass(100_000);
    sent_on(&world, caller);
}

#[test]
fn by_a_new_configuration() {
    let (mut world, caller) = waiting();
    let mut config = acme::config();
    config.version += 1;
    config.groups.get_mut(&"200".into()).expect("sales").members.remove(0);
    world.configure(config);
    world.run();
    sent_on(&world, caller);
}

#[test]
fn but_a_phone_that_rings_already_may_be_answered() {
    let (mut world, caller) = waiting();
    world.wish("anna", AgentWish::Available);
    world.run();
    world.edge("", Fact::FlowClosed(FlowClosed { flow: "flow-1".into() }));
    world.run();
    assert_eq!(world.stage(caller), "waiting");
    world.pass(7_000);
    sent_on(&world, caller);
}
