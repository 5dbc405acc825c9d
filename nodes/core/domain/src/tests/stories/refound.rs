//! A state from a backup that was made under calls.

use crate::{
    State, invariant,
    tests::{
        acme,
        world::{World, nodes, tenant_id},
    },
};

fn refounded(world: &World) -> State {
    let stamp = world.stamp();
    let bytes = world.state.snapshot().expect("a snapshot");
    State::restore(&bytes).expect("a state").refounded(1, 1, stamp.now, stamp.wall)
}

#[test]
fn calls_have_ended_with_a_record_each_and_people_are_free() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    world.talking("102");
    world.queued();
    world.pass(3_000);
    let over = world.call_in(acme::NUMBER);
    world.run();
    world.cancel(over);
    let calls = world.tenant().calls().count();
    let talking = world.call(caller).id;
    let before = world.tenant().config().clone();

    let state = refounded(&world);
    let tenant = state.tenant(&tenant_id()).expect("acme");
    assert_eq!((tenant.config(), tenant.calls().count()), (&before, 0));
    assert!(tenant.agents().all(|agent| agent.engaged.is_none()));
    assert!(tenant.queues().all(|(_, queue)| queue.waiting.is_empty()));
    assert_eq!((state.nodes().count(), state.senders().count()), (0, 0));
    assert_eq!(invariant::check(&state), []);
    let mut after = world.clone();
    after.state = state;
    let records = after.records();
    assert_eq!(records.len(), calls, "{records:#?}");
    let record = records.iter().find(|cdr| cdr.call == talking).expect("the talk's record");
    assert_eq!((record.cause.as_str(), record.talk_ms), ("restored", 3_000));
}

#[test]
fn it_goes_on_as_any_state_does() {
    let mut world = World::acme();
    world.talking("101");
    let state = refounded(&world);
    let bytes = state.snapshot().expect("a snapshot");
    assert_eq!(State::restore(&bytes).expect("a state"), state);
    let mut again = World::of(acme::config());
    let epoch = again.tenant().epoch();
    again.state = state;
    again.log.clear();
    for node in nodes() {
        again.command(crate::Command::NodeAnnounced { node });
    }
    again.register("102");
    let caller = again.queued();
    again.pick_up("102");
    assert_eq!((again.stage(caller), again.tenant().epoch()), ("talking", epoch));
}

#[test]
fn records_that_wait_keep_their_names() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    world.hang_up(caller);
    world.pass(12_000);
    let (number, _) = world.state.outbox().next().expect("a record");
    let state = refounded(&world);
    let origin = state.origin(number).expect("a name");
    assert_eq!((origin.incarnation, origin.group, origin.number), (1, 1, number));
}
