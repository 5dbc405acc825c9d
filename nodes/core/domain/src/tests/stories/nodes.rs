//! Nodes that die under calls.

use mangrove_proto::media::media_event::Fact;
use mangrove_sip::{Message, Transport};

use crate::{
    Command, NodeInfo, Sender,
    tests::{
        acme,
        world::{Pending, World},
    },
};

/// Another media node takes the sessions of `m1`, and has them ready at once, in the order of these calls.
fn moves(world: &mut World, calls: &[&[usize]]) {
    world.command(Command::NodeAnnounced {
        node: NodeInfo { name: "m2".into(), contacts: vec![], media: true },
    });
    world.command(Command::NodeLost { name: "m1".into(), tells: true });
    world.pending.clear();
    for (sequence, ends) in (1..).zip(calls) {
        let (call, version) = (world.call(ends[0]).id, world.call(ends[0]).media.version);
        let address = |end: &usize| mangrove_proto::media::EndpointAddress {
            endpoint: world.ends[*end].leg.clone(),
            address: format!("10.0.0.3:{}", 30_000 + 2 * end),
        };
        let addresses = ends.iter().map(address).collect();
        let event = mangrove_proto::media::MediaEvent {
            sequence,
            tenant: "acme".into(),
            session: call.to_string(),
            fact: Some(Fact::Ready(mangrove_proto::media::Ready { version, addresses })),
        };
        world.command(Command::MediaReported { sender: Sender { node: "m2".into(), run: 1 }, event });
    }
}

/// Whether the far end got a re-INVITE with an address of `m2`.
fn is_told(world: &World, end: usize) -> bool {
    let tells = |message: &Message| {
        message.method().as_str() == "INVITE" && String::from_utf8_lossy(message.body()).contains("10.0.0.3")
    };
    world.ends[end].heard.iter().any(tells)
}

#[test]
fn a_lost_media_nodes_calls_go_on_at_another_one() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    moves(&mut world, &[&[caller, anna]]);
    assert!(is_told(&world, caller) && is_told(&world, anna));
    world.run();
    assert!(world.are_joined(caller, anna));
}

#[test]
fn a_trunk_is_told_of_one_call_after_another_and_of_talks_first() {
    let mut config = acme::config();
    config.trunks[0].calls_per_second = Some(10);
    let mut world = World::of(config);
    world.register("101");
    let (caller, anna) = world.talking("101");
    let waiting = [world.queued(), world.queued(), world.queued()];
    moves(&mut world, &[&waiting[..1], &waiting[1..2], &waiting[2..], &[caller, anna]]);
    assert!(is_told(&world, anna), "a phone at once");
    assert!(is_told(&world, caller), "a talk comes first, though its session was ready last");
    let told = |world: &World| waiting.iter().filter(|end| is_told(world, **end)).count();
    for expected in 0..=3 {
        assert_eq!(told(&world), expected);
        world.pass(100);
    }
}

#[test]
fn a_call_is_retelling_until_the_last_of_its_far_ends_has_answered() {
    let mut world = World::of(acme::config());
    world.register("101");
    let (caller, anna) = world.talking("101");
    let waiting = world.queued();
    let retelling = |world: &World| [caller, waiting].map(|end| world.call(end).is_retelling());
    assert_eq!(retelling(&world), [false, false]);
    moves(&mut world, &[&[caller, anna], &[waiting]]);
    assert!(is_told(&world, caller) && is_told(&world, anna) && !is_told(&world, waiting));
    assert_eq!(retelling(&world), [true, true], "nobody has answered, and one has its turn to come");
    let first = world.pending.iter().position(|next| matches!(next, Pending::Sip(end, _) if *end == anna));
    let answer = world.pending.remove(first.expect("anna's phone answers"));
    world.deliver(answer);
    assert_eq!(retelling(&world), [true, true], "the caller has not answered");
    world.run();
    assert_eq!(retelling(&world), [false, true]);
    world.pass(20);
    assert!(is_told(&world, waiting));
    assert_eq!(retelling(&world), [false, false]);
}

#[test]
fn who_waits_for_the_trunks_turn_is_not_taken_for_dead() {
    let mut config = acme::config();
    config.trunks[0].calls_per_second = Some(1);
    let mut world = World::of(config);
    ["101", "102"].into_iter().for_each(|extension| world.register(extension));
    let one = world.talking("101");
    world.pass(1_000);
    let other = world.talking("102");
    world.pass(31_000);
    moves(&mut world, &[&[one.0, one.1], &[other.0, other.1]]);
    let untold = if is_told(&world, one.0) { other.0 } else { one.0 };
    assert!(!is_told(&world, untold));
    world.silent(untold, 31_000);
    assert_eq!(world.stage(untold), "talking");
    world.pass(1_000);
    assert!(is_told(&world, untold));
    world.silent(untold, 32_000);
    assert_eq!(world.stage(untold), "talking", "it has just been told");
}

#[test]
fn without_another_media_node_calls_end_and_say_why() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    world.command(Command::NodeLost { name: "m1".into(), tells: true });
    assert_eq!(world.stage(caller), "over");
    world.pending.clear();
    world.pass(10_000);
    assert_eq!(world.record().cause, "media-lost");
}

#[test]
fn a_lost_edges_dialogs_go_on_through_another_one() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    let contacts = vec![(Transport::Udp, "10.0.0.9:5060".to_owned())];
    world.command(Command::NodeAnnounced { node: NodeInfo { name: "e2".into(), contacts, media: false } });
    world.command(Command::NodeLost { name: "e1".into(), tells: true });
    for end in [caller, anna] {
        let last = world.ends[end].heard.last().expect("a re-INVITE");
        assert_eq!(last.method().as_str(), "INVITE");
        assert!(last.header("Contact").is_some_and(|contact| contact.contains("10.0.0.9")), "{last:?}");
    }
    world.run();
    world.hang_up(caller);
    assert!(world.ends[anna].was_told("BYE"));
}
