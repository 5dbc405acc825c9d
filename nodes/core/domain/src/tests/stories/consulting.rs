//! Asking a colleague beside a talk, and attended transfer.

use mangrove_proto::live::AgentState;

use crate::{
    Effects,
    cause::Cause,
    line::Fact,
    scene,
    tests::{
        far_end::image,
        world::{World, tenant_id},
    },
};

/// A customer with Anna, who asks somebody beside that: the world, the customer, Anna's first phone line and her second.
fn asking(whom: &str) -> (World, usize, usize, usize) {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    let second = world.call_from("101", whom);
    world.run();
    (world, caller, anna, second)
}

/// The party in `line` asks that the other of that call talk with the other of the call of `named`.
fn refer(world: &mut World, line: usize, named: &str) {
    let names = named.replace(';', "%3B").replace('=', "%3D").replace('@', "%40");
    let to = format!("Refer-To: <sip:102@acme.example?Replaces={names}&Require=replaces>\r\n");
    world.request(line, "REFER", &to, "");
}

/// The same, of the call that `other` is in.
fn refer_to(world: &mut World, line: usize, other: usize) {
    let named = world.ends[other].names();
    refer(world, line, &named);
}

fn said(world: &World, end: usize) -> Option<String> {
    let words = world.ends[end].words();
    words.into_iter().rfind(|word| word.ends_with(" REFER"))
}

#[test]
fn the_two_talk_and_who_was_between_them_leaves() {
    let (mut world, caller, anna, second) = asking("102");
    let boris = world.pick_up("102");
    assert!(world.are_joined(caller, anna) && world.are_joined(second, boris));
    world.pass(2_000);
    refer_to(&mut world, anna, second);
    assert!(world.are_joined(caller, boris));
    let told = world.ends[anna].words();
    assert!(told.ends_with(&["202 REFER".into(), "NOTIFY".into(), "BYE".into()]), "{told:?}");
    let notify = world.ends[anna].heard.iter().rev().nth(1).expect("a NOTIFY");
    assert!(String::from_utf8_lossy(notify.body()).starts_with("SIP/2.0 200"), "{notify:?}");
    assert!(world.ends[second].was_told("BYE"));
    assert!(world.ends[boris].was_told("INVITE"), "his sound goes elsewhere");
    assert!(!world.ends[caller].was_told("INVITE"), "and the customer's does not");
    assert_eq!(world.agent("anna").state(), AgentState::WrapUp);
    assert_eq!(world.agent("boris").engaged.map(|engaged| engaged.call), Some(world.call(caller).id));
    let recording = world.sessions[&world.call(caller).id].recording.clone().expect("the same recording");
    assert_eq!((&recording.left, &recording.right), (&world.ends[caller].leg, &world.ends[boris].leg));
    world.pass(1_000);
    world.hang_up(boris);
    assert!(world.ends[caller].was_told("BYE"));
    world.pass(10_000);
    let records = world.records();
    let of = |cause: &str| records.iter().find(|cdr| cdr.cause == cause).expect("a record");
    let (first, asked) = (of("hung-up"), of("transferred"));
    assert_eq!((&first.employee, first.talk_ms), (&Some("boris".into()), 3_000));
    let roles: Vec<_> = first.legs.iter().map(|leg| (leg.role.as_str(), leg.cause.as_str())).collect();
    assert!(
        roles.contains(&("offer", "transferred")) && roles.contains(&("transfer", "hung-up")),
        "{roles:?}"
    );
    assert_eq!((asked.caller.as_str(), asked.called.as_str(), asked.talk_ms), ("101", "102", 2_000));
    let colleague = asked.legs.iter().find(|leg| leg.employee == Some("boris".into())).expect("his leg");
    assert_eq!((colleague.role.as_str(), colleague.cause.as_str()), ("offer", "transferred"));
    assert_eq!((colleague.answered.is_some(), colleague.packets_received), (true, 7));
    assert_eq!((colleague.ended, asked.legs.len()), (asked.ended, 2));
    assert_eq!(records.len(), 2);
}

#[test]
fn who_has_offered_a_fax_that_waits_is_refused_before_being_handed_on() {
    let (mut world, caller, anna, second) = asking("102");
    let boris = world.pick_up("102");
    world.ends[second].fax = 0;
    world.request(boris, "INVITE", "", &image(5_000, "T38FaxVersion:0", 2));
    assert!(!world.ends[boris].was_told("488 INVITE"), "the other is asked");
    refer_to(&mut world, anna, second);
    assert!(world.are_joined(caller, boris) && world.ends[boris].was_told("488 INVITE"));
    assert!(world.ends[boris].was_told("INVITE"), "where to send his sound from now on");
}

