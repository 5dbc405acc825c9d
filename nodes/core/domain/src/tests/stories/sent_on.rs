//! Transfers by wish: what a page asks for, whatever the phone is.

use mangrove_proto::{id::EmployeeId, live::AgentState};

use crate::{
    Ask, Author, CallWish, Command, Record, Reply,
    tests::world::{World, tenant_id},
    view,
};

/// Somebody's wish, or the company's machine's, about the call of a far end.
fn wish(world: &mut World, end: usize, by: Option<&str>, to: &str, ask: Option<Ask>) -> Reply {
    let (tenant, call) = (tenant_id(), world.call(end).id);
    let wish = CallWish::Transfer { by: by.map(EmployeeId::from), to: to.into() };
    let reply = world.command(Command::CommandCall { tenant, call, wish, author: Author::default(), ask });
    world.run();
    reply
}

fn refusal(reply: Reply) -> String {
    match reply {
        Reply::Refused { why } => why,
        other => panic!("it is not refused: {other:?}"),
    }
}

/// Before and after of all transfers in the audit log.
fn audits(world: &World) -> Vec<(String, String)> {
    let transfers = world.state.outbox().filter_map(|(_, record)| match record {
        Record::Audit(audit) if audit.change.action == "transfer" => Some(audit.change.clone()),
        _ => None,
    });
    transfers.map(|change| (change.before, change.after)).collect()
}

#[test]
fn the_caller_goes_to_a_colleague_and_no_phone_is_told_how_it_goes() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    assert_eq!(wish(&mut world, caller, Some("anna"), "190", None), Reply::Done);
    assert_eq!(world.stage(caller), "transferring");
    assert_eq!(world.plays(caller).expect("music").prompts, ["music/default"]);
    assert!(!world.ends[anna].was_told("BYE"));
    let desk = world.pick_up("190");
    assert!(world.are_joined(caller, desk));
    assert!(world.ends[anna].was_told("BYE") && !world.ends[anna].was_told("NOTIFY"));
    assert_eq!(world.agent("anna").state(), AgentState::WrapUp);
    assert_eq!(audits(&world), [("employee/anna".to_owned(), "employee/desk".to_owned())]);
    world.pass(1_000);
    world.hang_up(caller);
    assert_eq!(world.record().employee, Some("desk".into()));
}

#[test]
fn the_caller_goes_to_a_groups_queue_or_outside() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    assert_eq!(wish(&mut world, caller, Some("anna"), "200", None), Reply::Done);
    assert_eq!(world.stage(caller), "waiting");
    assert!(world.ends[anna].was_told("BYE"));
    let boris = world.pick_up("102");
    assert!(world.are_joined(caller, boris));
    assert_eq!(wish(&mut world, caller, Some("boris"), "+7 812 555-00-00", None), Reply::Done);
    let outside = world.pick_up("78125550000");
    assert!(world.are_joined(caller, outside));
    let after: Vec<String> = audits(&world).into_iter().map(|(_, after)| after).collect();
    assert_eq!(after, ["group/200", "outside"]);
}

#[test]
fn who_does_not_answer_leaves_the_two_with_each_other() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    for status in [486, 603] {
        assert_eq!(wish(&mut world, caller, Some("anna"), "190", None), Reply::Done);
        let desk = world.ringing("190").expect("190 rings");
        world.final_answer(desk, status);
        world.run();
        assert!(world.are_joined(caller, anna), "{status}");
    }
    assert!(!world.ends[anna].was_told("NOTIFY"));
}

#[test]
fn what_can_not_be_is_refused_in_words_and_the_two_talk_on() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    let busy = world.call_from("102", "190");
    world.run();
    let ringing = wish(&mut world, busy, Some("boris"), "101", None);
    assert!(refusal(ringing).contains("nobody talks"));
    for (to, word) in [("999", "nobody has the number"), ("102", "is in a call"), ("110", "no phone")] {
        let why = refusal(wish(&mut world, caller, Some("anna"), to, None));
        assert!(why.contains(word), "{to}: {why}");
        assert!(world.are_joined(caller, anna), "{to}");
    }
    assert!(audits(&world).is_empty());
}

#[test]
fn one_wish_counts_once_and_another_waits_for_its_end() {
    let mut world = World::raised();
    let (caller, _) = world.talking("101");
    let ask = |number| Some(Ask { asker: 7, number });
    assert_eq!(wish(&mut world, caller, Some("anna"), "190", ask(2)), Reply::Done);
    assert_eq!(wish(&mut world, caller, Some("anna"), "190", ask(2)), Reply::Seen);
    let late = wish(&mut world, caller, Some("anna"), "102", ask(1));
    assert!(matches!(late, Reply::Conflict { .. }), "{late:?}");
    let why = refusal(wish(&mut world, caller, Some("anna"), "102", ask(3)));
    assert!(why.contains("under way"), "{why}");
    world.pick_up("190");
    assert_eq!(
        wish(&mut world, caller, Some("anna"), "190", ask(2)),
        Reply::Seen,
        "nothing is sent on again"
    );
    assert_eq!(audits(&world).len(), 1);
}

#[test]
fn of_two_colleagues_who_wishes_it_leaves_and_for_others_it_is_who_was_called() {
    for (by, leaves) in
        [(Some("anna"), "anna"), (Some("boris"), "boris"), (Some("vera"), "boris"), (None, "boris")]
    {
        let mut world = World::raised();
        let anna = world.call_from("101", "102");
        world.run();
        let boris = world.pick_up("102");
        assert_eq!(wish(&mut world, anna, by, "190", None), Reply::Done);
        let desk = world.pick_up("190");
        let (gone, stays) = if leaves == "anna" { (anna, boris) } else { (boris, anna) };
        assert!(world.ends[gone].was_told("BYE") && world.are_joined(stays, desk), "{by:?}");
    }
}

#[test]
fn under_rules_that_do_not_know_it_nothing_happens() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    let why = refusal(wish(&mut world, caller, Some("anna"), "190", None));
    assert!(why.contains("upgrade"), "{why}");
    assert!(world.are_joined(caller, anna));
}

#[test]
fn the_picture_says_when_a_wrap_up_ends_by_itself() {
    let mut world = World::raised();
    let (caller, _) = world.talking("101");
    let until = |world: &World| {
        let (now, wall) = (world.now, world.stamp().wall);
        view::agent(world.tenant(), &"anna".into(), now, wall).expect("anna").until
    };
    assert_eq!(until(&world), None);
    world.hang_up(caller);
    let end = world.agent("anna").since.wall + 5_000;
    assert_eq!(until(&world), Some(end));
    world.pass(2_000);
    assert_eq!(until(&world), Some(end), "it is the same later on");
    world.pass(4_000);
    assert_eq!((world.agent("anna").state(), until(&world)), (AgentState::Available, None));
}
