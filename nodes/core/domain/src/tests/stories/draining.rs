//! A media node that is about to go with its addresses: its calls' sound goes to another one while people talk.

use mangrove_proto::media::{EndpointAddress, PlayFinished, Ready, SetSession, media_event::Fact};

use crate::{
    Action, Command, Effect, ObjectRef, Reply, State,
    call::stage::Stage,
    tests::{
        acme::NUMBER,
        world::{Pending, World, tenant_id},
    },
};

/// Two who talk while their node drains and another one is there. Nothing is delivered yet.
fn drained() -> (World, usize, usize) {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    world.announce_media("m2");
    assert_eq!(world.drain("m1"), Reply::Done);
    (world, caller, anna)
}

/// The last that a node was asked for a call.
fn held<'w>(world: &'w World, node: &str, caller: usize) -> &'w SetSession {
    let call = world.call(caller).id;
    world.held.get(&(node.to_owned(), call)).expect("it was asked")
}

/// What effects ask of a node.
fn asked(effects: &[Effect], node: &str) -> Vec<SetSession> {
    let set = |effect: &Effect| match &effect.action {
        Action::Media { node: asked, command } if asked == node => command.set.clone(),
        _ => None,
    };
    effects.iter().filter_map(set).collect()
}

fn plays(set: &SetSession) -> bool {
    set.endpoints.iter().any(|end| format!("{:?}", end.hears).contains("Play"))
}

/// Whether the last that a far end was told to send to is at this node.
fn is_sent_to(world: &World, end: usize, address: &str) -> bool {
    let invite = world.ends[end].heard.iter().rfind(|message| message.method().as_str() == "INVITE");
    invite.is_some_and(|invite| String::from_utf8_lossy(invite.body()).contains(address))
}

/// The far ends' answers that are on their way.
fn answers(world: &World) -> usize {
    world.pending.iter().filter(|pending| matches!(pending, Pending::Sip(..))).count()
}

#[test]
fn the_old_node_goes_on_until_both_have_answered() {
    let (mut world, caller, anna) = drained();
    let new = held(&world, "m2", caller).clone();
    assert!(new.recording.is_none() && new.endpoints.len() == 2, "it relays: {new:?}");
    assert!(new.endpoints.iter().all(|end| end.port == 0), "at ports of its own");
    assert!(asked(&world.last.actions, "m1").is_empty() && held(&world, "m1", caller).recording.is_some());
    world.deliver_next();
    assert!([caller, anna].iter().all(|end| is_sent_to(&world, *end, "10.0.0.3")), "both are told");
    for left in [2, 1] {
        assert_eq!(answers(&world), left);
        assert!(!held(&world, "m1", caller).close && held(&world, "m2", caller).recording.is_none());
        world.deliver_next();
    }
    let (old, new) = (asked(&world.last.actions, "m1"), asked(&world.last.actions, "m2"));
    assert!(matches!(&old[..], [old] if old.close && old.goes_on && old.recording.is_none()), "{old:?}");
    assert!(matches!(&new[..], [new] if new.recording.is_some()), "{new:?}");
    world.run();
    assert!(world.are_joined(caller, anna) && !world.call(caller).media.is_closed());
    world.hang_up(caller);
    world.pass(10_000);
    assert_eq!((world.records().len(), world.record().recordings.len()), (1, 1));
}

#[test]
fn who_waits_hears_the_old_nodes_music_until_the_answer() {
    let mut world = World::acme();
    let caller = world.call_in(NUMBER);
    world.run();
    assert_eq!(world.stage(caller), "playing");
    world.announce_media("m2");
    world.drain("m1");
    assert!(plays(held(&world, "m1", caller)) && !plays(held(&world, "m2", caller)));
    // The prompt's end is told by who plays it.
    let Stage::Playing { play, .. } = world.call(caller).stage.clone() else { panic!("a prompt") };
    let (call, endpoint) = (world.call(caller).id, world.ends[caller].leg.clone());
    let finished = PlayFinished { endpoint, play };
    assert_eq!(world.media_at("m1".into(), call, Fact::PlayFinished(finished)), Reply::Done);
    assert_ne!(world.stage(caller), "playing");
}