#[test]
fn what_is_said_in_a_call_beside_the_one_in_hand_is_heard_there() {
    let (mut world, caller, _, second) = asking("102");
    let boris = world.pick_up("102");
    let (first, other) = (world.call(caller).id, world.call(second).id);
    let leg = world.ends[boris].leg.parse().expect("a leg");
    let (stamp, mut effects) = (world.stamp(), Effects::default());
    scene::play(&mut world.state, &tenant_id(), stamp, &mut effects, |scene| {
        scene.with_call(first, |_, scene| {
            let beside = scene.tenant.call(other).expect("the other call").clone();
            scene.facts.push_back((leg, Fact::Left(Cause::HungUp)));
            scene.put_beside(beside);
        });
    });
    assert_eq!((world.stage(caller), world.stage(second)), ("talking", "over"));
}

#[test]
fn it_may_be_asked_for_in_either_call() {
    let (mut world, caller, anna, second) = asking("102");
    let boris = world.pick_up("102");
    let call = world.call(caller).id;
    refer_to(&mut world, second, anna);
    assert_eq!(said(&world, second).as_deref(), Some("202 REFER"));
    assert!(world.are_joined(caller, boris));
    assert_eq!((world.call(boris).id, world.stage(second)), (call, "over"), "the customer's call goes on");
}

#[test]
fn whom_a_queue_gave_has_after_call_work_when_the_joined_call_ends() {
    let (mut world, caller, anna, second) = asking("200");
    let boris = world.pick_up("102");
    refer_to(&mut world, anna, second);
    assert!(world.are_joined(caller, boris));
    assert_eq!(world.agent("boris").wrap_up, None);
    world.hang_up(caller);
    assert_eq!(world.agent("boris").state(), AgentState::WrapUp);
}

#[test]
fn an_outside_number_takes_its_channel_along() {
    let (mut world, caller, anna, second) = asking("78125550000");
    let outside = world.pick_up("78125550000");
    refer_to(&mut world, anna, second);
    assert!(world.are_joined(caller, outside));
    assert_eq!(world.call(caller).channels.len(), 3, "number, trunk in, trunk out");
    assert!(world.call(second).channels.is_empty());
    world.hang_up(outside);
    assert_eq!(world.stage(caller), "over");
}

#[test]
fn what_can_not_be_joined_is_refused_and_stays_as_it_was() {
    let (mut world, caller, anna, second) = asking("102");
    refer_to(&mut world, anna, second);
    assert_eq!(said(&world, anna).as_deref(), Some("491 REFER"), "it rings still");
    let boris = world.pick_up("102");
    for (named, status) in [
        (world.ends[boris].names(), 481),
        (world.ends[caller].names(), 481),
        (world.ends[anna].names(), 481),
        ("caller-0;to-tag=a.leg_1-1;from-tag=tag0".into(), 481),
        ("nobody".into(), 400),
    ] {
        refer(&mut world, anna, &named);
        assert_eq!(said(&world, anna), Some(format!("{status} REFER")), "{named}");
    }
    refer_to(&mut world, boris, second);
    assert_eq!(said(&world, boris).as_deref(), Some("481 REFER"), "it is none of his");
    assert!(world.are_joined(caller, anna) && world.are_joined(second, boris));
}

#[test]
fn one_call_may_be_made_beside_a_talk_and_no_more() {
    let (mut world, _, _, second) = asking("102");
    let third = world.call_from("101", "190");
    world.run();
    assert!(world.ends[third].was_told("486 INVITE"));
    assert_eq!(world.agent("anna").consults, Some(world.call(second).id));
    world.cancel(second);
    assert_eq!(world.agent("anna").consults, None);
    let fourth = world.call_from("101", "190");
    world.run();
    assert_eq!(world.stage(fourth), "ringing");
}

#[test]
fn what_was_made_beside_a_call_outlives_it() {
    let (mut world, caller, _, second) = asking("102");
    world.pick_up("102");
    world.hang_up(caller);
    let anna = world.agent("anna");
    assert_eq!((anna.state(), anna.consults), (AgentState::Busy, None));
    assert_eq!(anna.engaged.map(|engaged| engaged.call), Some(world.call(second).id));
    world.hang_up(second);
    assert_eq!(world.agent("anna").state(), AgentState::WrapUp);
}

#[test]
fn under_earlier_rules_a_person_has_one_call() {
    let mut world = World::acme();
    world.talking("101");
    let second = world.call_from("101", "102");
    world.run();
    assert!(world.ends[second].was_told("486 INVITE"));
}
