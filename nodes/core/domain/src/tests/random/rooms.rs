//! The same with conferences and boxes: people come to them from everywhere, type, are sent on, and leave by every way, while
//! media nodes come and go and the company moves.

use mangrove_proto::media::{Digit, media_event::Fact};
use mangrove_sip::Seed;

use super::{
    act::{self, any_call, any_end, any_of},
    nothing_is_left, replays_alike, rest, setting,
};
use crate::{
    Author, CallWish, Command, ConferenceWish, MessageWish,
    config::{Conference, Mailbox, Owner, Scheme, Step, Strategy, TenantConfig, conference::digest},
    mailbox::Place,
    rules::NEWEST,
    tests::world::{World, tenant_id},
};

/// Extensions of the conference that anybody may come to, and of the one with PINs and moderators.
const ROOMS: [&str; 2] = ["300", "301"];
const KEYS: [&str; 5] = ["1", "2", "#", "#", "*"];
const BOXES: [&str; 2] = ["sales", "anna"];
const STEPS: u64 = 40;

fn conference(name: &str, extension: &str, pins: Option<[&str; 2]>) -> Conference {
    let pin = |at: usize| pins.map(|pins| digest("acme", name, pins[at]));
    Conference {
        name: name.into(),
        extension: Some(extension.into()),
        pin: pin(0),
        moderator_pin: pin(1),
        waits_for_moderator: pins.is_some(),
        chimes: true,
        most: Some(3),
    }
}

fn mailbox(name: &str, owner: Owner) -> Mailbox {
    let email = Some("sales@acme.example".into());
    Mailbox { name: name.into(), owner, greeting: None, longest_ms: 20_000, email }
}

/// The second number leads to a box, then to the conference with PINs, and who does not get in there to the queue.
fn config() -> TenantConfig {
    let mut config = super::config(Strategy::LongestIdle);
    config.conferences =
        [conference("open", ROOMS[0], None), conference("closed", ROOMS[1], Some(["1", "2"]))]
            .map(|conference| (conference.name.clone(), conference))
            .into();
    config.voicemail =
        [mailbox(BOXES[0], Owner::Group("200".into())), mailbox(BOXES[1], Owner::Employee("anna".into()))]
            .map(|mailbox| (mailbox.name.clone(), mailbox))
            .into();
    let steps = vec![
        Step::Voicemail { mailbox: BOXES[0].into(), greeting: None },
        Step::Conference { name: "closed".into() },
        Step::Group { id: "200".into(), priority: None },
    ];
    config.schemes.insert("rooms".into(), Scheme { name: "rooms".into(), steps });
    if let Some(number) = config.numbers.get_mut(act::VIP) {
        number.scheme = "rooms".into();
    }
    config
}

fn base() -> World {
    let mut world = World::of(config());
    ["101", "102", "190"].into_iter().for_each(|extension| world.register(extension));
    world.command(Command::RaiseRules { to: NEWEST });
    world
}

fn deed(world: &mut World, chance: &mut Seed) {
    match chance.below(16) {
        0 => drop(world.call_in(act::VIP)),
        1 => drop(world.call_from(any_of(&["101", "102", "110", "190"], chance), any_of(&ROOMS, chance))),
        2 => send_into_room(world, chance),
        3..=5 => key(world, chance),
        6 => confer(world, chance),
        7 => message(world, chance),
        8 => nodes(world, chance),
        _ => act::act(world, chance),
    }
}

fn send_into_room(world: &mut World, chance: &mut Seed) {
    if let Some(index) = any_end(world, chance) {
        world.refer(index, any_of(&ROOMS, chance));
    }
}

fn key(world: &mut World, chance: &mut Seed) {
    let Some(call) = any_call(world, chance) else { return };
    let guest = world.tenant().call(call).map(|call| call.guest.to_string());
    let (endpoint, digit) = (guest.unwrap_or_default(), any_of(&KEYS, chance).to_owned());
    world.media(call, Fact::Digit(Digit { endpoint, digit, duration_ms: 80 }));
}

fn confer(world: &mut World, chance: &mut Seed) {
    let Some(call) = any_call(world, chance) else { return };
    let wish = ConferenceWish::ALL[chance.below(5) as usize];
    let (wish, author) = (CallWish::Confer(wish), Author::default());
    world.command(Command::CommandCall { tenant: tenant_id(), call, wish, author, ask: None });
}

