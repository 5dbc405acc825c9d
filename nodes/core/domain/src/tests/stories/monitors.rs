//! Supervisors beside a talk: who hears whom, who is told what, and when they come and go.

use mangrove_proto::{
    live::{AgentState, MonitorMode},
    media::{Recording, endpoint::Hears},
};
use mangrove_sip::Transport;

use crate::{
    Ask, Author, CallWish, Command, Mode, NodeInfo, Record, Reply,
    tests::{
        acme,
        far_end::sdp,
        world::{World, tenant_id},
    },
    view,
};

fn ask(world: &mut World, index: usize, supervisor: &str, mode: Option<Mode>) -> Reply {
    numbered(world, index, (supervisor, mode), None)
}

fn numbered(
    world: &mut World,
    index: usize,
    (supervisor, mode): (&str, Option<Mode>),
    ask: Option<Ask>,
) -> Reply {
    let (call, author) = (world.call(index).id, Author::default());
    let wish = CallWish::Monitor { supervisor: supervisor.into(), mode };
    let reply = world.command(Command::CommandCall { tenant: tenant_id(), call, wish, author, ask });
    world.run();
    reply
}

/// Vera wishes something with the call of a far end, and gets it.
fn wish(world: &mut World, index: usize, mode: Option<Mode>) {
    assert_eq!(ask(world, index, "vera", mode), Reply::Done, "{mode:?}");
}

/// A customer who talks with Anna, and Vera's phone, which rings for it.
fn coming(mode: Mode) -> (World, usize, usize) {
    let mut world = World::raised();
    world.register("110");
    let (caller, anna) = world.talking("101");
    wish(&mut world, caller, Some(mode));
    (world, caller, anna)
}

/// The same, and Vera is there.
fn beside(mode: Mode) -> (World, usize, usize, usize) {
    let (mut world, caller, anna) = coming(mode);
    let vera = world.pick_up("110");
    (world, caller, anna, vera)
}

#[track_caller]
fn assert_hears(world: &World, listener: usize, voices: &[usize]) {
    let mut heard = match world.hears(listener) {
        Some(Hears::Peer(peer)) => vec![peer.endpoint],
        Some(Hears::Mix(mix)) => mix.endpoints,
        Some(Hears::Play(_) | Hears::Echo(_) | Hears::Conference(_)) | None => Vec::new(),
    };
    let mut expected: Vec<String> = voices.iter().map(|voice| world.ends[*voice].leg.clone()).collect();
    heard.sort();
    expected.sort();
    assert_eq!(heard, expected);
}

fn recording(world: &World, index: usize) -> Recording {
    let session = &world.sessions[&world.call(index).id];
    session.recording.clone().expect("a recording")
}

#[test]
fn each_mode_lets_them_be_heard_by_whom_it_says() {
    let (mut world, caller, anna, vera) = beside(Mode::Listen);
    assert_hears(&world, caller, &[anna]);
    assert_hears(&world, anna, &[caller]);
    assert_hears(&world, vera, &[caller, anna]);
    wish(&mut world, caller, Some(Mode::Whisper));
    assert_hears(&world, caller, &[anna]);
    assert_hears(&world, anna, &[caller, vera]);
    assert_hears(&world, vera, &[caller, anna]);
    wish(&mut world, caller, Some(Mode::Barge));
    assert_hears(&world, caller, &[anna, vera]);
    assert_hears(&world, anna, &[caller, vera]);
    assert_hears(&world, vera, &[caller, anna]);
    wish(&mut world, caller, None);
    assert!(world.are_joined(caller, anna) && world.ends[vera].was_told("BYE"));
    assert_eq!(world.agent("vera").state(), AgentState::Available);
}

