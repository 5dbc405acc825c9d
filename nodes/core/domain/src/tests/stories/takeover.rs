//! A new leader: what it owes is what was promised, byte for byte.

use mangrove_proto::{
    edge::edge_command::Op,
    media::{Latched, media_event::Fact},
};

use crate::{
    Action, Command, Effect, NodeInfo, ObjectRef, State,
    tests::{
        acme::NUMBER,
        world::{Pending, World},
    },
};

fn messages(effects: &[Effect]) -> Vec<Vec<u8>> {
    let bytes = |effect: &Effect| match &effect.action {
        Action::Edge { command, .. } => command.op.as_ref().map(|op| match op {
            Op::Request(request) => request.message.to_vec(),
            Op::Response(response) => response.message.to_vec(),
        }),
        Action::Media { .. } => None,
    };
    effects.iter().filter_map(bytes).collect()
}

#[test]
fn an_unanswered_invite_is_owed_as_it_was() {
    let mut world = World::acme();
    let caller = world.call_in(NUMBER);
    world.run();
    let (call, play) = (world.call(caller).id, world.plays(caller).expect("a prompt").id);
    let finished = mangrove_proto::media::PlayFinished { endpoint: world.ends[caller].leg.clone(), play };
    world.media(call, mangrove_proto::media::media_event::Fact::PlayFinished(finished));
    let ready = world.pending.remove(0);
    world.deliver(ready);
    let sent = messages(&world.last.actions);
    assert_eq!(sent.len(), 1, "anna's INVITE");
    let mut stamp = world.stamp();
    (stamp.seed, stamp.fence.term) = (99, 2);
    let owed = world.state.owed(&ObjectRef::Call("acme".into(), call), stamp);
    assert!(messages(&owed).contains(&sent[0]));
    assert!(owed.iter().any(|effect| matches!(effect.action, Action::Media { .. })), "and the session");
    let restored = State::restore(&world.state.snapshot().expect("a snapshot")).expect("a state");
    assert_eq!(restored.owed(&ObjectRef::Call("acme".into(), call), stamp), owed);
}

#[test]
fn a_session_is_asked_for_again_with_the_ports_that_far_ends_know() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    // Until then the ACK might be owed again, to a 2xx that comes again.
    world.pass(33_000);
    let call = world.call(caller).id;
    let owed = world.state.owed(&ObjectRef::Call("acme".into(), call), world.stamp());
    let session = owed.iter().find_map(|effect| match &effect.action {
        Action::Media { command, .. } => command.set.clone(),
        Action::Edge { .. } => None,
    });
    let session = session.expect("a session");
    assert_eq!(session.version, world.call(caller).media.version);
    assert!(session.endpoints.iter().all(|endpoint| endpoint.port >= 20_000), "{session:?}");
    assert!(messages(&owed).is_empty(), "everything was acknowledged");
}

#[test]
fn an_heir_learns_where_far_ends_were_heard_from() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    let (call, leg) = (world.call(caller).id, world.ends[anna].leg.clone());
    let heard = |world: &World| {
        let owed = world.state.owed(&ObjectRef::Call("acme".into(), call), world.stamp());
        let sessions = owed.into_iter().filter_map(|effect| match effect.action {
            Action::Media { command, .. } => command.set,
            Action::Edge { .. } => None,
        });
        let endpoints: Vec<_> = sessions.flat_map(|session| session.endpoints).collect();
        endpoints.into_iter().find(|endpoint| endpoint.id == leg).expect("anna's endpoint").latched
    };
    assert_eq!(heard(&world), "");
    let address = "203.0.113.5:62000";
    let latched = Latched { endpoint: leg.clone(), address: address.into() };
    world.media(call, Fact::Latched(latched));
    assert_eq!(heard(&world), address);
    world.command(Command::NodeAnnounced {
        node: NodeInfo { name: "m2".into(), contacts: vec![], media: true },
    });
    world.command(Command::NodeLost { name: "m1".into(), tells: true });
    assert_eq!(heard(&world), "", "to another address it may send from elsewhere");
}

#[test]
fn a_node_that_takes_a_session_over_learns_how_long_its_recording_ran() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    let object = ObjectRef::Call("acme".into(), world.call(caller).id);
    let ran_ms = |world: &World| {
        let owed = world.state.owed(&object, world.stamp());
        let session = owed.into_iter().find_map(|effect| match effect.action {
            Action::Media { command, .. } => command.set,
            Action::Edge { .. } => None,
        });
        session.expect("a session").recording.map(|recording| recording.ran_ms)
    };
    assert_eq!(ran_ms(&world), Some(Some(0)));
    world.pass(5_000);
    assert_eq!(ran_ms(&world), Some(Some(5_000)));
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye);
    let finished = world
        .pending
        .extract_if(.., |pending| matches!(pending, Pending::Media(.., Fact::RecordingFinished(_))));
    let finished: Vec<_> = finished.collect();
    world.pass(2_000);
    assert_eq!(ran_ms(&world), Some(Some(5_000)), "to its end");
    for finished in finished {
        world.deliver(finished);
    }
    assert_eq!(ran_ms(&world), None, "it is there");
}

#[test]
fn registrations_outlive_the_gap() {
    let mut world = World::acme();
    world.pass(3_500_000);
    world.command(Command::LeaderStarted { gap_ms: 200_000 });
    world.pass(200_000);
    assert!(world.agent("anna").is_reachable(world.now));
    world.pass(200_000);
    assert!(!world.agent("anna").is_reachable(world.now), "but not for ever");
}

#[test]
fn a_snapshot_is_the_state() {
    let mut world = World::acme();
    world.talking("101");
    world.queued();
    let restored = State::restore(&world.state.snapshot().expect("a snapshot")).expect("a state");
    assert_eq!(restored, world.state);
    assert_eq!(restored.hash(), world.state.hash());
    assert!(
        State::restore(&[]).is_err()
            && State::restore(&[2, 0]).is_err()
            && State::restore(&[1, 0xc1]).is_err()
    );
}

#[test]
fn a_phone_that_answered_during_the_gap_may_say_so_again() {
    for gap_ms in [0, 3_000] {
        let mut world = World::acme();
        let caller = world.queued();
        let anna = world.ringing("101").expect("anna rings");
        world.pass(6_900);
        world.command(Command::LeaderStarted { gap_ms });
        world.pass(4_499);
        world.final_answer(anna, 200);
        world.run();
        assert_eq!((world.stage(caller), world.agent("anna").misses), ("talking", 0));
    }
}

#[test]
fn but_a_phone_does_not_ring_for_ever() {
    let mut world = World::acme();
    world.queued();
    world.pass(6_900);
    world.command(Command::LeaderStarted { gap_ms: 3_000 });
    world.pass(4_500);
    assert!(world.ringing("101").is_none() && world.ringing("102").is_some());
}

#[test]
fn that_time_has_passed_is_known_and_changes_nothing() {
    let mut world = World::acme();
    let caller = world.queued();
    assert!(world.ringing("101").is_some());
    let before = world.state.clone();
    world.command(Command::TimePassed);
    assert_eq!(world.state, before, "{:?}", world.ends[caller].words());
}
