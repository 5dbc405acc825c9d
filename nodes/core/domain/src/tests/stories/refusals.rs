//! A media node that refuses: what gives way, and that the callers stay.

use mangrove_proto::media::{EndpointAddress, Ready, media_event::Fact};

use crate::{
    call::stage::Stage,
    tests::{acme::NUMBER, world::World},
};

#[test]
fn no_port_for_the_agents_phone_costs_the_offer_and_not_the_place() {
    let mut world = World::acme();
    let caller = world.call_in(NUMBER);
    world.run();
    world.end_prompt(caller);
    let place = |world: &World| match &world.call(caller).stage {
        Stage::Waiting(waiting) => waiting.place,
        other => panic!("{other:?}"),
    };
    let before = place(&world);
    world.refuse_media(caller);
    assert_eq!(world.plays(caller), None, "it might have been the music");
    world.refuse_media(caller);
    world.run();
    assert_eq!((place(&world), world.agent("anna").misses), (before, 0));
    assert_eq!(world.plays(caller).expect("music again").prompts, ["music/default"]);
    world.pick_up("102");
    assert_eq!(world.stage(caller), "talking");
}

#[test]
fn no_port_for_the_target_of_a_transfer_joins_the_two_again() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    world.refer(anna, "190");
    world.refuse_media(caller);
    world.refuse_media(caller);
    world.run();
    assert!(world.are_joined(caller, anna));
    assert!(world.ringing("190").is_none() && world.agent("desk").engaged.is_none());
    let last = world.ends[anna].heard.last().expect("a NOTIFY");
    assert!(String::from_utf8_lossy(last.body()).contains("SIP/2.0 503"), "{last:?}");
}

#[test]
fn a_port_that_was_taken_while_the_node_was_down_is_exchanged() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    world.refuse_media(caller);
    let call = world.call(caller).id;
    assert!(world.sessions[&call].endpoints.iter().all(|endpoint| endpoint.port == 0));
    world.pending.clear();
    let address = |end: usize, port: u16| EndpointAddress {
        endpoint: world.ends[end].leg.clone(),
        address: format!("10.0.0.2:{port}"),
        ..Default::default()
    };
    let addresses = vec![address(caller, 30_000), address(anna, 30_002)];
    let version = world.call(caller).media.version;
    world.media(call, Fact::Ready(Ready { version, addresses }));
    for (end, port) in [(caller, "m=audio 30000"), (anna, "m=audio 30002")] {
        let last = world.ends[end].heard.last().expect("a re-INVITE");
        assert_eq!(last.method().as_str(), "INVITE");
        assert!(String::from_utf8_lossy(last.body()).contains(port), "{last:?}");
    }
    world.run();
    assert!(world.are_joined(caller, anna));
    assert!(!world.call(caller).media.moved, "the next time it may help again");
}

/// Its INVITE named the port that is taken now.
#[test]
fn a_phone_that_rang_meanwhile_is_told_the_other_port_when_it_answers() {
    let mut world = World::acme();
    let caller = world.queued();
    let anna = world.ringing("101").expect("anna's phone rings");
    world.refuse_media(caller);
    world.refuse_media(caller);
    world.pending.clear();
    let address = |end: usize, port: u16| EndpointAddress {
        endpoint: world.ends[end].leg.clone(),
        address: format!("10.0.0.2:{port}"),
        ..Default::default()
    };
    let addresses = vec![address(caller, 30_000), address(anna, 30_002)];
    let (call, version) = (world.call(caller).id, world.call(caller).media.version);
    world.media(call, Fact::Ready(Ready { version, addresses }));
    world.run();
    assert_eq!(world.plays(caller).expect("it was not the music").prompts, ["music/default"]);
    let told = |world: &World| {
        let heard = world.ends[anna].heard.iter().filter(|message| message.method().as_str() == "INVITE");
        heard.filter(|invite| String::from_utf8_lossy(invite.body()).contains("m=audio 30002")).count()
    };
    assert_eq!(told(&world), 0, "not while it rings");
    world.pick_up("101");
    assert!(world.are_joined(caller, anna));
    assert_eq!(told(&world), 1);
}

#[test]
fn a_node_that_refuses_other_ports_too_ends_the_call() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    world.refuse_media(caller);
    assert_eq!(world.stage(caller), "talking");
    world.refuse_media(caller);
    assert_eq!(world.stage(caller), "over");
    world.pass(10_000);
    assert_eq!(world.record().cause, "no-media");
}

#[test]
fn a_guest_without_a_port_is_answered_once_there_is_one() {
    let mut world = World::acme();
    let caller = world.call_from("101", "190");
    world.run();
    world.refuse_media(caller);
    let desk = world.ringing("190").expect("190 rings");
    world.final_answer(desk, 200);
    assert!(!world.ends[caller].was_told("200 INVITE"));
    world.run();
    assert!(world.ends[caller].was_told("200 INVITE") && world.are_joined(caller, desk));
}