#[test]
fn a_wish_that_is_repeated_is_answered_as_granted_and_a_late_one_undoes_nothing() {
    let mut world = World::raised();
    world.register("110");
    let (caller, anna) = world.talking("101");
    let wish = |world: &mut World, mode, number| {
        numbered(world, caller, ("vera", mode), Some(Ask { asker: 7, number }))
    };
    assert_eq!(wish(&mut world, Some(Mode::Listen), 1), Reply::Done);
    assert_eq!(wish(&mut world, Some(Mode::Listen), 1), Reply::Seen);
    let vera = world.pick_up("110");
    assert_eq!(wish(&mut world, None, 2), Reply::Done);
    assert_eq!(wish(&mut world, None, 2), Reply::Seen, "its answer was lost");
    assert!(world.ends[vera].was_told("BYE"));
    assert!(matches!(wish(&mut world, Some(Mode::Listen), 1), Reply::Conflict { .. }));
    assert!(world.ringing("110").is_none() && world.are_joined(caller, anna));
    let other = numbered(&mut world, caller, ("desk", None), Some(Ask { asker: 7, number: 1 }));
    assert!(matches!(other, Reply::NotFound { .. }), "another's wishes are others: {other:?}");
}

/// The node falls over the adding up, which it agrees to every time.
#[test]
fn who_makes_the_media_node_fail_leaves_before_the_talk_is_touched() {
    for mode in [Mode::Listen, Mode::Barge] {
        let (mut world, caller, anna, vera) = beside(mode);
        let told = world.ends[caller].heard.len();
        world.refuse_media(caller);
        world.run();
        assert!(world.ends[vera].was_told("BYE"), "{mode:?}");
        assert_eq!(world.agent("vera").state(), AgentState::Available);
        assert!(world.are_joined(caller, anna) && !world.call(caller).media.moved);
        assert_eq!(world.ends[caller].heard.len(), told, "the customer is told of nothing");
        world.refuse_media(caller);
        assert!(world.call(caller).media.moved, "then it was something else");
        assert_eq!(world.stage(caller), "talking");
    }
}

#[test]
fn neither_caller_nor_agent_is_told_anything_of_it() {
    let mut world = World::raised();
    world.register("110");
    let (caller, anna) = world.talking("101");
    let told = |world: &World| [caller, anna].map(|end| world.ends[end].heard.len());
    let before = told(&world);
    wish(&mut world, caller, Some(Mode::Listen));
    world.pick_up("110");
    for mode in [Some(Mode::Whisper), Some(Mode::Barge), Some(Mode::Listen), None] {
        wish(&mut world, caller, mode);
    }
    assert_eq!(told(&world), before);
}

#[test]
fn their_phone_is_asked_to_answer_by_itself_and_is_no_voice_before() {
    let (mut world, caller, anna) = coming(Mode::Barge);
    let vera = world.ringing("110").expect("it rings");
    let header = |name| world.ends[vera].invite.header(name).unwrap_or_default().to_owned();
    assert!(header("Call-Info").ends_with(";answer-after=0"), "{}", header("Call-Info"));
    assert!(header("Alert-Info").contains("info=alert-autoanswer"), "{}", header("Alert-Info"));
    assert!(world.are_joined(caller, anna));
    assert_eq!(world.agent("vera").state(), AgentState::Busy);
    world.pick_up("110");
    assert_hears(&world, caller, &[anna, vera]);
}

#[test]
fn others_who_are_rung_are_not_asked_to_answer_by_themselves() {
    let mut world = World::raised();
    let (_, anna) = world.talking("101");
    assert_eq!(world.ends[anna].invite.header("Call-Info"), None);
}

#[test]
fn who_hangs_up_leaves_the_two_to_each_other() {
    let (mut world, caller, anna, vera) = beside(Mode::Barge);
    world.hang_up(vera);
    assert!(world.are_joined(caller, anna));
    assert_eq!(world.agent("vera").state(), AgentState::Available);
    assert!(matches!(ask(&mut world, caller, "vera", None), Reply::NotFound { .. }), "it is over");
}