#[test]
fn a_far_end_that_does_not_answer_is_waited_for_five_seconds() {
    let (mut world, caller, _) = drained();
    let object = ObjectRef::Call(tenant_id(), world.call(caller).id);
    world.now += 8_000;
    world.command(Command::TimerDue { object });
    assert!(!held(&world, "m1", caller).close, "nobody was told yet: the new node is slow");
    world.deliver_next();
    world.pending.clear();
    world.pass(4_999);
    assert!(!held(&world, "m1", caller).close);
    world.pass(1);
    assert!(held(&world, "m1", caller).close && held(&world, "m2", caller).recording.is_some());
    assert_eq!(world.stage(caller), "talking");
}

#[test]
fn a_call_that_ends_meanwhile_ends_at_both_and_has_its_recording_once() {
    let (mut world, caller, _) = drained();
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye);
    let (old, new) = (held(&world, "m1", caller), held(&world, "m2", caller));
    assert!(old.close && !old.goes_on && old.recording.is_some(), "the old one finishes it: {old:?}");
    assert!(new.close && new.recording.is_none(), "{new:?}");
    world.run();
    world.pass(10_000);
    assert_eq!((world.records().len(), world.record().recordings.len()), (1, 1));
}

#[test]
fn a_trunk_is_told_of_one_call_after_another_while_all_are_heard() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    let waiting: Vec<usize> = (0..3).map(|_| world.queued()).collect();
    world.announce_media("m2");
    world.drain("m1");
    world.run();
    let told = |world: &World| waiting.iter().filter(|end| is_sent_to(world, **end, "10.0.0.3")).count();
    for expected in 0..=3 {
        assert_eq!(told(&world), expected);
        let untold = waiting.iter().filter(|end| !is_sent_to(&world, **end, "10.0.0.3"));
        assert!(untold.into_iter().all(|end| !held(&world, "m1", *end).close));
        world.pass(20);
    }
    assert!(is_sent_to(&world, caller, "10.0.0.3") && is_sent_to(&world, anna, "10.0.0.3"));
    // One of them is offered to a phone, which is not told before it answers.
    world.pass(5_000);
    assert!(waiting.iter().all(|end| held(&world, "m1", *end).close));
}

#[test]
fn nothing_moves_twice_and_what_could_not_move_does_when_told_again() {
    let (mut world, caller, _) = drained();
    world.drain("m1");
    assert_eq!(world.last.actions, []);
    world.run();
    let version = world.call(caller).media.version;
    world.drain("m1");
    assert_eq!((world.last.actions.len(), world.call(caller).media.version), (0, version));

    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    world.drain("m1");
    assert_eq!((world.last.actions.len(), world.call(caller).media.node.as_str()), (0, "m1"));
    let second = world.queued();
    assert_eq!(world.call(second).media.node, "m1", "no other is left");
    world.announce_media("m2");
    assert!(world.state.is_to_drain("m1"));
    world.drain("m1");
    world.run();
    // The phone that rings learns the new address when it answers: it is not waited for longer than others.
    world.pass(5_100);
    assert!(!world.state.is_to_drain("m1") && world.are_joined(caller, anna));
    assert!([caller, second].iter().all(|end| world.call(*end).media.node == "m2"));
}

#[test]
fn new_calls_avoid_the_node_until_it_stays_again() {
    let (mut world, ..) = drained();
    world.run();
    let second = world.queued();
    assert_eq!(world.call(second).media.node, "m2");
    world.announce_media("m1");
    let third = world.queued();
    assert_eq!(world.call(third).media.node, "m1", "it has the fewest");
}