/// About a message that is there, or is not any more.
fn message(world: &mut World, chance: &mut Seed) {
    let wishes = [MessageWish::Hear, MessageWish::Delete, MessageWish::Mailed, MessageWish::Gone];
    let wish = wishes[chance.below(4) as usize];
    let boxes = world.tenant().voicemail();
    let left =
        boxes.iter().flat_map(|of| of.messages.iter().map(move |message| (of.name.as_str(), message.id)));
    let errands = world.state.deletion_due();
    let deleted = errands.iter().map(|errand| (&*errand.place.mailbox, errand.place.number));
    let known: Vec<(&str, u64)> = left.chain(deleted).chain([(BOXES[0], 1)]).collect();
    let (mailbox, number) = known[chance.below(known.len() as u64) as usize];
    let (place, author) = (Place { mailbox: mailbox.into(), number }, Author::default());
    world.command(Command::CommandMessage { tenant: tenant_id(), place, wish, author });
}

/// Of two media nodes one is there at least.
fn nodes(world: &mut World, chance: &mut Seed) {
    let name = any_of(&["m1", "m2"], chance);
    let are_both_there = world.state.nodes().filter(|node| node.media).count() == 2;
    match chance.below(4) {
        0 if are_both_there => drop(world.command(Command::NodeLost { name: name.into(), tells: true })),
        1 => drop(world.drain(name)),
        _ => world.announce_media(name),
    }
}

fn shake(base: &World, seed: u64) -> World {
    let (mut world, mut chance) = (base.clone(), Seed::new(seed));
    (0..5 + chance.below(STEPS)).for_each(|_| deed(&mut world, &mut chance));
    rest(&mut world);
    world
}

/// As [`shake`], with the company on its way to another group in between.
fn shake_and_move(base: &World, seed: u64) -> World {
    let (mut world, mut chance) = (base.clone(), Seed::new(seed));
    for _ in 0..2 {
        (0..chance.below(STEPS / 2)).for_each(|_| deed(&mut world, &mut chance));
        let epoch = world.freeze();
        (0..chance.below(3)).for_each(|_| world.deliver_next());
        world.carry(epoch, chance.below(2_000_000_000));
        world.settle(epoch);
    }
    rest(&mut world);
    world
}

fn rooms_are_empty(world: &World, seed: u64) {
    nothing_is_left(world, seed);
    let conferences = &world.tenant().conferences;
    assert!(conferences.is_empty(), "seed {seed}: {conferences:#?}");
}

fn sequences(run: impl Fn(u64)) {
    if let Some(seed) = setting("MANGROVE_SEED") {
        return run(seed);
    }
    (0..setting("MANGROVE_SEQUENCES").unwrap_or(10_000) / 20).for_each(|seed| {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(seed)));
        done.unwrap_or_else(|panic| {
            eprintln!("MANGROVE_SEED={seed} repeats this failure");
            std::panic::resume_unwind(panic)
        });
    });
}

#[test]
fn conferences_and_messages_break_no_invariant() {
    let base = base();
    sequences(|seed| {
        let world = shake(&base, seed);
        rooms_are_empty(&world, seed);
        replays_alike(&base, &world, seed);
    });
}

#[test]
fn conferences_and_messages_that_move_break_no_invariant() {
    let base = base();
    sequences(|seed| rooms_are_empty(&shake_and_move(&base, seed), seed));
}

#[test]
fn people_hear_each_other_in_rooms_and_leave_messages() {
    let base = base();
    let (mut rooms, mut boxes) = (0, 0);
    for seed in 0..200 {
        let (mut world, mut chance) = (base.clone(), Seed::new(seed));
        let (mut had_room, mut had_message) = (false, false);
        for _ in 0..STEPS {
            deed(&mut world, &mut chance);
            let are_in = world.tenant().calls().filter(|call| call.is_in_conference()).count();
            had_room |= are_in >= 2;
            had_message |= world.tenant().voicemail().iter().any(|of| !of.messages.is_empty());
        }
        rooms += usize::from(had_room);
        boxes += usize::from(had_message);
    }
    assert!(rooms >= 10 && boxes >= 10, "{rooms} of 200 have a conference of two, {boxes} a message");
}
