//! States as earlier builds wrote them are read, whole; others are refused by their version.

#[path = "../../../../../tests/src/golden.rs"]
mod golden;

use super::world::{World, tenant_id};
use crate::{AgentWish, Ask, Command, NodeInfo, Record, State, invariant};

/// Every kind of thing in it: calls in all stages, people, registrations, records, marks, tenants that come and go.
fn state() -> State {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    world.hang_up(caller);
    world.pass(3_000);
    world.register_at("190", "10.0.2.1:40000", "flow-190");
    world.talking("102");
    world.queued();
    let greeted = world.call_in(super::acme::NUMBER);
    world.run();
    assert_eq!(world.stage(greeted), "playing");
    world.command(Command::NodeAnnounced {
        node: NodeInfo { name: "m2".into(), contacts: vec![], media: true },
    });
    world.drain("m1");
    world.ask("anna", AgentWish::Available, Some(Ask { asker: 7, number: 1 }));
    let epoch = world.freeze();
    let bye = world.ends[greeted].request("BYE", "", "");
    world.sip(greeted, bye);
    let copy = world.state.departure(&tenant_id()).expect("a copy");
    let mut state = world.state.clone();
    state.arrivals.insert("bolt".into(), crate::Arrival { epoch: epoch + 1, ..copy }.into());
    state
}

#[test]
fn snapshots() {
    let write = |state: &State| state.snapshot().expect("a snapshot");
    let kept = golden::check(
        &["state-1.bin", "state-2.bin", "state-3.bin", "state-4.bin", "state-5.bin"],
        state,
        State::restore,
        write,
    );
    let tenant = kept.tenant(&tenant_id()).expect("acme");
    let mut stages: Vec<_> = tenant.calls().map(|call| call.stage.name()).collect();
    stages.sort_unstable();
    assert_eq!(stages, ["over", "playing", "talking", "waiting"]);
    assert_eq!(tenant.queues().map(|(_, queue)| queue.waiting.len()).sum::<usize>(), 1);
    assert!(tenant.agents().filter(|agent| !agent.phones.is_empty()).count() >= 3);
    let hold = kept.hold(&tenant_id()).expect("it moves");
    assert_eq!((hold.reports().count(), hold.records.len()), (1, 2));
    assert!(matches!((&hold.records[0].1, &hold.records[1].1), (Record::Cdr(_), Record::Audit(_))));
    assert!(!tenant.agent(&"anna".into()).expect("anna").asks.is_empty());
    assert_eq!((kept.arrivals().count(), kept.nodes().count(), kept.senders().count()), (1, 3, 2));
    assert_eq!(kept.rules(), 0, "the first ones are not written");
    assert!(kept.is_draining("m1") && tenant.calls().any(|call| call.media.leaves() == Some("m1")));
    assert_eq!(invariant::check(&kept), []);
}

/// Apart, so that states under the first rules stay as they were before there were others.
#[test]
fn snapshots_under_newer_rules() {
    let raised = || {
        let mut state = state();
        state.raise_rules(1);
        state
    };
    let write = |state: &State| state.snapshot().expect("a snapshot");
    let kept = golden::check(&["state-raised-1.bin"], raised, State::restore, write);
    assert_eq!((kept.rules(), kept.nodes().count()), (1, 3));
}

#[test]
fn another_format_is_refused_by_its_number() {
    let mut later = state().snapshot().expect("a snapshot");
    later[0] = 9;
    let error = State::restore(&later).expect_err("a later format").to_string();
    assert!(error.contains("format 9") && error.contains("start the build that wrote it"), "{error}");
}
