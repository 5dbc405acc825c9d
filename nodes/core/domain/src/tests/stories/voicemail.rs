//! Callers leave messages, phones show them, people hear and delete them.

use std::sync::Arc;

use mangrove_proto::{
    edge::edge_command::Op,
    live::{CallState, EndedBy, Outcome},
    media::{self, Digit, media_event::Fact},
    voicemail::{Mailbox, Message},
};

use crate::{
    Action, Author, CallWish, Command, MessageWish, Record, RecordingWish, Reply,
    config::{self, Owner, Step, TenantConfig},
    mailbox::Place,
    tests::{
        acme,
        world::{Pending, World, tenant_id},
    },
    view,
};

const LONGEST_MS: u64 = 60_000;

fn mailbox(name: &str, owner: Owner, greeting: Option<&str>) -> (Arc<str>, config::Mailbox) {
    let mailbox = config::Mailbox {
        name: name.into(),
        owner,
        greeting: greeting.map(Into::into),
        longest_ms: LONGEST_MS,
        email: Some("sales@acme.example".into()),
    };
    (name.into(), mailbox)
}

fn to(name: &str) -> Step {
    Step::Voicemail { mailbox: name.into(), greeting: None }
}

/// Acme whose number is answered by the box of group 200, and where anna has a box of her own.
fn config(steps: Vec<Step>) -> TenantConfig {
    let mut config = acme::config();
    config.schemes.get_mut("main").expect("the scheme").steps = steps;
    config.voicemail = [
        mailbox("sales", Owner::Group("200".into()), Some("leave-a-word")),
        mailbox("anna", Owner::Employee("anna".into()), None),
    ]
    .into();
    assert!(config.is_of_protocol_6());
    config
}

fn world(steps: Vec<Step>) -> World {
    let mut world = World::of(config(steps));
    ["101", "102"].into_iter().for_each(|extension| world.register(extension));
    world
}

/// A caller whose word is recorded by now.
fn speaking(world: &mut World) -> usize {
    let caller = world.call_in(acme::NUMBER);
    world.run();
    world.finish_prompt(caller);
    caller
}

fn boxed(world: &World, name: &str) -> Mailbox {
    let mut boxes = world.tenant().voicemail().into_iter();
    boxes.find(|mailbox| mailbox.name == name).expect("the box")
}

fn messages(world: &World, name: &str) -> Vec<Message> {
    boxed(world, name).messages
}

fn recording(world: &World, index: usize) -> Option<media::Recording> {
    world.sessions[&world.call(index).id].recording.clone()
}

fn press(world: &mut World, index: usize, digit: &str) {
    let (call, endpoint) = (world.call(index).id, world.ends[index].leg.clone());
    world.media(call, Fact::Digit(Digit { endpoint, digit: digit.into(), duration_ms: 80 }));
    world.run();
}

fn say(world: &mut World, name: &str, number: u64, wish: MessageWish) -> Reply {
    let place = Place { mailbox: name.into(), number };
    world.command(Command::CommandMessage { tenant: tenant_id(), place, wish, author: Author::default() })
}

/// What phones are told of messages by the last command: where, and the counts.
fn lamps(world: &World) -> Vec<(String, String)> {
    let told = world.last.actions.iter().filter_map(|effect| match &effect.action {
        Action::Edge { command, .. } => match command.op.as_ref()? {
            Op::Request(request) if request.method == "NOTIFY" => Some(request.clone()),
            _ => None,
        },
        Action::Media { .. } => None,
    });
    told.map(|request| {
        let text = String::from_utf8_lossy(&request.message).into_owned();
        let header = |line: &str| text.lines().any(|known| known == line);
        assert!(
            header("Event: message-summary") && header("Content-Type: application/simple-message-summary")
        );
        let counts = text.lines().find_map(|line| line.strip_prefix("Voice-Message: ")).expect("counts");
        (request.destination.expect("a destination").address, counts.to_owned())
    })
    .collect()
}

fn lamp_of_101(counts: &str) -> Vec<(String, String)> {
    vec![("10.0.1.101:5060".to_owned(), format!("{counts} (0/0)"))]
}

