//! What becomes of offers that lead nowhere.

use mangrove_proto::{live::AgentState, media::media_event::Fact};

use crate::tests::{
    acme,
    world::{Pending, World},
};

#[test]
fn no_answer_brings_the_next_agent_and_the_caller_keeps_the_place() {
    let mut world = World::acme();
    let caller = world.queued();
    let place = format!("{:?}", world.call(caller).stage);
    world.pass(7_000);
    let anna = world.ringing("101");
    assert_eq!(anna, None, "the phone stopped ringing");
    assert_eq!(world.agent("anna").misses, 1);
    assert_eq!(world.agent("boris").state(), AgentState::Ringing);
    assert_eq!(place.split("tried").next(), format!("{:?}", world.call(caller).stage).split("tried").next());
    world.pick_up("102");
    assert_eq!(world.call(caller).employee, Some("boris".into()));
}

#[test]
fn a_refusal_brings_the_next_agent_at_once() {
    for status in [486, 603, 480, 404, 500] {
        let mut world = World::acme();
        let caller = world.queued();
        let anna = world.ringing("101").expect("anna rings");
        world.final_answer(anna, status);
        world.run();
        assert_eq!(world.agent("anna").engaged, None, "{status}");
        assert!(world.ringing("102").is_some(), "{status}: boris rings");
        world.pick_up("102");
        assert_eq!(world.stage(caller), "talking");
    }
}

#[test]
fn three_misses_in_a_row_make_a_break() {
    let mut config = acme::config();
    let group = config.groups.get_mut(&"200".into()).expect("sales");
    group.queue.max_wait_ms = None;
    group.members.truncate(1);
    let mut world = World::of(config);
    world.register("101");
    world.queued();
    world.pass(7_000 * 3 + 5_000 * 2);
    assert_eq!(world.agent("anna").state(), AgentState::Break);
    assert_eq!(world.agent("anna").reason(), Some("no-answer"));
    world.wish("anna", crate::AgentWish::Available);
    world.run();
    assert!(world.ringing("101").is_some(), "back at work, the phone rings again");
}

#[test]
fn all_phones_of_all_free_agents_ring_at_once_and_the_first_wins() {
    let mut config = acme::config();
    let group = config.groups.get_mut(&"200".into()).expect("sales");
    group.strategy = crate::config::Strategy::Simultaneous;
    group.members.iter_mut().for_each(|member| member.priority = 0);
    let mut world = World::of(config);
    world.register("101");
    world.register("102");
    let caller = world.queued();
    let (anna, boris) = (world.ringing("101").expect("101"), world.ringing("102").expect("102"));
    world.final_answer(boris, 200);
    world.run();
    assert_eq!(world.stage(caller), "talking");
    assert!(world.ends[anna].was_told("CANCEL"));
    assert_eq!(world.agent("anna").state(), AgentState::Available);
    assert_eq!((world.agent("anna").misses, world.agent("boris").state()), (0, AgentState::Busy));
}

#[test]
fn a_late_200_after_cancel_is_acknowledged_and_ended() {
    let mut world = World::acme();
    let caller = world.queued();
    let anna = world.ringing("101").expect("anna rings");
    // The phone picks up just before the CANCEL reaches it.
    world.ends[anna].answered = Some(200);
    world.pass(7_000);
    assert!(world.ends[anna].was_told("CANCEL"));
    world.final_answer(anna, 200);
    world.run();
    assert!(
        world.ends[anna].was_told("ACK") && world.ends[anna].was_told("BYE"),
        "{:?}",
        world.ends[anna].words()
    );
    assert_eq!(world.agent("anna").engaged, None);
    world.pick_up("102");
    assert_eq!(world.stage(caller), "talking");
}

#[test]
fn the_answer_that_the_log_has_first_wins_over_the_timer() {
    let mut world = World::acme();
    let caller = world.queued();
    world.pass(6_999);
    world.pick_up("101");
    world.pass(10);
    assert_eq!((world.stage(caller), world.agent("anna").misses), ("talking", 0));
}

#[test]
fn a_phone_that_can_not_be_reached_counts_as_no_miss() {
    let mut world = World::acme();
    world.queued();
    let anna = world.ringing("101").expect("anna rings");
    let failed = mangrove_proto::edge::Failed {
        reason: mangrove_proto::edge::failed::Reason::TransportFailed.into(),
        branch: world.ends[anna].branch.clone(),
        method: "INVITE".into(),
    };
    let leg = world.ends[anna].leg.clone();
    world.edge(&leg, mangrove_proto::edge::edge_event::Fact::Failed(failed));
    world.run();
    assert_eq!(world.agent("anna").misses, 0);
    assert!(world.ringing("102").is_some());
}

#[test]
fn music_that_does_not_exist_costs_the_music_not_the_call() {
    let mut world = World::acme();
    let caller = world.queued();
    let (call, version) = (world.call(caller).id, world.call(caller).media.version);
    world.pending.retain(|pending| !matches!(pending, Pending::Media(..)));
    let refused = mangrove_proto::media::Refused { version, why: "unknown prompt".into() };
    world.media(call, Fact::Refused(refused));
    assert_eq!(world.plays(caller), None);
    world.run();
    world.pick_up("101");
    assert_eq!(world.stage(caller), "talking");
}

#[test]
fn a_phone_that_never_got_its_invite_counts_as_no_miss() {
    let mut world = World::acme();
    let caller = world.call_in(acme::NUMBER);
    world.run();
    world.end_prompt(caller);
    world.pending.clear();
    world.pass(7_000);
    assert_eq!((world.agent("anna").misses, world.agent("anna").engaged), (0, None));
    assert!(world.ringing("102").is_some());
}
