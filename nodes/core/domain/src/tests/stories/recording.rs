//! Who is recorded, by rule and by hand, and what pauses and marks say.

use mangrove_proto::{
    live::{self, Mark, MarkKind, RecordingChannels, RecordingFormat},
    media::{self, media_event::Fact},
};

use crate::{
    Action, Ask, Author, CallWish, Command, Mode, NodeInfo, ObjectRef, Record, RecordingWish, Reply,
    config::{Recorded, RecordedCalls, RecordingKeys, TenantConfig},
    tests::{
        acme,
        far_end::sdp,
        world::{Pending, World, tenant_id},
    },
    view,
};
use RecordingWish::{Pause, Resume, Start, Stop};

/// Acme with another configuration, under the newest rules.
fn company(change: impl FnOnce(&mut TenantConfig)) -> World {
    let (mut world, mut config) = (World::raised(), acme::config());
    config.version += 1;
    change(&mut config);
    world.configure(config);
    world
}

fn ask(world: &mut World, index: usize, wish: RecordingWish, ask: Option<Ask>) -> Reply {
    let (tenant, call) = (tenant_id(), world.call(index).id);
    let (wish, author) = (CallWish::Record(wish), Author::default());
    world.command(Command::CommandCall { tenant, call, wish, author, ask })
}

/// Asks for it, and lets the media node answer.
fn wish(world: &mut World, index: usize, wish: RecordingWish) -> Reply {
    let reply = ask(world, index, wish, None);
    world.run();
    reply
}

/// What the media node was told last.
fn recording(world: &World, index: usize) -> Option<media::Recording> {
    world.sessions[&world.call(index).id].recording.clone()
}

fn shown(world: &World, index: usize) -> live::Call {
    view::call(world.tenant(), world.call(index))
}

fn marks(world: &World) -> Vec<Mark> {
    world.record().recordings[0].marks.clone()
}

#[test]
fn a_rule_of_number_group_or_employee_goes_before_the_companys() {
    type Change = fn(&mut TenantConfig);
    let table: [(Change, bool); 4] = [
        (|_| {}, true),
        (|config| config.numbers.values_mut().for_each(|of| of.recording = Some(Recorded::Never)), false),
        (|config| config.groups.values_mut().for_each(|of| of.recording = Some(Recorded::OnDemand)), false),
        (
            |config| {
                config.recording.calls = RecordedCalls::None;
                config.employees.values_mut().for_each(|of| of.recording = Some(Recorded::Always));
            },
            true,
        ),
    ];
    for (place, (change, expected)) in table.into_iter().enumerate() {
        let mut world = company(change);
        let (caller, _) = world.talking("101");
        assert_eq!(recording(&world, caller).is_some(), expected, "{place}");
    }
}

#[test]
fn the_file_is_decided_when_a_recording_begins_and_said_to_node_and_record() {
    let mut world = company(|config| {
        config.recording.channels = RecordingChannels::Mixed;
        config.groups.values_mut().for_each(|of| of.recorded_as.format = Some(RecordingFormat::Opus));
    });
    let (caller, _) = world.talking("101");
    let told = recording(&world, caller).expect("a recording");
    assert!(told.opus && told.mixed && told.object.ends_with("-1.opus"), "{told:?}");
    let mut config = acme::config();
    config.version += 2;
    world.configure(config);
    let object = ObjectRef::Call("acme".into(), world.call(caller).id);
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye);
    let is_finished =
        |pending: &mut Pending| matches!(pending, Pending::Media(.., Fact::RecordingFinished(_)));
    let finished: Vec<Pending> = world.pending.extract_if(.., is_finished).collect();
    let owed = world.state.owed(&object, world.stamp()).into_iter().find_map(|effect| match effect.action {
        Action::Media { command, .. } => command.set?.recording,
        Action::Edge { .. } => None,
    });
    let owed = owed.expect("it is to be finished");
    assert!(owed.opus && owed.mixed, "who puts together what another left knows it, too: {owed:?}");
    for finished in finished {
        world.deliver(finished);
    }
    world.run();
    let found = world.record().recordings.remove(0);
    assert_eq!((found.format, found.channels), (RecordingFormat::Opus, RecordingChannels::Mixed));
}

