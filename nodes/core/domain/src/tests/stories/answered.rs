//! The one call that everything is for.

use mangrove_proto::live::{AgentState, Direction, EndedBy, Outcome};

use crate::tests::{acme::NUMBER, world::World};

#[test]
fn a_caller_hears_the_greeting_waits_is_answered_and_leaves_one_record() {
    let mut world = World::acme();
    let caller = world.call_in(NUMBER);
    assert_eq!(world.ends[caller].words(), ["100 INVITE"]);
    world.run();
    assert_eq!(world.ends[caller].words(), ["100 INVITE", "200 INVITE"]);
    assert_eq!(world.stage(caller), "playing");
    assert_eq!(world.plays(caller).expect("a prompt").prompts, ["prompt/ru/default-greeting"]);

    world.pass(3_000);
    world.finish_prompt(caller);
    assert_eq!(world.stage(caller), "waiting");
    let music = world.plays(caller).expect("music");
    assert_eq!((music.prompts, music.repeat), (vec!["music/default".to_owned()], true));
    assert_eq!(world.agent("anna").state(), AgentState::Ringing);
    assert_eq!(world.agent("boris").state(), AgentState::Available);

    world.pass(2_000);
    let anna = world.pick_up("101");
    assert_eq!(world.stage(caller), "talking");
    assert!(world.are_joined(caller, anna));
    assert_eq!(world.agent("anna").state(), AgentState::Busy);
    let recording = world.sessions[&world.call(caller).id].recording.clone().expect("a recording");
    assert_eq!(
        (recording.left, recording.right),
        (world.ends[caller].leg.clone(), world.ends[anna].leg.clone())
    );

    world.pass(60_000);
    world.hang_up(caller);
    assert!(world.ends[anna].was_told("BYE"));
    assert_eq!(world.agent("anna").state(), AgentState::WrapUp);
    let cdr = world.record();
    assert_eq!(
        (cdr.direction, cdr.outcome, cdr.ended_by),
        (Direction::Inbound, Outcome::Answered, EndedBy::Caller)
    );
    assert_eq!((cdr.cause.as_str(), cdr.sip_status, cdr.q850), ("hung-up", 200, 16));
    assert_eq!((cdr.wait_ms, cdr.talk_ms, cdr.hold_ms), (2_000, 60_000, 0));
    assert_eq!((cdr.ended - cdr.started, cdr.answered), (65_000, Some(cdr.started + 5_000)));
    assert_eq!((cdr.employee, cdr.group), (Some("anna".into()), Some("200".into())));
    assert_eq!((cdr.source.as_deref(), cdr.number.as_deref()), (Some("website"), Some(NUMBER)));
    assert_eq!((cdr.legs.len(), cdr.recordings.len()), (2, 1));
    assert_eq!(cdr.legs.iter().map(|leg| leg.packets_received).sum::<u64>(), 14);

    world.pass(5_000);
    assert_eq!(world.agent("anna").state(), AgentState::Available);
    let today = world.tenant().today(world.stamp().wall);
    assert_eq!((today.offered, today.answered, today.answered_in_time, today.abandoned), (1, 1, 1, 0));
    world.pass(32_000);
    assert!(world.try_call(caller).is_none(), "forgotten");
    assert_eq!(world.records().len(), 1);
}

#[test]
fn the_agent_may_hang_up_first() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    world.hang_up(anna);
    assert!(world.ends[caller].was_told("BYE"));
    let cdr = world.record();
    assert_eq!((cdr.ended_by, cdr.outcome), (EndedBy::Callee, Outcome::Answered));
}

#[test]
fn the_queue_keeps_its_order_when_agents_are_busy() {
    let mut world = World::acme();
    let (first, anna) = world.talking("101");
    let (second, boris) = world.talking("102");
    let third = world.queued();
    world.pass(1_000);
    let fourth = world.queued();
    world.hang_up(boris);
    world.pass(5_000);
    assert_eq!(world.call(third).offers.len(), 1, "the third caller's turn");
    assert!(world.call(fourth).offers.is_empty());
    world.pick_up("102");
    assert_eq!(world.stage(third), "talking");
    world.hang_up(anna);
    world.pass(5_000);
    world.pick_up("101");
    assert_eq!(world.stage(fourth), "talking");
    assert_eq!((world.stage(first), world.stage(second)), ("over", "over"));
}

#[test]
fn an_unregistered_agent_is_passed_over() {
    let mut world = World::of(crate::tests::acme::config());
    world.register("102");
    let caller = world.queued();
    world.pick_up("102");
    assert_eq!(world.call(caller).employee, Some("boris".into()));
}