#[test]
fn the_end_of_the_call_is_theirs_too_and_the_record_names_them() {
    let (mut world, caller, _, vera) = beside(Mode::Whisper);
    world.hang_up(caller);
    assert!(world.ends[vera].was_told("BYE"));
    assert_eq!(world.agent("vera").state(), AgentState::Available);
    let record = world.record();
    assert_eq!(record.employee, Some("anna".into()));
    let leg = record.legs.iter().find(|leg| leg.role == "monitor").expect("their leg");
    assert_eq!((leg.employee.clone(), leg.answered.is_some()), (Some("vera".into()), true));
}

#[test]
fn a_phone_that_nobody_answers_stops_ringing() {
    let (mut world, caller, anna) = coming(Mode::Listen);
    let vera = world.ringing("110").expect("it rings");
    world.pass(30_000);
    assert!(world.ends[vera].was_told("CANCEL") && world.are_joined(caller, anna));
    assert_eq!(world.agent("vera").state(), AgentState::Available);
}

#[test]
fn who_refuses_does_not_come() {
    let (mut world, caller, anna) = coming(Mode::Listen);
    let vera = world.ringing("110").expect("it rings");
    world.final_answer(vera, 486);
    world.run();
    assert!(world.are_joined(caller, anna));
    assert_eq!(world.agent("vera").engaged, None);
}

#[test]
fn who_takes_over_talks_on_with_the_customer() {
    for mode in [Mode::Listen, Mode::TakeOver] {
        let (mut world, caller, anna, vera) = beside(mode);
        if mode != Mode::TakeOver {
            wish(&mut world, caller, Some(Mode::TakeOver));
        }
        assert!(world.are_joined(caller, vera) && world.ends[anna].was_told("BYE"), "{mode:?}");
        assert!(!world.ends[caller].was_told("INVITE"));
        let states = ["anna", "vera"].map(|who| world.agent(who).state());
        assert_eq!(states, [AgentState::WrapUp, AgentState::Busy]);
        let recording = recording(&world, caller);
        assert_eq!((&recording.left, &recording.right), (&world.ends[caller].leg, &world.ends[vera].leg));
        world.hang_up(caller);
        let record = world.record();
        assert_eq!((record.employee.clone(), record.cause.as_str()), (Some("vera".into()), "hung-up"));
        assert!(record.legs.iter().any(|leg| leg.cause == "taken-over"));
    }
}

#[test]
fn who_is_away_takes_over_once_back() {
    const PAGE: &str = "sip:110@10.0.1.110:5060";
    let mut world = World::raised();
    let contacts = vec![(Transport::Udp, "10.0.0.1:5060".into()), (Transport::Ws, "10.0.0.1:8080".into())];
    world.command(Command::NodeAnnounced { node: NodeInfo { name: "e1".into(), contacts, media: false } });
    world.register_page("110", "flow-1", PAGE);
    let (caller, anna) = world.talking("101");
    wish(&mut world, caller, Some(Mode::Listen));
    let vera = world.pick_up("110");
    world.close("flow-1");
    wish(&mut world, caller, Some(Mode::TakeOver));
    assert!(world.are_joined(caller, anna), "nobody else would talk with the customer");
    world.register_page("110", "flow-2", PAGE);
    world.run();
    assert!(world.are_joined(caller, vera) && world.ends[anna].was_told("BYE"));
}

#[test]
fn who_takes_over_a_call_that_was_made_talks_with_the_one_who_was_called() {
    let mut world = World::raised();
    world.register("110");
    let anna = world.call_from("101", "78125550000");
    world.run();
    let outside = world.pick_up("78125550000");
    wish(&mut world, anna, Some(Mode::TakeOver));
    let vera = world.pick_up("110");
    assert!(world.are_joined(outside, vera) && world.ends[anna].was_told("BYE"));
    assert_eq!(world.agent("anna").engaged, None);
    world.hang_up(outside);
    assert!(world.ends[vera].was_told("BYE"));
}