#[test]
fn a_recording_of_which_nothing_is_said_is_told_and_kept_as_before() {
    let mut world = World::raised();
    let (caller, _) = world.talking("101");
    let told = recording(&world, caller).expect("a recording");
    assert!(!told.opus && !told.mixed && told.object.ends_with("-1.wav"), "{told:?}");
    let kept = rmp_serde::to_vec_named(&told).expect("MessagePack");
    for field in ["opus", "mixed"] {
        assert!(!kept.windows(field.len()).any(|part| part == field.as_bytes()), "{field}");
    }
}

#[test]
fn rules_that_the_group_has_not_committed_yet_decide_nothing() {
    let mut world = World::acme();
    let mut config = acme::config();
    config.version += 1;
    config.numbers.values_mut().for_each(|of| of.recording = Some(Recorded::Never));
    config.recording.format = RecordingFormat::Opus;
    world.configure(config);
    let (caller, _) = world.talking("101");
    assert!(recording(&world, caller).is_some_and(|told| !told.opus && told.object.ends_with(".wav")));
    assert!(matches!(wish(&mut world, caller, Pause), Reply::Refused { .. }));
    assert_eq!(recording(&world, caller).and_then(|recording| recording.pause), None);
}

#[test]
fn a_recording_on_demand_is_begun_ended_and_begun_anew_by_hand() {
    let mut world = company(|config| {
        config.groups.values_mut().for_each(|of| of.recording = Some(Recorded::OnDemand));
    });
    let (caller, anna) = world.talking("101");
    assert!(recording(&world, caller).is_none() && shown(&world, caller).on_demand);
    assert!(matches!(wish(&mut world, caller, Pause), Reply::Refused { .. }), "there is nothing to pause");
    assert_eq!(wish(&mut world, caller, Start), Reply::Done);
    let first = recording(&world, caller).expect("a recording");
    assert_eq!((&first.left, &first.right), (&world.ends[caller].leg, &world.ends[anna].leg));
    assert_eq!(wish(&mut world, caller, Start), Reply::Done, "it runs already");
    world.pass(3_000);
    assert_eq!(wish(&mut world, caller, Stop), Reply::Done);
    assert!(recording(&world, caller).is_none() && !shown(&world, caller).recording);
    world.pass(3_000);
    wish(&mut world, caller, Start);
    let second = recording(&world, caller).expect("another");
    assert!(first.id != second.id && first.object != second.object, "{first:?} {second:?}");
    world.hang_up(caller);
    let ids: Vec<String> = world.record().recordings.into_iter().map(|recording| recording.id).collect();
    assert_eq!(ids, [first.id, second.id]);
}

/// A talk at `m1`, beside which there is `m2`, whose second recording runs; of the first one, which ran for 3 s, its node has
/// not said that it is whole. Its id.
fn recorded_twice() -> (World, usize, String) {
    let mut world = company(|config| {
        config.groups.values_mut().for_each(|of| of.recording = Some(Recorded::OnDemand));
    });
    world.announce_media("m2");
    let (caller, _) = world.talking("101");
    wish(&mut world, caller, Start);
    let first = recording(&world, caller).expect("a recording").id;
    world.pass(3_000);
    ask(&mut world, caller, Stop, None);
    world.pending.retain(|pending| !matches!(pending, Pending::Media(.., Fact::RecordingFinished(_))));
    world.run();
    wish(&mut world, caller, Start);
    (world, caller, first)
}

/// Former recordings that the node which was told last is to make whole if another one did not, and how long they ran.
fn left(world: &World, index: usize) -> Vec<(String, Option<u64>)> {
    let set = &world.sessions[&world.call(index).id];
    set.left.iter().map(|left| (left.id.clone(), left.ran_ms)).collect()
}

#[test]
fn an_heir_is_told_of_a_recording_that_was_ended_before_another_began() {
    let (mut world, caller, first) = recorded_twice();
    let expected = [(first.clone(), Some(3_000))];
    assert_eq!(left(&world, caller), expected, "whoever carries the node's address next hears of it");
    let lost = world.call(caller).media.node.clone();
    world.command(Command::NodeLost { name: lost.clone(), tells: true });
    assert_ne!(world.call(caller).media.node, lost);
    assert_eq!(left(&world, caller), expected);
    world.run();
    let call = world.call(caller).id;
    let finished = media::RecordingFinished { recording: first, duration_ms: 3_000, ..Default::default() };
    world.media(call, Fact::RecordingFinished(finished));
    assert_eq!(left(&world, caller), [], "it is whole");
}

