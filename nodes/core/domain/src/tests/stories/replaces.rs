//! A person goes on in a call of theirs by another phone (RFC 3891).

use mangrove_proto::{live::AgentState, media::SetSession};
use mangrove_sip::{Message, Transport};

use crate::{
    AgentWish, Command, NodeInfo,
    tests::{
        acme,
        world::{Pending, World},
    },
};

fn reason(world: &World, end: usize, method: &str) -> Option<String> {
    let heard = world.ends[end].heard.iter().rev().find(|message| message.method().as_str() == method)?;
    heard.header("Reason").map(str::to_owned)
}

fn session(world: &World, end: usize) -> SetSession {
    world.sessions[&world.call(end).id].clone()
}

#[test]
fn the_new_phone_takes_the_old_ones_place_in_the_talk_and_in_the_recording() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    let before = session(&world, caller).recording.expect("a recording");
    assert_eq!(before.right, world.ends[anna].leg);
    let page = world.call_replacing("101", &world.ends[anna].names());
    world.run();
    assert!(world.are_joined(caller, page));
    assert_eq!(world.ends[page].words(), ["100 INVITE", "200 INVITE"]);
    assert!(reason(&world, anna, "BYE").is_some_and(|reason| reason.contains("completed elsewhere")));
    let after = session(&world, caller).recording.expect("the same recording");
    assert_eq!((&after.id, &after.left, &after.right), (&before.id, &before.left, &world.ends[page].leg));
    assert_eq!(world.agent("anna").state(), AgentState::Busy);
    world.hang_up(page);
    assert!(world.ends[caller].was_told("BYE"));
    assert_eq!(world.agent("anna").state(), AgentState::WrapUp);
    world.pass(10_000);
    let cdr = world.record();
    assert_eq!((cdr.employee, cdr.cause.as_str()), (Some("anna".into()), "hung-up"));
    let causes: Vec<_> = cdr.legs.iter().map(|leg| (leg.role.as_str(), leg.cause.as_str())).collect();
    assert!(causes.contains(&("offer", "replaced")) && causes.contains(&("offer", "hung-up")), "{causes:?}");
}

#[test]
fn who_called_may_go_on_by_another_phone_too() {
    let mut world = World::raised();
    let desk = world.call_from("190", "101");
    world.run();
    let anna = world.pick_up("101");
    let page = world.call_replacing("190", &world.ends[desk].names());
    world.run();
    assert!(world.are_joined(page, anna));
    world.hang_up(page);
    world.pass(10_000);
    let cdr = world.record();
    assert_eq!((cdr.ended_by, cdr.legs.len()), (mangrove_proto::live::EndedBy::Caller, 3));
}

#[test]
fn a_place_in_line_is_kept() {
    let mut world = World::raised();
    ["anna", "boris"].into_iter().for_each(|id| world.wish(id, AgentWish::Break(None)));
    let desk = world.call_from("190", "200");
    world.run();
    world.queued();
    assert_eq!(world.stage(desk), "waiting");
    let call = world.call(desk).id;
    let page = world.call_replacing("190", &world.ends[desk].names());
    world.run();
    assert_eq!((world.stage(page), world.call(page).id), ("waiting", call));
    assert_eq!(world.plays(page).expect("music").prompts, ["music/default"]);
    let line = world.tenant().queue(&"200".into()).expect("a line").waiting.clone();
    assert_eq!(line.get_min().map(|(_, first)| *first), Some(call));
    world.wish("anna", AgentWish::Available);
    world.run();
    let anna = world.pick_up("101");
    assert!(world.are_joined(page, anna));
}

#[test]
fn a_phone_that_rings_may_be_answered_by_another() {
    let mut world = World::raised();
    let caller = world.queued();
    let rings = world.ringing("101").expect("it rings");
    let page = world.call_replacing("101", &format!("{};early-only", world.ends[rings].names()));
    world.run();
    assert!(world.are_joined(caller, page));
    assert!(reason(&world, rings, "CANCEL").is_some_and(|reason| reason.contains("completed elsewhere")));
    assert_eq!(world.agent("anna").state(), AgentState::Busy);
}

