//! Whose WebSocket closes under a talk is waited for.

use mangrove_proto::{
    edge::{Failed, edge_command::Op, edge_event::Fact, failed::Reason},
    live::AgentState,
};
use mangrove_sip::{Message, Transport};

use crate::{
    Action, Command, NodeInfo,
    call::away::PATIENCE_MS,
    rules::NEWEST,
    tests::{
        acme,
        far_end::sdp,
        world::{Pending, World},
    },
};

/// The Contact of a page's dialog.
const PAGE: &str = "sip:101@10.0.1.101:5060";

/// A customer who talks with Anna's page.
fn talking_page() -> (World, usize, usize) {
    let mut world = World::of(acme::config());
    let contacts = vec![(Transport::Udp, "10.0.0.1:5060".into()), (Transport::Ws, "10.0.0.1:8080".into())];
    world.command(Command::NodeAnnounced { node: NodeInfo { name: "e1".into(), contacts, media: false } });
    world.register_page("101", "flow-1", PAGE);
    let (caller, anna) = world.talking("101");
    (world, caller, anna)
}

fn raised_page() -> (World, usize, usize) {
    let (mut world, caller, anna) = talking_page();
    world.command(Command::RaiseRules { to: NEWEST });
    (world, caller, anna)
}

fn is_waited_for(world: &World, caller: usize) -> bool {
    world.plays(caller).is_some_and(|play| play.prompts == ["music/default"])
}

fn is_reached_by(world: &World, end: usize, flow: &str) -> bool {
    let leg = world.ends[end].leg.parse().expect("a leg");
    world.call(end).party(leg).is_some_and(|party| party.line.hangs_on(flow))
}

#[test]
fn the_other_hears_music_until_time_is_up() {
    let (mut world, caller, anna) = raised_page();
    world.pass(1_000);
    world.close("flow-1");
    assert!(is_waited_for(&world, caller) && world.call(caller).held_since.is_some());
    world.pass(PATIENCE_MS - 1);
    assert_eq!(world.stage(caller), "talking");
    world.close("flow-1");
    world.pass(1);
    assert_eq!(world.stage(caller), "over");
    assert!(world.ends[caller].was_told("BYE") && world.ends[anna].was_told("BYE"));
    world.pass(10_000);
    let cdr = world.record();
    assert_eq!(
        (cdr.cause.as_str(), cdr.talk_ms, cdr.hold_ms),
        ("far-end-gone", 1_000 + PATIENCE_MS, PATIENCE_MS)
    );
}

#[test]
fn a_request_over_another_connection_brings_it_back() {
    let (mut world, caller, anna) = raised_page();
    world.close("flow-1");
    world.pass(PATIENCE_MS - 1);
    world.request_over(anna, "flow-2", "INVITE", &sdp(4300, "sendrecv", 2));
    assert!(world.are_joined(caller, anna) && is_reached_by(&world, anna, "flow-2"));
    world.silent(anna, 30_500);
    assert_eq!(world.stage(caller), "talking", "it could not be heard");
    world.pass(2 * PATIENCE_MS);
    assert_eq!(world.stage(caller), "talking");
    world.close("flow-2");
    assert!(is_waited_for(&world, caller));
}

#[test]
fn registering_under_the_dialogs_contact_brings_it_back() {
    let (mut world, caller, anna) = raised_page();
    world.close("flow-1");
    world.register_over_websocket("101", "flow-2");
    assert!(is_waited_for(&world, caller), "another page of hers");
    world.register_page_for("101", "flow-4", PAGE, 0);
    assert!(is_waited_for(&world, caller), "it only says that it leaves");
    world.register_page("101", "flow-3", PAGE);
    assert!(world.are_joined(caller, anna) && is_reached_by(&world, anna, "flow-3"));
    assert!(!world.ends[anna].was_told("INVITE"), "she knows all that there is to know");
}

/// How often a far end was offered the second media node's address.
fn offers(world: &World, end: usize) -> usize {
    let is_offer = |message: &&Message| {
        message.method().as_str() == "INVITE" && String::from_utf8_lossy(message.body()).contains("10.0.0.3")
    };
    world.ends[end].heard.iter().filter(is_offer).count()
}