#[test]
fn where_a_call_goes_on_elsewhere_its_node_makes_it_whole_unless_that_is_lost() {
    let (mut world, caller, first) = recorded_twice();
    let from = world.call(caller).media.node.clone();
    world.drain(&from);
    world.run();
    assert_ne!(world.call(caller).media.node, from);
    assert_eq!(left(&world, caller), []);
    world.command(Command::NodeLost { name: from, tells: true });
    assert_eq!(left(&world, caller), [(first, Some(3_000))]);
}

/// By then it is neither the call's node nor the one before.
#[test]
fn what_a_lost_node_has_left_is_made_whole_however_far_the_call_has_gone() {
    let (mut world, caller, first) = recorded_twice();
    world.announce_media("m3");
    let from = world.call(caller).media.node.clone();
    for _ in 0..2 {
        let node = world.call(caller).media.node.clone();
        world.drain(&node);
        world.run();
        assert_ne!(world.call(caller).media.node, node);
    }
    assert!(!world.call(caller).media.was_at(&from));
    // Either of the two nodes that have the session: one may be about to leave it to the other.
    let call = world.call(caller).id;
    let is_asked = |world: &World| {
        let sets = world.held.iter().filter(|((_, of), set)| *of == call && !set.close);
        sets.flat_map(|(_, set)| &set.left).any(|left| left.id == first && left.ran_ms == Some(3_000))
    };
    assert!(!is_asked(&world));
    world.command(Command::NodeLost { name: from, tells: true });
    assert!(is_asked(&world));
}

/// The node that the call comes to only relays for a moment, and is not told of the recording.
#[test]
fn keys_of_a_pause_are_nobodys_also_where_a_call_comes_to() {
    let mut world = World::raised();
    world.announce_media("m2");
    let (caller, _) = world.talking("101");
    let (call, from) = (world.call(caller).id, world.call(caller).media.node.clone());
    wish(&mut world, caller, Pause);
    world.drain(&from);
    let to = world.call(caller).media.node.clone();
    let relayed = &world.held[&(to, call)];
    assert!(relayed.recording.is_none() && relayed.endpoints.iter().all(|end| end.secret), "{relayed:?}");
    world.run();
    assert_eq!(recording(&world, caller).expect("it goes on").pause, Some(1));
    wish(&mut world, caller, Resume);
    assert!(world.sessions[&call].endpoints.iter().all(|end| !end.secret));
}

#[test]
fn what_is_recorded_by_rule_is_not_ended_by_hand_and_what_is_never_recorded_not_begun() {
    let mut world = World::raised();
    let (caller, _) = world.talking("101");
    assert!(matches!(wish(&mut world, caller, Stop), Reply::Refused { why } if why.contains("pause")));
    assert!(recording(&world, caller).is_some());
    let mut world = company(|config| config.recording.calls = RecordedCalls::None);
    let (caller, _) = world.talking("101");
    assert!(matches!(wish(&mut world, caller, Start), Reply::Refused { why } if why.contains("on-demand")));
    assert!(recording(&world, caller).is_none());
}

#[test]
fn a_pause_counts_once_the_media_node_has_said_so() {
    let mut world = World::raised();
    let (caller, _) = world.talking("101");
    world.pass(2_000);
    assert_eq!(ask(&mut world, caller, Pause, None), Reply::Done);
    assert_eq!(recording(&world, caller).expect("it goes on").pause, Some(1));
    assert_eq!(shown(&world, caller).pause, Some(live::Pause::Asked));
    let first = world.pending.clone();
    world.run();
    assert_eq!(shown(&world, caller).pause, Some(live::Pause::Confirmed));
    world.pass(5_000);
    assert_eq!(wish(&mut world, caller, Resume), Reply::Done);
    assert_eq!((recording(&world, caller).expect("it").pause, shown(&world, caller).pause), (None, None));

    ask(&mut world, caller, Pause, None);
    let is_pause = |pending: &Pending| matches!(pending, Pending::Media(.., Fact::RecordingPaused(_)));
    for late in first.into_iter().filter(is_pause) {
        world.deliver(late);
    }
    assert_eq!(shown(&world, caller).pause, Some(live::Pause::Asked), "that was the one before");
    world.run();
    assert_eq!(shown(&world, caller).pause, Some(live::Pause::Confirmed));
    world.pass(1_000);
    world.hang_up(caller);
    let pause = |at_ms, until_ms| Mark { kind: MarkKind::Pause, at_ms, until_ms: Some(until_ms) };
    assert_eq!(marks(&world), [pause(2_000, 7_000), pause(7_000, 8_000)], "it ends with the talk");
}

