//! What comes twice, late, or to nobody.

use mangrove_proto::edge;
use mangrove_sip::Transport;

use crate::{
    Action, Command, NodeInfo, Reply, Sender,
    tests::{acme::NUMBER, world::World},
};

#[test]
fn a_duplicate_invite_makes_no_second_call_and_gets_the_same_answer() {
    let mut world = World::acme();
    let caller = world.call_in(NUMBER);
    world.run();
    let answer = world.ends[caller].heard.last().expect("200").clone();
    let invite = world.ends[caller].invite.to_bytes();
    world.outside(caller, invite);
    assert_eq!(world.tenant().calls().count(), 1);
    assert_eq!(world.ends[caller].heard.last(), Some(&answer));
    world.run();
}

#[test]
fn an_invite_that_comes_again_by_another_edge_is_answered_there() {
    let mut world = World::acme();
    let caller = world.call_in(NUMBER);
    world.run();
    let contacts = vec![(Transport::Udp, "10.0.0.9:5060".to_owned())];
    world.command(Command::NodeAnnounced { node: NodeInfo { name: "e2".into(), contacts, media: false } });
    let is_invite =
        |command: &Command| matches!(command, Command::EdgeReported { event, .. } if event.leg.is_empty());
    let (invite, _) = world.log.iter().find(|(command, _)| is_invite(command)).expect("an INVITE").clone();
    let Command::EdgeReported { mut event, .. } = invite else { unreachable!() };
    event.sequence = 1;
    world.command(Command::EdgeReported { sender: Sender { node: "e2".into(), run: 1 }, event });
    let by = |effect: &crate::Effect| match &effect.action {
        Action::Edge { node, .. } => Some(node.clone()),
        Action::Media { .. } => None,
    };
    let told: Vec<_> = world.last.actions.iter().filter_map(by).collect();
    assert!(!told.is_empty() && told.iter().all(|node| node == "e2"), "{told:?}");
    assert_eq!(world.tenant().calls().count(), 1);
    world.hang_up(caller);
    world.run();
}

#[test]
fn an_event_is_taken_once() {
    let mut world = World::acme();
    let caller = world.call_in(NUMBER);
    world.run();
    let before = world.state.hash();
    let (command, _) = world.log.last().expect("an event").clone();
    assert!(matches!(command, Command::EdgeReported { .. } | Command::MediaReported { .. }));
    assert_eq!(world.command(command), Reply::Seen);
    assert!(world.last.actions.is_empty());
    assert_eq!(world.state.hash(), before);
    assert_eq!(world.stage(caller), "playing");
}

#[test]
fn a_new_run_of_a_sender_counts_from_the_start_and_an_old_one_no_more() {
    let mut world = World::acme();
    let event = |sequence| edge::EdgeEvent {
        sequence,
        tenant: "acme".into(),
        leg: String::new(),
        fact: Some(edge::edge_event::Fact::FlowClosed(edge::FlowClosed { flow: "f".into() })),
    };
    let sender = |run| Sender { node: "e1".into(), run };
    assert_eq!(world.command(Command::EdgeReported { sender: sender(2), event: event(1) }), Reply::Done);
    assert_eq!(world.command(Command::EdgeReported { sender: sender(2), event: event(1) }), Reply::Seen);
    assert_eq!(world.command(Command::EdgeReported { sender: sender(1), event: event(999) }), Reply::Seen);
    assert_eq!(world.command(Command::EdgeReported { sender: sender(2), event: event(2) }), Reply::Done);
}

#[test]
fn after_a_gap_nothing_is_taken_until_what_is_missing_came() {
    let mut world = World::acme();
    let event = |sequence| edge::EdgeEvent {
        sequence,
        tenant: "acme".into(),
        leg: String::new(),
        fact: Some(edge::edge_event::Fact::FlowClosed(edge::FlowClosed { flow: "f".into() })),
    };
    let sender = |run| Sender { node: "e1".into(), run };
    let last = world.state.senders().find(|(name, ..)| *name == "edge/e1").map_or(0, |(_, _, last)| last);
    let mut deliver =
        |run, sequence| world.command(Command::EdgeReported { sender: sender(run), event: event(sequence) });
    assert_eq!(deliver(1, last + 2), Reply::Gap { last });
    assert_eq!(deliver(1, last + 1), Reply::Done);
    assert_eq!(deliver(1, last + 2), Reply::Done);
    assert_eq!(deliver(2, 2), Reply::Gap { last: 0 }, "a new run begins with 1");
    assert_eq!(deliver(2, 1), Reply::Done);
}

#[test]
fn a_bye_for_a_dialog_that_is_not_there_gets_481() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    let bye = world.ends[caller].request("BYE", "", "");
    let stranger = format!("leg_1{}", "0".repeat(22));
    let received = edge::Received {
        message: bye.into(),
        source: Some(edge::Source {
            transport: edge::Transport::Udp.into(),
            remote: "127.0.0.1:5080".into(),
            local: "10.0.0.1:5060".into(),
            flow: String::new(),
        }),
        ingress: None,
        received_at_unix_ms: 0,
    };
    let reply = world.edge(&stranger, edge::edge_event::Fact::Received(received));
    assert!(matches!(reply, Reply::NotFound { .. }));
    let Action::Edge { command, .. } = &world.last.actions[0].action else { panic!("an answer") };
    let Some(edge::edge_command::Op::Response(response)) = &command.op else { panic!("a response") };
    assert!(String::from_utf8_lossy(&response.message).starts_with("SIP/2.0 481"));
    assert_eq!(world.stage(caller), "talking");
}

#[test]
fn a_retransmitted_bye_is_answered_after_the_end() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye.clone());
    world.run();
    world.pass(20_000);
    let told = world.ends[caller].words().iter().filter(|word| *word == "200 BYE").count();
    world.sip(caller, bye);
    let again = world.ends[caller].words().iter().filter(|word| *word == "200 BYE").count();
    assert_eq!(again, told + 1);
    assert_eq!(world.records().len(), 1);
}

#[test]
fn nonsense_changes_nothing() {
    let mut world = World::acme();
    let caller = world.call_in(NUMBER);
    for bytes in [
        &b""[..],
        b"\r\n\r\n",
        b"\xff\xfe\x00",
        b"INVITE",
        b"BYE sip:x SIP/2.0\r\n\r\n",
        b"SIP/2.0 999 X\r\n\r\n",
    ] {
        world.sip(caller, bytes.to_vec());
        world.outside(caller, bytes.to_vec());
    }
    assert_eq!(world.stage(caller), "arriving");
    world.command(Command::TimerDue { object: crate::ObjectRef::Tenant("nobody".into()) });
    world.command(Command::CommandCall {
        tenant: "nobody".into(),
        call: mangrove_proto::id::CallId(7),
        wish: crate::CallWish::HangUp,
        author: Default::default(),
        ask: None,
    });
    assert!(matches!(world.last.reply, Reply::NotFound { .. }));
    world.run();
    assert_eq!(world.stage(caller), "playing");
}