#[test]
fn a_caller_hears_greeting_and_tone_and_leaves_a_message() {
    let mut world = world(vec![to("sales")]);
    let caller = world.call_in(acme::NUMBER);
    world.run();
    assert!(world.ends[caller].was_told("200 INVITE"), "greeted is answered");
    assert_eq!(view::call(world.tenant(), world.call(caller)).state, CallState::Voicemail);
    assert_eq!(world.plays(caller).expect("a greeting").prompts, ["prompt/ru/leave-a-word", "prompt/beep"]);
    assert_eq!(recording(&world, caller), None);
    world.finish_prompt(caller);
    let taken = recording(&world, caller).expect("a recording");
    assert_eq!((&taken.left, taken.right.as_str()), (&world.ends[caller].leg, ""), "the caller alone");
    assert_eq!(world.plays(caller).expect("no greeting").prompts, ["prompt/silence"]);
    assert!(!view::call(world.tenant(), world.call(caller)).recording, "it is no talk's");
    world.pass(5_000);
    world.hang_up(caller);
    let message = messages(&world, "sales").remove(0);
    assert_eq!((message.caller.as_str(), message.heard, message.stored), ("79161112233", false, true));
    assert_eq!((message.object, message.recording), (taken.object, taken.id));
    let cdr = world.record();
    assert_eq!(
        (cdr.outcome, cdr.cause.as_str(), cdr.ended_by),
        (Outcome::Voicemail, "hung-up", EndedBy::Caller)
    );
    assert_eq!((cdr.answered, cdr.recordings), (None, vec![]), "no person answered; the sound is the box's");
}

#[test]
fn a_message_ends_with_the_key_or_its_time_and_the_next_step_begins() {
    type End = fn(&mut World, usize);
    let ends: [End; 3] = [
        |world, caller| press(world, caller, "#"),
        |world, _| world.pass(LONGEST_MS - 2_000),
        |world, caller| {
            world.silent(caller, 45_000);
            assert_eq!(world.stage(caller), "leaving a message", "they listened for most of that");
            world.pass(30_000);
            world.silent(caller, 75_000);
            world.run();
        },
    ];
    for (place, end) in ends.into_iter().enumerate() {
        let mut world = world(vec![to("sales"), Step::Play { prompt: "thanks".into() }]);
        let caller = speaking(&mut world);
        press(&mut world, caller, "5");
        world.pass(2_000);
        assert_eq!(world.stage(caller), "leaving a message", "{place}");
        end(&mut world, caller);
        assert_eq!(world.plays(caller).expect("a word").prompts, ["prompt/ru/thanks"], "{place}");
        assert_eq!(messages(&world, "sales").len(), 1, "{place}");
        assert_eq!(recording(&world, caller), None, "{place}");
        world.finish_prompt(caller);
        let cdr = world.record();
        assert_eq!((cdr.outcome, cdr.cause.as_str()), (Outcome::Voicemail, "voicemail-left"), "{place}");
        assert_eq!(messages(&world, "sales").len(), 1, "{place}: once");
    }
}

#[test]
fn the_key_cuts_the_greeting_short() {
    let mut world = world(vec![to("sales")]);
    let caller = world.call_in(acme::NUMBER);
    world.run();
    press(&mut world, caller, "#");
    assert!(recording(&world, caller).is_some());
}

#[test]
fn who_says_nothing_leaves_nothing() {
    let mut world = world(vec![to("sales")]);
    let caller = speaking(&mut world);
    world.pass(900);
    world.hang_up(caller);
    assert_eq!(messages(&world, "sales"), []);
    let cdr = world.record();
    assert_eq!((cdr.outcome, cdr.cause.as_str()), (Outcome::Abandoned, "abandoned"));
    let gone = world.state.deletion_due();
    assert_eq!(gone.len(), 1, "its sound goes");
    assert_eq!(say(&mut world, "sales", gone[0].place.number, MessageWish::Gone), Reply::Done);
    assert_eq!((world.state.deletion_due(), world.state.mail_due()), (vec![], vec![]));

    let mut world = self::world(vec![to("sales")]);
    let caller = world.call_in(acme::NUMBER);
    world.run();
    world.hang_up(caller);
    assert_eq!((world.record().outcome, messages(&world, "sales").len()), (Outcome::Abandoned, 0));
}

#[test]
fn a_greeting_that_cant_be_played_gives_way_to_the_tone_and_that_to_nothing() {
    let mut world = world(vec![to("sales")]);
    let caller = world.call_in(acme::NUMBER);
    world.run();
    world.refuse_media(caller);
    world.run();
    assert_eq!(world.plays(caller).expect("the tone").prompts, ["prompt/beep"]);
    world.refuse_media(caller);
    world.run();
    assert!(recording(&world, caller).is_some(), "the message counts");
    world.refuse_media(caller);
    world.run();
    assert_eq!(world.plays(caller), None);
    assert!(recording(&world, caller).is_some());
    world.pass(2_000);
    world.hang_up(caller);
    assert_eq!(messages(&world, "sales").len(), 1);
}

