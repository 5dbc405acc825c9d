//! All of it shaken: phones, carrier, agents and media node do anything at any time, early, late, twice. After every
//! command all invariants hold; at the end nothing is left and every call has its one record; the log replayed, or
//! continued from a snapshot in its middle, gives the same state.
//!
//! `MANGROVE_SEQUENCES` sets how many sequences run, `MANGROVE_SEED` runs a single one.

mod act;
mod rooms;

use std::collections::BTreeSet;

use mangrove_proto::live::Cdr;
use mangrove_sip::Seed;

use super::{
    RESERVATIONS_IGNORED, acme,
    far_end::{FarEnd, sdp_of},
    world::{World, tenant_id},
};
use crate::{
    Author, CallWish, Command, Stamp, State, apply,
    call::Call,
    config::{Announce, Device, Number, Security, SipDevice, Strategy, TenantConfig},
    invariant,
    rules::{NEWEST, keeps_calls},
};

const STEPS: u64 = 26;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// Acme with one of the strategies, two agents of one priority, one of them with a second device (111), and a second
/// number whose callers go first.
fn config(strategy: Strategy) -> TenantConfig {
    let mut config = acme::config();
    let number = Number { number: act::VIP.into(), priority: 3, ..config.numbers[acme::NUMBER].clone() };
    config.numbers.insert(number.number.clone(), number);
    let second =
        SipDevice { username: "111".into(), md5: "".into(), sha256: "".into(), srtp: Security::Accept };
    config.employees.get_mut(&"anna".into()).expect("anna").devices.push(Device::Sip(second));
    let group = config.groups.get_mut(&"200".into()).expect("sales");
    group.strategy = strategy;
    group.members.iter_mut().for_each(|member| member.priority = 0);
    group.queue.max_length = Some(4);
    group.queue.announce = Some(Announce { every_ms: 2_000, position: true, expected_wait: true });
    config.numbers.values_mut().for_each(|number| number.channels = 4);
    config
}

/// Every strategy, once at rest, once with a call that is answered, one that rings, and one that hears the greeting, and
/// once under the newest rules with a talk in Opus.
fn bases() -> Vec<World> {
    let quiet = |strategy: &Strategy| {
        let mut world = World::of(config(*strategy));
        ["101", "102", "190"].into_iter().for_each(|extension| world.register(extension));
        world
    };
    let busy = |world: &World| {
        let mut world = world.clone();
        let caller = world.queued();
        let rung = ["101", "102"].into_iter().find(|extension| world.ringing(extension).is_some());
        world.pick_up(rung.expect("somebody rings"));
        assert_eq!(world.stage(caller), "talking");
        world.queued();
        world.call_in(acme::NUMBER);
        world.run();
        world
    };
    let raised = |world: &World| {
        let (mut world, opus) = (world.clone(), sdp_of("111 101", &["111 opus/48000/2"], 1));
        world.command(Command::RaiseRules { to: NEWEST });
        let caller = world.call_in_offering(acme::NUMBER, &opus);
        world.run();
        world.finish_prompt(caller);
        let rung = ["101", "102"].into_iter().find(|extension| world.ringing(extension).is_some());
        world.pick_up_saying(rung.expect("somebody rings"), &opus);
        assert_eq!(world.stage(caller), "talking");
        world.queued();
        world
    };
    let quiet: Vec<World> = Strategy::ALL.iter().map(quiet).collect();
    let busy: Vec<World> = quiet.iter().map(busy).collect();
    let raised: Vec<World> = quiet.iter().map(raised).collect();
    [quiet, busy, raised].concat()
}

/// One sequence: shaken, then brought to rest.
fn shake(base: &World, seed: u64) -> World {
    let mut world = base.clone();
    let mut chance = Seed::new(seed);
    let steps = 5 + chance.below(STEPS);
    for _ in 0..steps {
        act::act(&mut world, &mut chance);
    }
    rest(&mut world);
    world
}

