//! Phones in browsers: rung over the WebSocket that they registered by, and gone with it.

use mangrove_proto::edge::{Failed, FlowClosed, edge_event::Fact, failed::Reason};
use mangrove_sip::Transport;

use crate::{
    Command, NodeInfo,
    tests::{acme, world::World},
};

fn edge(name: &str, host: &str) -> Command {
    let contacts = vec![
        (Transport::Udp, format!("{host}:5060")),
        (Transport::Tcp, format!("{host}:5060")),
        (Transport::Ws, format!("{host}:8080")),
    ];
    Command::NodeAnnounced { node: NodeInfo { name: name.into(), contacts, media: false } }
}

/// Anna in a browser, Boris at a desk phone.
fn browser() -> World {
    let mut world = World::of(acme::config());
    world.command(edge("e1", "10.0.0.1"));
    world.register_over_websocket("101", "flow-1");
    world.register("102");
    world
}

#[test]
fn a_browser_is_rung_and_answers_as_any_phone() {
    let mut world = browser();
    let caller = world.queued();
    let anna = world.ringing("101").expect("Anna's page rings");
    let invite = &world.ends[anna].invite;
    let target = invite.request_uri().map(|uri| uri.to_string());
    assert_eq!(target.as_deref(), Ok("sip:101@df7jal23ls0d.invalid;transport=ws"));
    let contact = invite.header("Contact").expect("ours");
    assert!(contact.ends_with("@10.0.0.1:8080;transport=ws>"), "{contact}");
    assert_eq!(world.pick_up("101"), anna);
    assert!(world.are_joined(caller, anna));
    world.hang_up(caller);
    assert!(world.ends[anna].was_told("BYE"));
}

#[test]
fn a_websocket_that_closes_under_a_ringing_page_leaves_the_caller_in_line() {
    let mut world = browser();
    let caller = world.queued();
    let anna = world.ringing("101").expect("Anna's page rings");
    world.edge("", Fact::FlowClosed(FlowClosed { flow: "flow-1".into() }));
    assert!(!world.agent("anna").is_reachable(world.now));
    let (leg, branch) = (world.ends[anna].leg.clone(), world.ends[anna].invite.branch().expect("ours"));
    let failed = Failed { reason: Reason::TransportFailed.into(), branch, method: "INVITE".into() };
    world.edge(&leg, Fact::Failed(failed));
    world.run();
    assert_eq!(world.stage(caller), "waiting");
    assert!(world.ringing("102").is_some(), "the next one, at once");
}

#[test]
fn with_an_edge_its_websockets_are_gone_and_the_next_agent_rings_at_once() {
    let mut world = browser();
    let caller = world.queued();
    assert!(world.ringing("101").is_some());
    world.command(edge("e2", "10.0.0.9"));
    world.command(Command::NodeLost { name: "e1".into(), tells: true });
    assert!(!world.agent("anna").is_reachable(world.now));
    assert!(world.agent("boris").is_reachable(world.now), "another edge reaches his phone");
    world.run();
    assert_eq!(world.stage(caller), "waiting");
    assert!(world.ringing("102").is_some());
}

#[test]
fn a_talk_outlives_the_edge_of_its_websocket() {
    let mut world = browser();
    let (caller, anna) = world.talking("101");
    world.command(edge("e2", "10.0.0.9"));
    world.command(Command::NodeLost { name: "e1".into(), tells: true });
    world.run();
    assert_eq!(world.stage(caller), "talking");
    world.hang_up(anna);
    assert!(world.ends[caller].was_told("BYE"));
}
