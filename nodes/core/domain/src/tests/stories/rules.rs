//! The version of the rules that a group has committed.

use crate::{
    Command, Reply, State, apply,
    rules::{self, NEWEST},
    tests::world::{World, tenant_id},
};

fn raise(world: &mut World, to: u32) -> Reply {
    world.command(Command::RaiseRules { to })
}

fn restored(state: &State) -> Result<State, String> {
    State::restore(&state.snapshot().expect("a snapshot")).map_err(|error| error.to_string())
}

#[test]
fn they_rise_once_and_never_fall() {
    let mut world = World::acme();
    assert_eq!(world.state.rules(), 0);
    assert_eq!(raise(&mut world, NEWEST), Reply::Done);
    for late in [NEWEST, NEWEST - 1, 0] {
        assert_eq!(raise(&mut world, late), Reply::Seen);
        assert_eq!(world.state.rules(), NEWEST);
    }
    assert!(world.last.actions.is_empty() && world.last.touched.is_empty(), "nobody outside hears of it");
}

#[test]
fn those_that_this_build_does_not_know_are_refused_and_nothing_changes() {
    let mut world = World::acme();
    let (before, command) = (world.state.clone(), Command::RaiseRules { to: NEWEST + 1 });
    assert_eq!(rules::unknown(&command), Some(NEWEST + 1));
    let reply = world.command(command);
    assert!(matches!(&reply, Reply::Refused { why } if why.contains("not known to this build")), "{reply:?}");
    assert_eq!(world.state, before);
    assert_eq!(rules::unknown(&Command::RaiseRules { to: NEWEST }), None);
}

#[test]
fn a_snapshot_has_them_unless_they_are_the_first() {
    let mut world = World::acme();
    let is_written = |state: &State| {
        let bytes = state.snapshot().expect("a snapshot");
        // A key of five letters, as MessagePack has it.
        bytes.windows(6).any(|word| word == b"\xa5rules")
    };
    assert!(!is_written(&world.state));
    let first = world.state.hash();
    raise(&mut world, NEWEST);
    assert!(is_written(&world.state));
    assert_eq!(restored(&world.state), Ok(world.state.clone()));
    assert_ne!(world.state.hash(), first, "replicas that differ in them are told apart");
}

#[test]
fn a_state_under_unknown_ones_is_not_read() {
    let state = State { rules: NEWEST + 1, ..State::default() };
    let error = restored(&state).expect_err("unknown rules");
    assert!(error.contains(&format!("rules {}", NEWEST + 1)) && error.contains("start the build"), "{error}");
    let mut world = World::acme();
    world.freeze();
    let mut copy = world.state.departure(&tenant_id()).expect("a copy");
    copy.rules = NEWEST + 1;
    let mut home = State::default();
    home.arrivals.insert(tenant_id(), copy.into());
    assert!(restored(&home).is_err(), "nor one into which they may come");
}

#[test]
fn a_tenant_that_moves_takes_newer_ones_along() {
    let mut world = World::acme();
    raise(&mut world, NEWEST);
    let (caller, anna) = world.talking("101");
    let epoch = world.freeze();
    world.carry(epoch, 7);
    assert_eq!(world.state.rules(), NEWEST, "its new home had the first ones");
    world.settle(epoch);
    assert!(world.are_joined(caller, anna));
}

#[test]
fn a_copy_under_unknown_ones_is_not_taken_in() {
    let mut world = World::acme();
    world.freeze();
    let mut copy = world.state.departure(&tenant_id()).expect("a copy");
    copy.rules = NEWEST + 1;
    let (mut home, stamp) = (State::default(), world.stamp());
    let command = Command::TakeInTenant { arrival: copy.into() };
    assert_eq!(rules::unknown(&command), Some(NEWEST + 1));
    assert!(matches!(apply(&mut home, command, stamp).reply, Reply::Refused { .. }));
    assert_eq!(home, State::default());
}

#[test]
fn a_restored_group_goes_on_under_its_own() {
    let mut world = World::acme();
    raise(&mut world, NEWEST);
    let stamp = world.stamp();
    assert_eq!(world.state.clone().refounded(1, 1, stamp.now, stamp.wall).rules(), NEWEST);
}

#[test]
fn what_came_with_the_first_raise() {
    for is_known in [
        rules::speaks_beyond_g711,
        rules::speaks_srtp,
        rules::keeps_calls,
        rules::plays_by_clock,
        rules::announces,
        rules::relays_fax,
        rules::records_by_rule,
        rules::monitors,
    ] {
        assert_eq!([0, 1, NEWEST].map(is_known), [false, true, true]);
    }
}