/// Everybody hangs up, all timers fire.
fn rest(world: &mut World) {
    world.run();
    let live: Vec<_> = world.tenant().calls().filter(|call| !call.is_over()).map(|call| call.id).collect();
    for call in live {
        let (wish, author) = (CallWish::HangUp, Author::default());
        world.command(Command::CommandCall { tenant: tenant_id(), call, wish, author, ask: None });
    }
    world.run();
    world.pass(120_000);
}

fn nothing_is_left(world: &World, seed: u64) {
    let left: Vec<&Call> = world.tenant().calls().collect();
    assert!(left.is_empty(), "seed {seed}: {left:#?}");
    for agent in world.tenant().agents() {
        assert_eq!((agent.engaged, agent.consults), (None, None), "seed {seed}: {agent:?}");
    }
    let records = world.records();
    let calls: BTreeSet<_> = records.iter().map(|cdr| cdr.call).collect();
    // A recording that came late has brought its call's record once more, with it.
    let again = records.iter().filter(|cdr| {
        let lacks = |other: &Cdr| other.call == cdr.call && other.recordings.len() < cdr.recordings.len();
        records.iter().any(lacks)
    });
    assert_eq!(calls.len(), records.len() - again.count(), "seed {seed}: a call has two records");
    let joins = |end: &FarEnd| keeps_calls(world.state.rules()) && end.invite.header("Replaces").is_some();
    let calls_begun = |end: &&FarEnd| end.calls && !end.heard.is_empty() && !joins(end);
    let begun = world.ends.iter().filter(calls_begun).count();
    assert_eq!(calls.len(), begun, "seed {seed}: a call has no record");
}

fn replay(state: &mut State, log: &[(Command, Stamp)]) {
    for (command, stamp) in log {
        apply(state, command.clone(), *stamp);
    }
}

/// The same log gives the same state; so does its second half after a snapshot.
fn replays_alike(base: &World, world: &World, seed: u64) {
    let log = &world.log[base.log.len()..];
    let (first, second) = log.split_at(log.len() / 2);
    let mut replica = base.state.clone();
    replay(&mut replica, first);
    let mut restored = State::restore(&replica.snapshot().expect("a snapshot")).expect("a state");
    replay(&mut restored, second);
    assert_eq!(restored.hash(), world.state.hash(), "seed {seed}: a restored replica differs");
}

fn sequence(bases: &[World], seed: u64) {
    let base = &bases[(seed % bases.len() as u64) as usize];
    let world = shake(base, seed);
    nothing_is_left(&world, seed);
    replays_alike(base, &world, seed);
}

#[test]
fn ten_thousand_random_sequences_break_no_invariant() {
    let bases = bases();
    if let Some(seed) = setting("MANGROVE_SEED") {
        return sequence(&bases, seed);
    }
    let count = setting("MANGROVE_SEQUENCES").unwrap_or(10_000);
    let workers = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    std::thread::scope(|scope| {
        for worker in 0..workers {
            let bases = &bases;
            let run = move || (worker..count).step_by(workers as usize).for_each(|seed| guarded(bases, seed));
            scope.spawn(run);
        }
    });
}

/// Names the seed of a sequence that fails, whatever fails in it.
fn guarded(bases: &[World], seed: u64) {
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sequence(bases, seed)));
    if let Err(panic) = done {
        eprintln!("MANGROVE_SEED={seed} repeats this failure");
        std::panic::resume_unwind(panic);
    }
}

/// As [`shake`], with acme moving from group to group in between: reports are late, or wait for the tenant.
fn shake_and_move(base: &World, seed: u64) -> World {
    let mut world = base.clone();
    let mut chance = Seed::new(seed);
    for _ in 0..3 {
        (0..chance.below(STEPS / 2)).for_each(|_| act::act(&mut world, &mut chance));
        world.late = false;
        let epoch = world.freeze();
        (0..chance.below(3)).for_each(|_| world.deliver_next());
        world.carry(epoch, chance.below(2_000_000_000));
        (0..chance.below(3)).for_each(|_| world.deliver_next());
        world.settle(epoch);
        world.late = chance.below(2) == 0;
    }
    rest(&mut world);
    world
}

