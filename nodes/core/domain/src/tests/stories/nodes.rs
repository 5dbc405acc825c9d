//! Nodes that die under calls.

use mangrove_proto::media::media_event::Fact;
use mangrove_sip::Transport;

use crate::{Action, Command, NodeInfo, Sender, tests::world::World};

#[test]
fn a_lost_media_nodes_calls_go_on_at_another_one() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    world.command(Command::NodeAnnounced {
        node: NodeInfo { name: "m2".into(), contacts: vec![], media: true },
    });
    world.command(Command::NodeLost { name: "m1".into() });
    let moved = world
        .last
        .actions
        .iter()
        .any(|effect| matches!(&effect.action, Action::Media { node, .. } if node == "m2"));
    assert!(moved);
    let (call, version) = (world.call(caller).id, world.call(caller).media.version);
    let address = |end: usize, port: u16| mangrove_proto::media::EndpointAddress {
        endpoint: world.ends[end].leg.clone(),
        address: format!("10.0.0.3:{port}"),
    };
    let ready = mangrove_proto::media::Ready {
        version,
        addresses: vec![address(caller, 30_000), address(anna, 30_002)],
    };
    let event = mangrove_proto::media::MediaEvent {
        sequence: 1,
        tenant: "acme".into(),
        session: call.to_string(),
        fact: Some(Fact::Ready(ready)),
    };
    world.pending.clear();
    world.command(Command::MediaReported { sender: Sender { node: "m2".into(), run: 1 }, event });
    for end in [caller, anna] {
        let last = world.ends[end].heard.last().expect("a re-INVITE");
        assert_eq!(last.method().as_str(), "INVITE");
        assert!(String::from_utf8_lossy(last.body()).contains("10.0.0.3"));
    }
    world.run();
    assert!(world.are_joined(caller, anna));
}

#[test]
fn without_another_media_node_calls_end_and_say_why() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    world.command(Command::NodeLost { name: "m1".into() });
    assert_eq!(world.stage(caller), "over");
    world.pending.clear();
    world.pass(10_000);
    assert_eq!(world.record().cause, "media-lost");
}

#[test]
fn a_lost_edges_dialogs_go_on_through_another_one() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    let contacts = vec![(Transport::Udp, "10.0.0.9:5060".to_owned())];
    world.command(Command::NodeAnnounced { node: NodeInfo { name: "e2".into(), contacts, media: false } });
    world.command(Command::NodeLost { name: "e1".into() });
    world.hang_up(caller);
    assert!(world.ends[anna].was_told("BYE"));
}