#[test]
fn a_wish_to_go_on_that_comes_late_does_not_end_a_later_pause() {
    let mut world = World::raised();
    let (caller, _) = world.talking("101");
    let numbered = |number| Some(Ask { asker: 7, number });
    for (number, wish) in [(1, Pause), (2, Resume), (3, Pause)] {
        assert_eq!(ask(&mut world, caller, wish, numbered(number)), Reply::Done);
    }
    assert_eq!(ask(&mut world, caller, Pause, numbered(3)), Reply::Seen);
    assert!(matches!(ask(&mut world, caller, Resume, numbered(2)), Reply::Conflict { .. }));
    assert_eq!(recording(&world, caller).expect("a recording").pause, Some(2));
}

#[test]
fn an_heir_is_told_of_the_pause_with_the_session() {
    let mut world = World::raised();
    let node = NodeInfo { name: "m2".into(), contacts: vec![], media: true };
    world.command(Command::NodeAnnounced { node });
    let (caller, _) = world.talking("101");
    let call = world.call(caller).id;
    wish(&mut world, caller, Pause);
    let pause = |set: &media::SetSession| set.recording.as_ref().and_then(|recording| recording.pause);
    let owed = world.state.owed(&ObjectRef::Call(tenant_id(), call), world.stamp());
    let sessions = owed.into_iter().filter_map(|effect| match effect.action {
        Action::Media { command, .. } => command.set,
        Action::Edge { .. } => None,
    });
    let pauses: Vec<Option<u64>> = sessions.map(|set| pause(&set)).collect();
    assert_eq!(pauses, [Some(1)], "a new leader says it again");
    let lost = world.call(caller).media.node.clone();
    world.command(Command::NodeLost { name: lost.clone(), tells: true });
    assert_ne!(world.call(caller).media.node, lost);
    assert_eq!(pause(&world.sessions[&call]), Some(1), "from the first word on");
}

#[test]
fn a_pause_ends_by_itself_where_the_company_says_so() {
    let mut world = company(|config| config.recording.resume_after_ms = Some(60_000));
    let (caller, _) = world.talking("101");
    wish(&mut world, caller, Pause);
    world.pass(59_999);
    assert_eq!(recording(&world, caller).expect("a recording").pause, Some(1));
    world.pass(1);
    assert_eq!(recording(&world, caller).expect("a recording").pause, None);
    world.pass(1_000);
    world.hang_up(caller);
    assert_eq!(marks(&world)[0].until_ms, Some(60_000));
}

/// The codes that the media node looks for on somebody's phone.
fn codes(world: &World, index: usize) -> Vec<String> {
    let session = &world.sessions[&world.call(index).id];
    let endpoint = session.endpoints.iter().find(|endpoint| endpoint.id == world.ends[index].leg);
    endpoint.expect("an endpoint").codes.clone()
}

fn press(world: &mut World, index: usize, code: &str) {
    let (call, endpoint) = (world.call(index).id, world.ends[index].leg.clone());
    world.media(call, Fact::KeyCode(media::KeyCode { endpoint, code: code.into() }));
    world.run();
}

#[test]
fn an_agent_may_press_keys_for_it_and_a_caller_may_not() {
    let mut world = company(|config| {
        config.recording.keys = RecordingKeys { record: Some("*1".into()), pause: Some("*2".into()) };
        config.groups.values_mut().for_each(|of| of.recording = Some(Recorded::OnDemand));
    });
    let (caller, anna) = world.talking("101");
    assert_eq!((codes(&world, caller), codes(&world, anna)), (vec![], vec!["*1".to_owned()]));
    press(&mut world, caller, "*1");
    assert!(recording(&world, caller).is_none());
    press(&mut world, anna, "*1");
    assert!(recording(&world, caller).is_some());
    assert_eq!(codes(&world, anna), ["*1", "*2"]);
    press(&mut world, anna, "*2");
    assert_eq!(shown(&world, caller).pause, Some(live::Pause::Confirmed));
    press(&mut world, anna, "*2");
    assert_eq!(recording(&world, caller).expect("a recording").pause, None);
    press(&mut world, anna, "*1");
    assert!(recording(&world, caller).is_none());
    let authors = world.state.outbox().filter_map(|(_, record)| match record {
        Record::Audit(audit) => Some((audit.author.name.as_str(), audit.author.address.as_str())),
        Record::Cdr(_) | Record::LateRecording(_) => None,
    });
    assert_eq!(authors.collect::<Vec<_>>(), [("anna", "phone"); 4]);
}

