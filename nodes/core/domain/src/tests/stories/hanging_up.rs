//! The caller gives up, in every state.

use mangrove_proto::live::{EndedBy, Outcome};

use crate::tests::{acme::NUMBER, world::World};

fn gave_up(world: &mut World, cause: &str) {
    world.pass(2_000);
    let cdr = world.record();
    assert_eq!((cdr.cause.as_str(), cdr.outcome, cdr.ended_by), (cause, Outcome::Abandoned, EndedBy::Caller));
    for agent in ["anna", "boris", "desk"] {
        assert_eq!(world.agent(agent).engaged, None, "{agent} is free");
    }
    world.pass(32_000);
    assert_eq!(world.tenant().calls().count(), 0);
}

#[test]
fn before_the_media_node_is_ready() {
    let mut world = World::acme();
    let caller = world.call_in(NUMBER);
    world.cancel(caller);
    assert!(world.ends[caller].was_told("487 INVITE"), "{:?}", world.ends[caller].words());
    gave_up(&mut world, "abandoned");
}

#[test]
fn while_the_greeting_plays() {
    let mut world = World::acme();
    let caller = world.call_in(NUMBER);
    world.run();
    world.hang_up(caller);
    assert!(world.ends[caller].was_told("200 BYE"));
    gave_up(&mut world, "abandoned");
}

#[test]
fn while_waiting_for_somebody_to_be_free() {
    let mut world = World::acme();
    world.wish("anna", crate::AgentWish::Break(None));
    world.wish("boris", crate::AgentWish::Break(Some("lunch".into())));
    let caller = world.queued();
    assert_eq!(world.stage(caller), "waiting");
    world.hang_up(caller);
    let today = world.tenant().today(world.stamp().wall);
    assert_eq!((today.offered, today.abandoned), (1, 1));
    gave_up(&mut world, "abandoned");
}

#[test]
fn while_an_agents_phone_rings() {
    let mut world = World::acme();
    let caller = world.queued();
    let anna = world.ringing("101").expect("anna rings");
    world.hang_up(caller);
    assert!(world.ends[anna].was_told("CANCEL"));
    gave_up(&mut world, "abandoned");
}

#[test]
fn while_the_agents_phone_waits_for_its_media_address() {
    let mut world = World::acme();
    let caller = world.call_in(NUMBER);
    world.run();
    let (call, play) = (world.call(caller).id, world.plays(caller).expect("a prompt").id);
    let finished = mangrove_proto::media::PlayFinished { endpoint: world.ends[caller].leg.clone(), play };
    world.media(call, mangrove_proto::media::media_event::Fact::PlayFinished(finished));
    assert_eq!(world.ringing("101"), None, "no INVITE before its address is known");
    world.hang_up(caller);
    assert_eq!(world.ringing("101"), None);
    gave_up(&mut world, "abandoned");
}

#[test]
fn while_a_colleague_rings_without_an_answer() {
    let mut world = World::acme();
    let caller = world.call_from("101", "190");
    world.run();
    assert!(world.ends[caller].was_told("180 INVITE"), "{:?}", world.ends[caller].words());
    let desk = world.ringing("190").expect("190 rings");
    world.cancel(caller);
    assert!(world.ends[desk].was_told("CANCEL") && world.ends[caller].was_told("487 INVITE"));
    gave_up(&mut world, "abandoned");
}

#[test]
fn in_the_same_instant_as_the_agent() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    let (theirs, hers) = (world.ends[caller].request("BYE", "", ""), world.ends[anna].request("BYE", "", ""));
    world.sip(caller, theirs);
    world.sip(anna, hers);
    world.run();
    assert!(world.ends[caller].was_told("200 BYE") && world.ends[anna].was_told("200 BYE"));
    world.pass(10_000);
    assert_eq!(world.record().ended_by, EndedBy::Caller);
}

#[test]
fn while_a_second_queue_rings_nobody_is_told_that_somebody_answered() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    world.refer(anna, "200");
    world.run();
    let boris = world.ringing("102").expect("boris rings");
    world.hang_up(caller);
    let cancel = world.ends[boris].heard.iter().find(|message| message.method().as_str() == "CANCEL");
    let reason = cancel.and_then(|cancel| cancel.header("Reason").map(str::to_owned)).expect("a reason");
    assert_eq!(reason, "Q.850;cause=16");
}