#[test]
fn tenants_that_move_at_any_time_break_no_invariant() {
    let bases = bases();
    let moved = |seed: u64| {
        let world = shake_and_move(&bases[(seed % bases.len() as u64) as usize], seed);
        nothing_is_left(&world, seed);
    };
    match setting("MANGROVE_SEED") {
        Some(seed) => moved(seed),
        None => (0..setting("MANGROVE_SEQUENCES").unwrap_or(10_000) / 10).for_each(|seed| {
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| moved(seed)));
            done.unwrap_or_else(|panic| {
                eprintln!("MANGROVE_SEED={seed} repeats this failure");
                std::panic::resume_unwind(panic)
            });
        }),
    }
}

/// As [`shake`], while two media nodes are about to go by turns, and one of them is lost at times.
fn shake_and_drain(base: &World, seed: u64) -> World {
    let mut world = base.clone();
    let mut chance = Seed::new(seed);
    for (stays, goes) in [("m2", "m1"), ("m1", "m2"), ("m2", "m1")] {
        world.announce_media(stays);
        (0..chance.below(STEPS / 3)).for_each(|_| act::act(&mut world, &mut chance));
        world.drain(goes);
        (0..chance.below(STEPS / 3)).for_each(|_| act::act(&mut world, &mut chance));
        let are_both_there = world.state.nodes().filter(|node| node.media).count() == 2;
        let name = match chance.below(6) {
            0 => stays,
            1 => goes,
            _ => continue,
        };
        if are_both_there {
            world.command(Command::NodeLost { name: name.into(), tells: true });
        }
    }
    rest(&mut world);
    world
}

#[test]
fn media_nodes_that_go_at_any_time_break_no_invariant() {
    let bases = bases();
    let drained = |seed: u64| {
        let base = &bases[(seed % bases.len() as u64) as usize];
        let world = shake_and_drain(base, seed);
        nothing_is_left(&world, seed);
        replays_alike(base, &world, seed);
    };
    match setting("MANGROVE_SEED") {
        Some(seed) => drained(seed),
        None => (0..setting("MANGROVE_SEQUENCES").unwrap_or(10_000) / 10).for_each(|seed| {
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drained(seed)));
            done.unwrap_or_else(|panic| {
                eprintln!("MANGROVE_SEED={seed} repeats this failure");
                std::panic::resume_unwind(panic)
            });
        }),
    }
}

#[test]
fn the_beginnings_replay_alike() {
    for base in bases() {
        let mut replica = State::default();
        replay(&mut replica, &base.log);
        assert_eq!(replica.hash(), base.state.hash());
    }
}

#[test]
fn a_rule_that_ignores_reservations_is_caught() {
    let bases = bases();
    RESERVATIONS_IGNORED.with(|ignored| ignored.set(true));
    let caught = (0..50).any(|seed| {
        let mut world = bases[0].clone();
        world.strict = false;
        let mut chance = Seed::new(seed);
        (0..STEPS).any(|_| {
            act::act(&mut world, &mut chance);
            !invariant::check(&world.state).is_empty()
        })
    });
    RESERVATIONS_IGNORED.with(|ignored| ignored.set(false));
    assert!(caught, "the invariants notice nothing");
}

#[test]
fn many_calls_are_answered_and_many_causes_reached() {
    let bases = bases();
    let (mut causes, mut answered) = (BTreeSet::new(), 0);
    for seed in 0..400 {
        let records = shake(&bases[(seed % bases.len() as u64) as usize], seed).records();
        answered += usize::from(records.iter().any(|cdr| cdr.answered.is_some()));
        causes.extend(records.into_iter().map(|cdr| cdr.cause));
    }
    assert!(answered >= 200, "only {answered} of 400 sequences come to an answer");
    for cause in ["abandoned", "hung-up", "no-answer", "busy", "unreachable", "number-busy", "media-lost"] {
        assert!(causes.contains(cause), "{cause} never happens; {causes:?} do");
    }
}