#[test]
fn an_heir_goes_on_with_the_message() {
    let mut world = world(vec![to("sales")]);
    world.announce_media("m2");
    let caller = speaking(&mut world);
    world.pass(2_000);
    let before = recording(&world, caller).expect("a recording");
    let lost = world.call(caller).media.node.clone();
    world.command(Command::NodeLost { name: lost.clone(), tells: true });
    world.run();
    assert_ne!(world.call(caller).media.node, lost);
    let after = recording(&world, caller).expect("it goes on");
    assert_eq!((after.id, after.object), (before.id, before.object));
    world.pass(2_000);
    world.hang_up(caller);
    assert_eq!(messages(&world, "sales").len(), 1);
}

#[test]
fn a_message_outlives_an_end_that_is_ours() {
    let mut world = world(vec![to("sales")]);
    let caller = speaking(&mut world);
    world.pass(2_000);
    let (call, wish, author) = (world.call(caller).id, CallWish::HangUp, Author::default());
    world.command(Command::CommandCall { tenant: tenant_id(), call, wish, author, ask: None });
    world.run();
    assert_eq!((messages(&world, "sales").len(), world.record().outcome), (1, Outcome::Voicemail));

    let mut world = self::world(vec![to("sales")]);
    speaking(&mut world);
    world.pass(2_000);
    let state = world.state.clone().refounded(1, 1, world.now, world.wall);
    let kept = state.tenant(&tenant_id()).expect("acme").voicemail();
    assert_eq!(kept.iter().map(|mailbox| mailbox.messages.len()).sum::<usize>(), 1, "restored from a backup");
}

#[test]
fn the_recording_of_a_talk_ends_before_a_message_is_left_in_its_call() {
    let mut world = World::raised();
    let (caller, anna) = world.talking("101");
    assert!(recording(&world, caller).is_some());
    world.configure(TenantConfig { version: 2, ..config(vec![to("sales")]) });
    world.refer(anna, acme::NUMBER);
    world.run();
    assert_eq!((world.stage(caller), recording(&world, caller)), ("leaving a message", None));
    world.finish_prompt(caller);
    let former = &world.call(caller).earlier[0];
    assert!(!former.running && former.until.is_some());
}

#[test]
fn a_message_is_nobodys_to_pause() {
    let mut world = World::raised();
    world.configure(TenantConfig { version: 2, ..config(vec![to("sales")]) });
    let caller = speaking(&mut world);
    for wish in RecordingWish::ALL {
        let (call, author) = (world.call(caller).id, Author::default());
        let wish = CallWish::Record(wish);
        world.command(Command::CommandCall { tenant: tenant_id(), call, wish, author, ask: None });
    }
    let taken = recording(&world, caller).expect("it goes on");
    assert_eq!(taken.pause, None);
}

#[test]
fn what_is_not_answered_at_an_extension_goes_into_its_box() {
    let mut world = world(vec![to("sales")]);
    let caller = world.call_from("102", "101");
    world.run();
    let anna = world.ringing("101").expect("it rings");
    world.final_answer(anna, 486);
    world.run();
    assert_eq!(world.plays(caller).expect("the tone").prompts, ["prompt/beep"], "she has no greeting");
    world.finish_prompt(caller);
    world.pass(3_000);
    world.hang_up(caller);
    assert_eq!(messages(&world, "anna")[0].caller, "102");
    let cdr = world.record();
    assert_eq!((cdr.outcome, cdr.employee), (Outcome::Voicemail, None));
    let caller = world.call_from("101", "102");
    world.run();
    let boris = world.ringing("102").expect("it rings");
    world.final_answer(boris, 486);
    world.run();
    assert_ne!(world.stage_or_gone(caller), Some("leaving a message"), "he has none");
}

