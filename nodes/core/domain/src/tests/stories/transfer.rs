//! Blind transfer.

use mangrove_proto::live::AgentState;

use crate::{config::RecordedCalls, tests::world::World};

fn refer(world: &mut World, end: usize, target: &str) {
    world.request(end, "REFER", &format!("Refer-To: <sip:{target}@acme.example>\r\n"), "");
}

#[test]
fn the_caller_goes_to_a_colleague_and_the_agent_leaves() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    refer(&mut world, anna, "190");
    assert!(world.ends[anna].was_told("202 REFER") && world.ends[anna].was_told("NOTIFY"));
    assert_eq!(world.stage(caller), "transferring");
    assert_eq!(world.plays(caller).expect("music").prompts, ["music/default"]);
    let desk = world.pick_up("190");
    assert!(world.are_joined(caller, desk));
    assert!(world.ends[anna].was_told("BYE"));
    assert_eq!(world.agent("anna").state(), AgentState::WrapUp);
    assert_eq!(world.agent("desk").state(), AgentState::Busy);
    world.pass(1_000);
    world.hang_up(caller);
    let cdr = world.record();
    assert_eq!(cdr.employee, Some("desk".into()));
    let causes: Vec<_> = cdr.legs.iter().map(|leg| (leg.role.as_str(), leg.cause.as_str())).collect();
    assert!(
        causes.contains(&("offer", "transferred")) && causes.contains(&("transfer", "hung-up")),
        "{causes:?}"
    );
}

#[test]
fn a_transfer_that_fails_joins_the_two_again() {
    for status in [486, 603, 404] {
        let mut world = World::acme();
        let (caller, anna) = world.talking("101");
        refer(&mut world, anna, "190");
        let desk = world.ringing("190").expect("190 rings");
        world.final_answer(desk, status);
        world.run();
        assert!(world.are_joined(caller, anna), "{status}");
        let last = world.ends[anna].heard.last().expect("a NOTIFY");
        assert!(String::from_utf8_lossy(last.body()).contains(&format!("SIP/2.0 {status}")), "{last:?}");
        assert_eq!(world.agent("desk").engaged, None);
    }
}

#[test]
fn who_transferred_may_leave_at_once() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    refer(&mut world, anna, "190");
    world.hang_up(anna);
    assert_eq!(world.stage(caller), "transferring");
    assert_eq!(world.agent("anna").state(), AgentState::WrapUp);
    let desk = world.pick_up("190");
    assert!(world.are_joined(caller, desk));
}

#[test]
fn nobody_is_left_when_a_transfer_fails_after_that() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    refer(&mut world, anna, "190");
    world.hang_up(anna);
    world.pass(20_000);
    assert_eq!(world.stage(caller), "over");
    assert!(world.ends[caller].was_told("BYE"));
    world.pass(10_000);
    assert_eq!(world.record().cause, "no-answer");
}

#[test]
fn a_caller_may_be_sent_to_the_groups_queue_again() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    refer(&mut world, anna, "200");
    assert_eq!(world.stage(caller), "waiting");
    assert!(world.ends[anna].was_told("BYE"));
    world.pick_up("102");
    assert_eq!(world.call(caller).employee, Some("boris".into()));
}

#[test]
fn a_caller_may_be_sent_outside() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    refer(&mut world, anna, "78125550000");
    let outside = world.pick_up("78125550000");
    assert!(world.are_joined(caller, outside));
    assert_eq!(world.ends[outside].invite.from().expect("From").uri.user.as_deref(), Some("74951234567"));
}

#[test]
fn the_calling_employee_may_transfer_whom_they_called() {
    let mut world = World::acme();
    let caller = world.call_from("101", "102");
    world.run();
    let boris = world.pick_up("102");
    refer(&mut world, caller, "190");
    let desk = world.pick_up("190");
    assert!(world.are_joined(boris, desk));
    assert!(world.ends[caller].was_told("BYE"));
    world.hang_up(boris);
    assert!(world.ends[desk].was_told("BYE"));
}

#[test]
fn what_can_not_be_transferred_is_refused() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    refer(&mut world, anna, "999");
    assert!(world.ends[anna].was_told("404 REFER"));
    refer(&mut world, caller, "190");
    assert!(world.ends[caller].was_told("403 REFER"), "an outside caller has no rights here");
    world.request(
        anna,
        "REFER",
        "Refer-To: <sip:190@acme.example?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>\r\n",
        "",
    );
    assert!(world.ends[anna].was_told("501 REFER"), "{:?}", world.ends[anna].words());
    assert!(world.are_joined(caller, anna));
}

#[test]
fn a_call_sent_outside_takes_a_channel_of_the_trunk() {
    let mut config = crate::tests::acme::config();
    config.trunks[0].channels = Some(2);
    let mut world = World::of(config);
    world.register("101");
    let (caller, anna) = world.talking("101");
    refer(&mut world, anna, "78125550000");
    let outside = world.ringing("78125550000").expect("it rings");
    assert_eq!(world.call(caller).channels.len(), 3, "number, trunk in, trunk out");
    world.final_answer(outside, 486);
    world.run();
    assert_eq!(world.call(caller).channels.len(), 2);
    let second = world.call_in(crate::tests::acme::NUMBER);
    refer(&mut world, anna, "78125550000");
    assert!(world.are_joined(caller, anna), "no channel is left");
    assert_ne!(world.stage(second), "over");
}

/// Anna calls Boris; which calls are recorded is given.
fn colleagues(recorded: RecordedCalls) -> (World, usize, usize) {
    let mut config = crate::tests::acme::config();
    config.recording.calls = recorded;
    let mut world = World::of(config);
    ["101", "102", "190"].into_iter().for_each(|extension| world.register(extension));
    let anna = world.call_from("101", "102");
    world.run();
    let boris = world.pick_up("102");
    (world, anna, boris)
}

#[test]
fn a_recording_keeps_whoever_stays_on_their_channel() {
    let (mut world, anna, boris) = colleagues(RecordedCalls::All);
    let call = world.call(anna).id;
    let channels = |world: &World| {
        let recording = world.sessions[&call].recording.clone().expect("a recording");
        [recording.left, recording.right]
    };
    let leg = |world: &World, end: usize| world.ends[end].leg.clone();
    assert_eq!(channels(&world), [leg(&world, anna), leg(&world, boris)]);
    refer(&mut world, anna, "190");
    let desk = world.pick_up("190");
    assert_eq!(channels(&world), [leg(&world, desk), leg(&world, boris)]);
}

#[test]
fn a_call_between_employees_is_an_outside_one_once_it_is_sent_outside() {
    let (mut world, anna, boris) = colleagues(RecordedCalls::External);
    let call = world.call(anna).id;
    refer(&mut world, anna, "78125550000");
    let outside = world.ringing("78125550000").expect("it rings");
    world.final_answer(outside, 486);
    world.run();
    assert!(world.are_joined(anna, boris));
    assert_eq!((world.call(anna).trunk.clone(), world.sessions[&call].recording.clone()), (None, None));
    refer(&mut world, anna, "78125550000");
    let outside = world.pick_up("78125550000");
    assert!(world.are_joined(boris, outside));
    assert_eq!(world.call(boris).trunk.as_deref(), Some("carrier"));
    assert!(world.sessions[&call].recording.is_some());
}