#[test]
fn keys_are_the_other_sides_where_there_is_nothing_to_ask() {
    let mut world = company(|config| config.recording.keys.record = Some("*1".into()));
    let (_, anna) = world.talking("101");
    assert_eq!(codes(&world, anna), Vec::<String>::new(), "it is recorded by rule");
}

#[test]
fn a_transfer_ends_the_pause_and_is_marked_and_so_is_a_hold() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    world.pass(1_000);
    world.request(anna, "INVITE", "", &sdp(4000, "sendonly", 2));
    let ack = world.ends[anna].ack();
    world.sip(anna, ack);
    world.pass(2_000);
    world.request(anna, "INVITE", "", &sdp(4000, "sendrecv", 3));
    let ack = world.ends[anna].ack();
    world.sip(anna, ack);
    wish(&mut world, caller, Pause);
    world.pass(1_000);
    world.request(anna, "REFER", "Refer-To: <sip:102@acme.example>\r\n", "");
    let boris = world.pick_up("102");
    assert!(world.are_joined(caller, boris));
    let after = recording(&world, caller).expect("the same recording");
    assert_eq!((after.pause, after.right), (None, world.ends[boris].leg.clone()));
    world.pass(1_000);
    world.hang_up(caller);
    let found = marks(&world);
    let kinds: Vec<MarkKind> = found.iter().map(|mark| mark.kind).collect();
    assert_eq!(kinds, [MarkKind::Hold, MarkKind::Pause, MarkKind::Transfer], "{found:?}");
    assert_eq!((found[0].at_ms, found[0].until_ms), (1_000, Some(3_000)));
    assert_eq!((found[1].at_ms, found[1].until_ms), (3_000, Some(found[2].at_ms)));
}

#[test]
fn a_talk_that_may_not_be_recorded_ends_the_recording_of_the_one_before() {
    let mut world = company(|config| {
        let boris = config.employees.get_mut(&"boris".into()).expect("boris");
        boris.recording = Some(Recorded::Never);
    });
    let (caller, anna) = world.talking("101");
    assert!(recording(&world, caller).is_some());
    world.request(anna, "REFER", "Refer-To: <sip:102@acme.example>\r\n", "");
    let boris = world.pick_up("102");
    assert!(world.are_joined(caller, boris));
    assert!(recording(&world, caller).is_none());
}

#[test]
fn plain_calls_are_kept_as_earlier_builds_keep_them() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    let kept = rmp_serde::to_vec_named(world.call(caller)).expect("MessagePack");
    for field in ["earlier", "asks", "by_hand", "pauses", "marks"] {
        assert!(!kept.windows(field.len()).any(|part| part == field.as_bytes()), "{field}");
    }
}

/// Vera comes to the talk, or does something else there.
fn supervise(world: &mut World, index: usize, mode: Mode) {
    let (tenant, call, author) = (tenant_id(), world.call(index).id, Author::default());
    let wish = CallWish::Monitor { supervisor: "vera".into(), mode: Some(mode) };
    assert_eq!(world.command(Command::CommandCall { tenant, call, wish, author, ask: None }), Reply::Done);
    world.run();
}

#[test]
fn who_barges_in_makes_no_other_talk_of_it_and_who_takes_over_does() {
    for (said, goes_on) in [(None, true), (Some(Recorded::Never), false)] {
        let mut world = company(|config| {
            let vera = config.employees.get_mut(&"vera".into()).expect("vera");
            vera.recording = said;
        });
        world.register("110");
        let (caller, _) = world.talking("101");
        wish(&mut world, caller, Pause);
        supervise(&mut world, caller, Mode::Barge);
        let vera = world.pick_up("110");
        let beside = recording(&world, caller).expect("the same recording");
        assert_eq!((beside.pause, beside.right_too.len()), (Some(1), 1), "it is paused still");
        supervise(&mut world, caller, Mode::TakeOver);
        assert!(world.are_joined(caller, vera));
        let after = recording(&world, caller).map(|after| (after.pause, after.right));
        assert_eq!(after, goes_on.then(|| (None, world.ends[vera].leg.clone())), "{said:?}");
    }
}