#[test]
fn a_full_box_leads_to_the_next_step() {
    let mut world = world(vec![to("sales"), Step::Play { prompt: "sorry".into() }]);
    let caller = speaking(&mut world);
    world.pass(2_000);
    world.hang_up(caller);
    let tenant = Arc::make_mut(world.state.tenants.get_mut(&tenant_id()).expect("acme"));
    let messages = tenant.messages_mut(&"sales".into());
    let (_, left) = messages.shown().next().expect("a message");
    let left = left.clone();
    (1_000_001..1_000_500).for_each(|number| messages.add(number, left.clone()));
    let caller = world.call_in(acme::NUMBER);
    world.run();
    assert_eq!(world.plays(caller).expect("a word").prompts, ["prompt/ru/sorry"]);
    assert_eq!(self::messages(&world, "sales").len(), 500);
}

#[test]
fn phones_of_a_boxs_owner_show_what_is_new() {
    let mut world = world(vec![to("anna")]);
    world.register("101");
    assert_eq!(lamps(&world), lamp_of_101("0/0"));
    world.register("102");
    assert!(lamps(&world).is_empty(), "boris has no box");
    let caller = speaking(&mut world);
    world.pass(2_000);
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye);
    assert_eq!(lamps(&world), lamp_of_101("1/0"));
    world.run();
    let number = messages(&world, "anna")[0].id;
    assert_eq!(say(&mut world, "anna", number, MessageWish::Hear), Reply::Done);
    assert_eq!(lamps(&world), lamp_of_101("0/1"));
    assert_eq!(say(&mut world, "anna", number, MessageWish::Hear), Reply::Seen);
    assert!(lamps(&world).is_empty());
    world.register("101");
    assert_eq!(lamps(&world), lamp_of_101("0/1"));
    assert_eq!(say(&mut world, "anna", number, MessageWish::Delete), Reply::Done);
    assert_eq!(lamps(&world), lamp_of_101("0/0"));
    world.register_at("101", "10.0.2.1:40000", "flow-101");
    let second = vec![("10.0.2.1:40000".to_owned(), "0/0 (0/0)".to_owned())];
    assert_eq!(lamps(&world), second, "the first one knows");
    world.unregister("101");
    assert!(lamps(&world).is_empty());
}

#[test]
fn a_message_is_mailed_once_its_sound_is_there_and_until_it_is_done() {
    let mut world = world(vec![to("sales")]);
    let caller = speaking(&mut world);
    world.pass(2_000);
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye);
    assert_eq!(world.state.mail_due(), [], "the sound is on its way");
    world.run();
    let due = world.state.mail_due();
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].message.caller, "79161112233");
    let number = due[0].place.number;
    assert_eq!(say(&mut world, "sales", number, MessageWish::Mailed), Reply::Done);
    assert_eq!(world.state.mail_due(), []);
    assert_eq!(messages(&world, "sales").len(), 1, "it stays");
}

/// Its media node was away with it, and the session has moved twice since.
#[test]
fn an_heir_is_asked_for_a_message_that_was_left_before_another() {
    let mut world = world(vec![to("sales"), to("anna")]);
    let caller = speaking(&mut world);
    world.pass(2_000);
    let (call, endpoint) = (world.call(caller).id, world.ends[caller].leg.clone());
    let first = recording(&world, caller).expect("a recording").id;
    world.media(call, Fact::Digit(Digit { endpoint, digit: "#".into(), duration_ms: 80 }));
    world.pending.retain(|pending| !matches!(pending, Pending::Media(.., Fact::RecordingFinished(_))));
    world.run();
    world.finish_prompt(caller);
    ["m2", "m3"].into_iter().for_each(|node| world.announce_media(node));
    for node in ["m1", "m2"] {
        world.drain(node);
        world.run();
        world.pass(10_000);
    }
    assert_eq!(world.call(caller).media.node, "m3");
    let asked = |world: &World| -> Vec<String> {
        world.sessions[&call].left.iter().map(|left| left.id.clone()).collect()
    };
    assert!(asked(&world).is_empty(), "it is made whole where it lies");
    world.command(Command::NodeLost { name: "m1".into(), tells: true });
    assert_eq!(asked(&world), [first]);
}

#[test]
fn sound_that_is_whole_before_its_message_ends_is_the_messages_all_the_same() {
    let mut world = world(vec![to("sales")]);
    let caller = speaking(&mut world);
    world.pass(2_000);
    let (call, taken) = (world.call(caller).id, recording(&world, caller).expect("a recording"));
    let media::Recording { id, object, .. } = taken;
    let finished =
        media::RecordingFinished { recording: id, object, duration_ms: 2_000, ..Default::default() };
    world.media(call, Fact::RecordingFinished(finished));
    world.hang_up(caller);
    assert!(messages(&world, "sales")[0].stored);
}