#[test]
fn who_comes_back_is_told_a_media_address_that_changed_meanwhile() {
    let (mut world, caller, anna) = raised_page();
    world.close("flow-1");
    world.command(Command::NodeAnnounced {
        node: NodeInfo { name: "m2".into(), contacts: vec![], media: true },
    });
    world.command(Command::NodeLost { name: "m1".into(), tells: true });
    while !world.pending.is_empty() {
        world.pending.retain(|pending| !matches!(pending, Pending::Sip(end, _) if *end == anna));
        world.deliver_next();
    }
    assert_eq!(offers(&world, anna), 1, "over the connection that is gone");
    let branch = world.ends[anna].heard.last().and_then(Message::branch).expect("ours");
    let failed = Failed { reason: Reason::TransportFailed.into(), branch, method: "INVITE".into() };
    let leg = world.ends[anna].leg.clone();
    world.edge(&leg, Fact::Failed(failed));
    assert_eq!(offers(&world, anna), 1);
    world.register_page("101", "flow-2", PAGE);
    assert_eq!(offers(&world, anna), 2);
    world.run();
    assert!(world.are_joined(caller, anna));
    world.register_page("101", "flow-2", PAGE);
    assert_eq!(offers(&world, anna), 2, "once is enough");
}

#[test]
fn a_dialog_that_nobody_answered_stays_with_its_connection() {
    let (mut world, ..) = raised_page();
    world.register("102");
    let page = world.call_over("190", "flow-7", "102", None);
    world.run();
    assert_eq!(world.stage(page), "ringing");
    let contact = world.ends[page].invite.contact().ok().flatten().expect("a Contact").uri.to_string();
    world.register_page("190", "flow-8", &contact);
    assert!(is_reached_by(&world, page, "flow-7"));
    world.pick_up("102");
    world.register_page("190", "flow-9", &contact);
    assert!(is_reached_by(&world, page, "flow-9"));
}

#[test]
fn who_has_registered_anew_before_is_not_away() {
    let (mut world, caller, anna) = raised_page();
    world.register_page("101", "flow-2", PAGE);
    world.close("flow-1");
    assert!(world.are_joined(caller, anna) && is_reached_by(&world, anna, "flow-2"));
}

#[test]
fn a_page_that_was_loaded_anew_takes_its_former_place() {
    let (mut world, caller, anna) = raised_page();
    world.close("flow-1");
    world.pass(3_000);
    let page = world.call_replacing("101", &world.ends[anna].names());
    world.run();
    assert!(world.are_joined(caller, page));
    world.pass(2 * PATIENCE_MS);
    assert_eq!(world.stage(caller), "talking");
    world.hang_up(caller);
    assert!(world.ends[page].was_told("BYE"));
    world.pass(10_000);
    assert_eq!(world.record().hold_ms, 3_000);
}

fn byes(world: &World, end: usize) -> usize {
    world.ends[end].words().iter().filter(|word| *word == "BYE").count()
}

/// The customer hangs up, and nothing that a page is sent or says gets through.
fn hang_up_unheard(world: &mut World, caller: usize, page: usize) {
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye);
    while !world.pending.is_empty() {
        world.pending.retain(|pending| !matches!(pending, Pending::Sip(end, _) if *end == page));
        world.deliver_next();
    }
}

fn fail_bye(world: &mut World, page: usize) {
    let branch = world.ends[page].heard.last().and_then(Message::branch).expect("ours");
    let failed = Failed { reason: Reason::TransportFailed.into(), branch, method: "BYE".into() };
    let leg = world.ends[page].leg.clone();
    world.edge(&leg, Fact::Failed(failed));
}