#[test]
fn they_leave_with_the_employee_whom_they_came_for() {
    let (mut world, caller, anna, vera) = beside(Mode::Barge);
    world.refer(anna, "102");
    world.run();
    assert_hears(&world, vera, &[]);
    let boris = world.pick_up("102");
    assert!(world.are_joined(caller, boris) && world.ends[vera].was_told("BYE"));
    assert_eq!(world.agent("vera").state(), AgentState::Available);
}

#[test]
fn a_transfer_that_fails_leaves_them_where_they_were() {
    let (mut world, caller, anna, vera) = beside(Mode::Listen);
    world.refer(anna, "102");
    world.run();
    let boris = world.ringing("102").expect("it rings");
    world.final_answer(boris, 486);
    world.run();
    assert!(world.are_joined(caller, anna));
    assert_hears(&world, vera, &[caller, anna]);
}

#[test]
fn who_stands_beside_a_talk_sends_nobody_away() {
    let (mut world, caller, anna, vera) = beside(Mode::Barge);
    world.refer(vera, "102");
    world.run();
    assert!(world.ends[vera].was_told("403 REFER"));
    assert_hears(&world, caller, &[anna, vera]);
}

#[test]
fn only_what_both_hear_is_recorded_with_the_employee() {
    let (mut world, caller, anna, vera) = beside(Mode::Whisper);
    let now = recording(&world, caller);
    assert_eq!((&now.left, &now.right), (&world.ends[caller].leg, &world.ends[anna].leg));
    assert!(now.left_too.is_empty() && now.right_too.is_empty());
    wish(&mut world, caller, Some(Mode::Barge));
    let now = recording(&world, caller);
    assert_eq!((now.left_too.len(), now.right_too), (0, vec![world.ends[vera].leg.clone()]));
}

#[test]
fn whoever_holds_is_not_heard_and_the_others_talk_on() {
    let (mut world, caller, anna, vera) = beside(Mode::Barge);
    world.request(anna, "INVITE", "", &sdp(4200, "sendonly", 2));
    assert_hears(&world, caller, &[vera]);
    wish(&mut world, caller, Some(Mode::Listen));
    assert!(world.plays(caller).is_some(), "music");
}

#[test]
fn two_supervisors_hear_what_all_hear_and_not_each_others_whispers() {
    let (mut world, caller, anna, vera) = beside(Mode::Listen);
    assert_eq!(ask(&mut world, caller, "desk", Some(Mode::Whisper)), Reply::Done);
    let desk = world.pick_up("190");
    assert_hears(&world, vera, &[caller, anna]);
    assert_hears(&world, anna, &[caller, desk]);
    assert_eq!(ask(&mut world, caller, "desk", Some(Mode::Barge)), Reply::Done);
    assert_hears(&world, vera, &[caller, anna, desk]);
    assert_hears(&world, desk, &[caller, anna]);
    wish(&mut world, caller, Some(Mode::TakeOver));
    assert!(world.are_joined(caller, vera), "the other came for Anna, who has left");
    assert!(world.ends[desk].was_told("BYE"));
}

#[test]
fn a_wish_that_makes_no_sense_is_refused_with_a_reason() {
    let refused = |world: &mut World, index, who: &str, why: &str| {
        let reply = ask(world, index, who, Some(Mode::Listen));
        assert!(matches!(&reply, Reply::Refused { why: said } if said.contains(why)), "{why}: {reply:?}");
    };
    let mut old = World::acme();
    let (caller, _) = old.talking("101");
    refused(&mut old, caller, "desk", "not all nodes");

    let mut world = World::raised();
    let caller = world.queued();
    refused(&mut world, caller, "desk", "no employee talks");
    world.pick_up("101");
    refused(&mut world, caller, "vera", "none of your phones");
    refused(&mut world, caller, "anna", "in a call already");
    assert!(matches!(ask(&mut world, caller, "nobody", Some(Mode::Listen)), Reply::NotFound { .. }));
    world.hang_up(caller);
    assert!(matches!(ask(&mut world, caller, "desk", Some(Mode::Listen)), Reply::NotFound { .. }));
}