#[test]
fn a_phone_that_answers_first_leaves_the_other_without_a_place() {
    let mut world = World::raised();
    let caller = world.queued();
    let rings = world.ringing("101").expect("it rings");
    let page = world.call_replacing("101", &world.ends[rings].names());
    world.final_answer(rings, 486);
    world.run();
    assert!(world.ends[page].was_told("603 INVITE"), "{:?}", world.ends[page].words());
    assert_eq!(world.stage(caller), "waiting");
    assert_eq!(world.agent("anna").engaged, None);
}

#[test]
fn a_phone_that_picks_up_itself_keeps_the_call() {
    let mut world = World::raised();
    let caller = world.queued();
    let rings = world.ringing("101").expect("it rings");
    let page = world.call_replacing("101", &world.ends[rings].names());
    assert_eq!(world.pick_up("101"), rings);
    assert!(world.ends[page].was_told("603 INVITE"), "{:?}", world.ends[page].words());
    assert!(world.are_joined(caller, rings) && !world.ends[rings].was_told("BYE"));
}

#[test]
fn strangers_learn_nothing() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    let answer = |world: &mut World, extension: &str, names: &str| {
        let asked = world.call_replacing(extension, names);
        world.run();
        world.ends[asked].words()
    };
    let (annas, callers) = (world.ends[anna].names(), world.ends[caller].names());
    let unknown = annas.replace("phone", "other");
    for (extension, names) in [("102", &annas), ("101", &callers), ("101", &unknown), ("102", &unknown)] {
        assert_eq!(answer(&mut world, extension, names), ["481 INVITE"], "{extension} {names}");
    }
    assert!(world.are_joined(caller, anna));
    assert_eq!(world.tenant().calls().count(), 1);
}

#[test]
fn what_can_not_be_replaced_is_refused() {
    let mut world = World::raised();
    let desk = world.call_from("190", "101");
    world.run();
    let names = world.ends[desk].names();
    let answer = |world: &mut World, names: &str| {
        let asked = world.call_replacing("190", names);
        world.run();
        world.ends[asked].words().pop()
    };
    assert_eq!(answer(&mut world, &names).as_deref(), Some("481 INVITE"), "they began it, and it rings");
    world.pick_up("101");
    assert_eq!(answer(&mut world, "no dialog").as_deref(), Some("400 INVITE"));
    assert_eq!(answer(&mut world, &format!("{names};early-only")).as_deref(), Some("486 INVITE"));
    world.hang_up(desk);
    assert_eq!(answer(&mut world, &names).as_deref(), Some("603 INVITE"));
    world.pass(10_000);
    assert_eq!(world.record().cause, "hung-up");
}

#[test]
fn an_invite_that_comes_again_or_is_given_up_concerns_its_own_leg() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    let page = world.call_replacing("101", &world.ends[anna].names());
    let invite = world.ends[page].invite.to_bytes();
    world.outside(page, invite);
    assert_eq!(world.ends[page].words(), ["100 INVITE", "100 INVITE"]);
    let cancel = world.ends[page].cancel();
    world.outside(page, cancel);
    world.run();
    assert!(world.ends[page].was_told("487 INVITE"));
    assert!(world.are_joined(caller, anna));
    let page = world.call_replacing("101", &world.ends[anna].names());
    world.run();
    let invite = world.ends[page].invite.to_bytes();
    world.outside(page, invite);
    assert!(world.are_joined(caller, page));
    assert_eq!(world.tenant().calls().count(), 1);
}