#[test]
fn a_page_whose_call_ended_meanwhile_is_told_when_it_registers_again() {
    // The BYE failed at once; or nobody has noticed yet that the connection is dead.
    for is_known in [true, false] {
        let (mut world, caller, anna) = raised_page();
        if is_known {
            world.close("flow-1");
        }
        hang_up_unheard(&mut world, caller, anna);
        if is_known {
            fail_bye(&mut world, anna);
        }
        assert_eq!((world.stage(caller), byes(&world, anna)), ("over", 1));
        world.pass(3_000);
        world.register_over_websocket("101", "flow-2");
        assert_eq!(byes(&world, anna), 1, "another page of hers");
        world.register_page("101", "flow-3", PAGE);
        assert_eq!(byes(&world, anna), 2);
        assert!(is_reached_by(&world, anna, "flow-3"));
        world.run();
        world.register_page("101", "flow-4", PAGE);
        assert_eq!(byes(&world, anna), 2, "it has answered");
    }
}

/// Where the last command's request went: the address, and the connection.
fn went(world: &World, method: &str) -> Option<(String, String)> {
    world.last.actions.iter().find_map(|effect| {
        let Action::Edge { command, .. } = &effect.action else { return None };
        let Some(Op::Request(request)) = &command.op else { return None };
        let to = request.destination.as_ref().filter(|_| request.method == method)?;
        Some((to.address.clone(), to.flow.clone()))
    })
}

#[test]
fn a_phone_over_tcp_that_registers_again_is_reached_by_that_connection_and_else_at_its_contact() {
    let mut world = World::of(acme::config());
    world.command(Command::RaiseRules { to: NEWEST });
    let register = |world: &mut World, port: u16, flow: &str| {
        let contact = format!("Contact: <{PAGE}>;expires=3600\r\n");
        world.register_as("101", "101@acme.example", &contact, &format!("10.0.1.101:{port}"), flow);
    };
    register(&mut world, 40_001, "tcp-1");
    let (caller, anna) = world.talking("101");
    register(&mut world, 40_002, "tcp-2");
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye);
    // The port that it connected from is nobody's once the connection is gone.
    assert_eq!(went(&world, "BYE"), Some(("10.0.1.101:5060".into(), "tcp-2".into())));
    world.run();
    assert!(world.ends[anna].was_told("BYE"));
}

#[test]
fn nobody_is_rung_for_a_caller_who_is_away() {
    let (mut world, ..) = raised_page();
    world.register("102");
    let page = world.call_over("190", "flow-7", "200", None);
    world.run();
    let contact = world.ends[page].invite.contact().ok().flatten().expect("a Contact").uri.to_string();
    let first = world.ringing("102").expect("boris rings");
    world.close("flow-7");
    assert!(world.ends[first].was_told("CANCEL"), "{:?}", world.ends[first].words());
    assert_eq!((world.agent("boris").state(), world.agent("boris").misses), (AgentState::Available, 0));
    world.pass(10_000);
    assert_eq!((world.ringing("102"), world.stage(page)), (None, "waiting"));
    world.register_page("190", "flow-8", &contact);
    world.run();
    let boris = world.pick_up("102");
    assert!(world.are_joined(page, boris));
}

#[test]
fn whoever_takes_the_place_of_a_caller_who_was_away_is_served() {
    let (mut world, ..) = raised_page();
    world.register("102");
    let page = world.call_over("190", "flow-7", "200", None);
    world.run();
    world.close("flow-7");
    assert_eq!(world.ringing("102"), None);
    let again = world.call_over("190", "flow-8", "190", Some(&world.ends[page].names()));
    world.run();
    let boris = world.pick_up("102");
    assert!(world.are_joined(again, boris));
}

#[test]
fn a_change_of_the_lead_gives_more_time() {
    let (mut world, caller, _) = raised_page();
    world.close("flow-1");
    world.command(Command::LeaderStarted { gap_ms: 5_000 });
    world.pass(PATIENCE_MS + 4_999);
    assert_eq!(world.stage(caller), "talking");
    world.pass(1);
    assert_eq!(world.stage(caller), "over");
}

#[test]
fn under_earlier_rules_the_talk_goes_on_as_if_nothing_were() {
    let (mut world, caller, anna) = talking_page();
    world.close("flow-1");
    world.pass(2 * PATIENCE_MS);
    assert!(world.are_joined(caller, anna));
}