#[test]
fn each_wish_is_written_down() {
    let (mut world, caller, _, _) = beside(Mode::Listen);
    wish(&mut world, caller, Some(Mode::Barge));
    wish(&mut world, caller, None);
    let audits = world.state.outbox().filter_map(|(_, record)| match record {
        Record::Audit(audit) if audit.change.object.starts_with("call/") => Some(audit.change.clone()),
        _ => None,
    });
    let words: Vec<String> =
        audits.map(|change| format!("{}: {} > {}", change.action, change.before, change.after)).collect();
    assert_eq!(words, ["monitor:  > listen", "monitor: listen > barge", "monitor: barge > "]);
}

#[test]
fn the_employee_is_shown_who_speaks_and_who_listens_if_the_company_wishes_it() {
    let (mut world, caller, _, _) = beside(Mode::Listen);
    let shown = |world: &World| {
        let monitors = view::call(world.tenant(), world.call(caller)).monitors;
        monitors.iter().map(|one| (one.employee.to_string(), one.mode, one.shown)).collect::<Vec<_>>()
    };
    assert_eq!(shown(&world), [("vera".to_owned(), MonitorMode::Listen, false)]);
    wish(&mut world, caller, Some(Mode::Whisper));
    assert_eq!(shown(&world), [("vera".to_owned(), MonitorMode::Whisper, true)]);
    wish(&mut world, caller, Some(Mode::Listen));
    let config = acme::config();
    world.configure(crate::config::TenantConfig { version: 2, agents_see_listeners: true, ..config });
    assert_eq!(shown(&world), [("vera".to_owned(), MonitorMode::Listen, true)]);
    wish(&mut world, caller, None);
    assert!(shown(&world).is_empty());
}

#[test]
fn an_heir_is_told_who_hears_whom() {
    let (mut world, caller, anna, vera) = beside(Mode::Barge);
    world.announce_media("m2");
    world.command(Command::NodeLost { name: "m1".into(), tells: false });
    world.run();
    assert_eq!(world.call(caller).media.node, "m2");
    assert_hears(&world, caller, &[anna, vera]);
    assert_hears(&world, vera, &[caller, anna]);
    assert!(world.ends[vera].was_told("INVITE"), "where to send its sound from now on");
}

#[test]
fn a_phone_that_takes_anothers_place_takes_it_beside_the_supervisor_too() {
    let (mut world, caller, anna, vera) = beside(Mode::Whisper);
    let page = world.call_replacing("101", &world.ends[anna].names());
    world.run();
    assert_hears(&world, page, &[caller, vera]);
    assert_hears(&world, vera, &[caller, page]);
    let headset = world.call_replacing("110", &world.ends[vera].names());
    world.run();
    assert_hears(&world, page, &[caller, headset]);
    assert_hears(&world, caller, &[page]);
    assert_eq!(world.agent("vera").state(), AgentState::Busy);
    world.hang_up(headset);
    assert!(world.are_joined(caller, page));
    assert_eq!(world.agent("vera").state(), AgentState::Available);
}

#[test]
fn sums_stay_at_a_node_that_drains_until_all_have_left_it() {
    let (mut world, caller, anna, vera) = beside(Mode::Barge);
    world.announce_media("m2");
    assert_eq!(world.drain("m1"), Reply::Done);
    assert_hears(&world, caller, &[]);
    let old = &world.held[&("m1".to_owned(), world.call(caller).id)];
    assert!(old.endpoints.iter().all(|end| matches!(end.hears, Some(Hears::Mix(_)))), "{old:?}");
    world.run();
    assert_eq!(world.call(caller).media.node, "m2");
    assert_hears(&world, caller, &[anna, vera]);
    assert_hears(&world, vera, &[caller, anna]);
}