#[test]
fn messages_of_a_company_that_leaves_are_its_next_homes_to_mail() {
    let mut world = world(vec![to("sales")]);
    let caller = speaking(&mut world);
    world.pass(2_000);
    world.hang_up(caller);
    let due = world.state.mail_due();
    assert_eq!(due.len(), 1);
    let epoch = world.freeze();
    assert_eq!(world.state.mail_due(), [], "that it was mailed could not be noted");
    world.carry(epoch, 5_000);
    world.settle(epoch);
    assert_eq!(world.state.mail_due(), due);
}

/// Its media node was away with it for longer than calls are remembered.
#[test]
fn sound_that_comes_when_its_call_is_forgotten_is_the_messages_alone() {
    let mut world = World::raised();
    world.configure(TenantConfig { version: 2, ..config(vec![to("sales")]) });
    let caller = speaking(&mut world);
    world.pass(2_000);
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye);
    let is_finished =
        |pending: &mut Pending| matches!(pending, Pending::Media(.., Fact::RecordingFinished(_)));
    let finished: Vec<Pending> = world.pending.extract_if(.., is_finished).collect();
    world.run();
    world.pass(25 * 3_600_000);
    assert!(world.try_call(caller).is_none() && !messages(&world, "sales")[0].stored);
    for finished in finished {
        world.deliver(finished);
    }
    assert!(messages(&world, "sales")[0].stored);
    let has_late = world.state.outbox().any(|(_, record)| matches!(record, Record::LateRecording(_)));
    assert!(!has_late, "a record lists no messages");
}

#[test]
fn sound_that_is_there_before_the_message_is_over_is_its_all_the_same() {
    let mut world = world(vec![to("sales")]);
    let caller = speaking(&mut world);
    world.pass(2_000);
    let (call, taken) = (world.call(caller).id, recording(&world, caller).expect("a recording"));
    let finished = media::RecordingFinished {
        recording: taken.id,
        object: taken.object,
        duration_ms: 2_000,
        sha256: "ab".into(),
        ..Default::default()
    };
    world.media(call, Fact::RecordingFinished(finished));
    world.hang_up(caller);
    assert!(messages(&world, "sales")[0].stored);
}

#[test]
fn a_deleted_message_is_shown_no_more_and_forgotten_with_its_sound() {
    let mut world = world(vec![to("sales")]);
    let caller = speaking(&mut world);
    world.pass(2_000);
    world.hang_up(caller);
    let number = messages(&world, "sales")[0].id;
    assert!(matches!(say(&mut world, "sales", number, MessageWish::Gone), Reply::Refused { .. }));
    assert_eq!(say(&mut world, "sales", number, MessageWish::Delete), Reply::Done);
    assert_eq!(say(&mut world, "sales", number, MessageWish::Delete), Reply::Seen, "asked again");
    assert!(matches!(say(&mut world, "sales", number, MessageWish::Hear), Reply::NotFound { .. }));
    assert_eq!((messages(&world, "sales"), world.state.mail_due()), (vec![], vec![]));
    assert_eq!(world.state.deletion_due().len(), 1);
    say(&mut world, "sales", number, MessageWish::Gone);
    assert_eq!(world.state.deletion_due(), []);
    assert_eq!(world.tenant().messages("sales"), None, "nothing is kept of an empty box");
    for (name, number) in [("sales", number), ("sales", 9_999), ("nobody", 1)] {
        let reply = say(&mut world, name, number, MessageWish::Delete);
        assert!(matches!(reply, Reply::NotFound { .. }), "{name}/{number}");
    }
}

#[test]
fn a_box_that_is_not_configured_any_more_keeps_its_messages() {
    let mut world = world(vec![to("sales")]);
    let caller = speaking(&mut world);
    world.pass(2_000);
    world.hang_up(caller);
    world.configure(TenantConfig { version: 2, ..acme::config() });
    let kept = boxed(&world, "sales");
    assert_eq!((kept.messages.len(), kept.group, kept.employee), (1, None, None));
    assert_eq!(world.tenant().voicemail().len(), 1, "anna's was empty");
    let before = world.state.messages_before(&tenant_id(), u64::MAX);
    assert_eq!(before.len(), 1);
    assert_eq!(world.state.messages_before(&tenant_id(), before[0].message.at), []);
}