#[test]
fn who_gets_no_media_address_gets_no_place() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    let page = world.call_replacing("101", &world.ends[anna].names());
    world.pending.retain(|pending| !matches!(pending, Pending::Media(..)));
    world.pass(9_999);
    assert_eq!(world.ends[page].words(), ["100 INVITE"]);
    world.pass(1);
    assert!(world.ends[page].was_told("503 INVITE"), "{:?}", world.ends[page].words());
    assert!(world.are_joined(caller, anna) && !world.ends[anna].was_told("BYE"));
}

#[test]
fn whose_connection_is_gone_gets_no_place() {
    let close = |world: &mut World| world.close("flow-7");
    let lose = |world: &mut World| {
        let contacts = vec![(Transport::Udp, "10.0.0.9:5060".into())];
        world
            .command(Command::NodeAnnounced { node: NodeInfo { name: "e2".into(), contacts, media: false } });
        world.command(Command::NodeLost { name: "e1".into(), tells: true });
        world.run();
    };
    let ways: [&dyn Fn(&mut World); 2] = [&close, &lose];
    for goes in ways {
        let mut world = World::raised();
        let (caller, anna) = world.talking("101");
        let page = world.call_over("101", "flow-7", "101", Some(&world.ends[anna].names()));
        goes(&mut world);
        assert!(world.ends[page].was_told("603 INVITE"), "{:?}", world.ends[page].words());
        assert!(world.are_joined(caller, anna) && !world.ends[anna].was_told("BYE"));
        assert_eq!(world.stage(caller), "talking");
    }
}

/// The carrier calls with these headers.
fn carrier(world: &mut World, headers: &str) -> usize {
    let with = format!("Max-Forwards: 70\r\n{headers}");
    let caller = world.call_in_with(acme::NUMBER, "Max-Forwards: 70", &with);
    world.run();
    caller
}

#[test]
fn a_trunk_that_requires_the_extension_is_served_and_has_no_dialog_to_name() {
    let mut world = World::raised();
    let plain = carrier(&mut world, "Require: replaces");
    assert!(world.ends[plain].was_told("200 INVITE"), "{:?}", world.ends[plain].words());
    world.finish_prompt(plain);
    let anna = world.pick_up("101");
    assert!(world.are_joined(plain, anna));
    for names in [world.ends[plain].names(), world.ends[anna].names(), "no-such;to-tag=a;from-tag=b".into()] {
        let asked = carrier(&mut world, &format!("Require: replaces\r\nReplaces: {names}"));
        assert_eq!(world.ends[asked].words(), ["481 INVITE"], "{names}");
    }
    let broken = carrier(&mut world, "Require: replaces\r\nReplaces: nobody");
    assert_eq!(world.ends[broken].words(), ["400 INVITE"]);
    assert!(world.are_joined(plain, anna));

    let mut world = World::acme();
    let refused = carrier(&mut world, "Require: replaces");
    assert_eq!(world.ends[refused].words(), ["420 INVITE"], "under earlier rules");
}

#[test]
fn phones_are_told_that_dialogs_can_be_replaced_and_trunks_are_not() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    let out = world.call_from("190", "78125550000");
    world.run();
    let outside = world.pick_up("78125550000");
    let offers = |messages: Vec<&Message>| -> Vec<bool> {
        let described = messages.into_iter().filter(|message| message.header("Supported").is_some());
        described.map(|message| message.has_token("Supported", "replaces")).collect()
    };
    for (end, expected) in [(caller, false), (outside, false), (anna, true), (out, true)] {
        let mut told: Vec<&Message> = world.ends[end].heard.iter().collect();
        told.extend(Some(&world.ends[end].invite).filter(|_| !world.ends[end].calls));
        let offered = offers(told);
        assert!(!offered.is_empty() && offered.iter().all(|said| *said == expected), "{end}: {offered:?}");
    }
}

#[test]
fn under_earlier_rules_it_is_an_invite_as_any_other() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    let page = world.call_replacing("101", &world.ends[anna].names());
    world.run();
    assert!(world.ends[page].was_told("486 INVITE"), "{:?}", world.ends[page].words());
    assert!(world.are_joined(caller, anna));
}