#[test]
fn a_new_node_that_is_lost_or_refuses_leaves_the_call_where_it_was() {
    for is_told in [false, true] {
        let (mut world, caller, anna) = drained();
        if is_told {
            world.deliver_next();
        }
        world.command(Command::NodeLost { name: "m2".into(), tells: true });
        assert_eq!(world.call(caller).media.node, "m1");
        world.run();
        assert!(!held(&world, "m1", caller).close && world.are_joined(caller, anna));
        assert!([caller, anna].iter().all(|end| is_sent_to(&world, *end, "10.0.0.2") || !is_told));
    }
    let (mut world, caller, anna) = drained();
    world.refuse_media(caller);
    assert!(held(&world, "m2", caller).close && !held(&world, "m1", caller).close);
    world.run();
    assert_eq!(world.call(caller).media.node, "m1");
    assert!(world.are_joined(caller, anna));
    world.hang_up(caller);
    assert!(held(&world, "m1", caller).close);
}

#[test]
fn an_old_node_that_is_lost_first_is_done_without() {
    let (mut world, caller, anna) = drained();
    world.command(Command::NodeLost { name: "m1".into(), tells: true });
    assert!(held(&world, "m2", caller).recording.is_some());
    world.run();
    assert!([caller, anna].iter().all(|end| is_sent_to(&world, *end, "10.0.0.3")));
    assert!(world.are_joined(caller, anna));
}

#[test]
fn a_new_node_that_is_about_to_go_too_is_left_in_its_turn() {
    let (mut world, caller, anna) = drained();
    world.announce_media("m3");
    world.drain("m2");
    assert_eq!(world.call(caller).media.node, "m2", "one after the other");
    world.run();
    world.pass(100);
    assert_eq!(world.call(caller).media.node, "m3");
    assert!(held(&world, "m1", caller).close && held(&world, "m2", caller).close);
    assert!(world.are_joined(caller, anna));
}

#[test]
fn a_new_leader_owes_both_nodes_what_they_were_asked_for() {
    let (mut world, caller, _) = drained();
    let object = ObjectRef::Call(tenant_id(), world.call(caller).id);
    let owed = |world: &World| {
        let restored = State::restore(&world.state.snapshot().expect("a snapshot")).expect("a state");
        let owed = restored.owed(&object, world.stamp());
        (asked(&owed, "m1"), asked(&owed, "m2"))
    };
    let (old, new) = owed(&world);
    assert!(old[0].endpoints.iter().all(|end| end.port >= 20_000) && old[0].recording.is_some());
    assert!(new[0].endpoints.iter().all(|end| end.port == 0) && new[0].recording.is_none());
    world.run();
    let (old, new) = owed(&world);
    assert!(old[0].close && old[0].goes_on, "its end: {old:?}");
    assert!(new[0].endpoints.iter().all(|end| end.port >= 20_000), "{new:?}");
}

#[test]
fn what_the_new_node_said_in_an_earlier_stay_counts_for_nothing() {
    let (mut world, caller, anna) = drained();
    let (call, version) = (world.call(caller).id, world.call(caller).media.version - 1);
    let address = |end: usize| EndpointAddress {
        endpoint: world.ends[end].leg.clone(),
        address: "10.0.0.9:30000".into(),
        ..Default::default()
    };
    let ready = Ready { version, addresses: vec![address(caller), address(anna)] };
    world.media_at("m2".into(), call, Fact::Ready(ready));
    assert!([caller, anna].iter().all(|end| !is_sent_to(&world, *end, "10.0.0.9")));
    world.run();
    assert!([caller, anna].iter().all(|end| is_sent_to(&world, *end, "10.0.0.3")));
}

#[test]
fn a_tenant_that_was_frozen_leaves_when_it_is_free() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    world.announce_media("m2");
    let epoch = world.freeze();
    world.drain("m1");
    assert_eq!(world.call(caller).media.node, "m1", "nothing happens to a frozen tenant");
    world.command(Command::SettleTenant { tenant: tenant_id(), epoch });
    world.run();
    assert_eq!(world.call(caller).media.node, "m2");
    assert!(held(&world, "m1", caller).close && world.are_joined(caller, anna));
}
