//! Callers in line are told their place, and hear the same music as all others.

use crate::{
    Command,
    call::{announce::Announcement, stage::Stage},
    config::{Announce, Music},
    rules::NEWEST,
    tests::{acme, world::World},
};

const EVERY_MS: u64 = 20_000;

/// Sales without a limit to waiting, both agents in a talk. Under rules of this version.
fn busy(rules: u32, announce: Option<Announce>) -> World {
    let mut world = World::acme();
    world.command(Command::RaiseRules { to: rules });
    configure(&mut world, 2, announce);
    world.talking("101");
    world.talking("102");
    world
}

fn configure(world: &mut World, version: u64, announce: Option<Announce>) {
    let mut config = acme::config();
    config.version = version;
    let queue = &mut config.groups.get_mut(&"200".into()).expect("sales").queue;
    (queue.max_wait_ms, queue.announce) = (None, announce);
    world.configure(config);
}

fn both() -> Option<Announce> {
    Some(Announce { every_ms: EVERY_MS, position: true, expected_wait: true })
}

/// The fragments that a caller is told; none: music.
fn told(world: &World, caller: usize) -> Option<Vec<String>> {
    let play = world.plays(caller).expect("something is played");
    let fragments = play.prompts.iter().filter_map(|key| key.strip_prefix("prompt/ru/"));
    (!play.repeat).then(|| fragments.map(str::to_owned).collect())
}

#[test]
fn a_caller_in_line_is_told_the_place_and_the_wait_and_hears_music_again() {
    let mut world = busy(NEWEST, both());
    let (first, second) = (world.queued(), world.queued());
    world.pass(EVERY_MS - 1);
    assert_eq!((told(&world, first), told(&world, second)), (None, None));
    world.pass(1);
    let next = ["you-are-next", "expected-wait", "number-2-feminine", "minute-2"];
    assert_eq!(told(&world, first).expect("words"), next);
    let behind = ["ahead-of-you", "number-1", "caller-1", "expected-wait", "number-3", "minute-2"];
    assert_eq!(told(&world, second).expect("words"), behind);
    world.pass(4_000);
    world.finish_prompt(first);
    world.finish_prompt(second);
    assert_eq!((told(&world, first), told(&world, second)), (None, None));
    world.hang_up(first);
    world.pass(EVERY_MS);
    assert_eq!(told(&world, second).expect("words")[0], "you-are-next", "who was ahead is gone");
}

#[test]
fn the_wait_is_told_by_the_talks_that_are_over() {
    let wait = Announce { every_ms: EVERY_MS, position: false, expected_wait: true };
    let mut world = busy(NEWEST, Some(wait));
    world.pass(360_000);
    let talk = world.ends.iter().position(|end| end.user == "101" && !end.calls).expect("anna's phone");
    world.hang_up(talk);
    world.pass(6_000);
    world.talking("101");
    let caller = world.queued();
    world.pass(EVERY_MS);
    // Six minutes and the after-call work, by two agents; of the two talks that go on nothing is known yet.
    assert_eq!(told(&world, caller).expect("words"), ["expected-wait", "number-3", "minute-2"]);
}

#[test]
fn an_agent_who_answers_is_heard_at_once() {
    let mut world = busy(NEWEST, both());
    let caller = world.queued();
    world.pass(EVERY_MS);
    assert!(told(&world, caller).is_some());
    let talk = world.ends.iter().position(|end| end.user == "101" && !end.calls).expect("anna's phone");
    world.hang_up(talk);
    world.pass(6_000);
    let anna = world.pick_up("101");
    assert!(world.are_joined(caller, anna));
}

#[test]
fn each_part_may_be_left_out_and_nothing_is_told_unless_asked_for() {
    for (position, expected_wait, begins) in [(true, false, "you-are-next"), (false, true, "expected-wait")] {
        let mut world = busy(NEWEST, Some(Announce { every_ms: EVERY_MS, position, expected_wait }));
        let caller = world.queued();
        world.pass(EVERY_MS);
        let words = told(&world, caller).expect("words");
        assert_eq!(words[0], begins);
        assert_eq!(words.contains(&"you-are-next".to_owned()), position);
    }
    let mut world = busy(NEWEST, None);
    let caller = world.queued();
    world.pass(10 * EVERY_MS);
    assert_eq!(told(&world, caller), None);
}

#[test]
fn whoever_is_rung_for_is_told_nothing() {
    let mut world = World::acme();
    world.command(Command::RaiseRules { to: NEWEST });
    configure(&mut world, 2, Some(Announce { every_ms: 5_000, position: true, expected_wait: true }));
    let caller = world.queued();
    world.pass(5_500);
    assert!(world.ringing("101").is_some());
    assert_eq!(told(&world, caller), None);
}

#[test]
fn without_the_rules_for_it_nothing_is_told_and_each_wait_begins_its_own_music() {
    let mut world = busy(0, both());
    let caller = world.queued();
    world.pass(2 * EVERY_MS);
    let music = world.plays(caller).expect("music");
    assert!(music.id.starts_with("music-") && !music.by_clock, "{music:?}");
}

#[test]
fn one_whose_end_is_never_reported_is_over_after_a_minute() {
    let mut world = busy(NEWEST, both());
    let caller = world.queued();
    world.pass(EVERY_MS);
    assert!(told(&world, caller).is_some());
    world.pass(60_000);
    assert_eq!(told(&world, caller), None);
    let Stage::Waiting(waiting) = &world.call(caller).stage else { panic!("in line") };
    assert_eq!(waiting.announcement, Some(Announcement::Due { at: world.now + EVERY_MS }));
}

#[test]
fn one_that_is_refused_gives_way_to_music_for_good() {
    let mut world = busy(NEWEST, both());
    let caller = world.queued();
    world.pass(EVERY_MS);
    world.refuse_media(caller);
    world.run();
    assert_eq!(world.plays(caller).expect("music").prompts, ["music/default"]);
    world.pass(5 * EVERY_MS);
    assert_eq!(told(&world, caller), None);
}

#[test]
fn a_group_that_stops_announcing_tells_those_in_line_no_more() {
    let mut world = busy(NEWEST, both());
    let caller = world.queued();
    configure(&mut world, 3, None);
    world.pass(2 * EVERY_MS);
    assert_eq!(told(&world, caller), None);
}

#[test]
fn all_hear_the_same_station() {
    let mut world = busy(NEWEST, None);
    let mut config = acme::config();
    config.version = 3;
    config.music = Music::new(vec!["rain".into(), "piano".into()]).expect("two pieces");
    config.groups.get_mut(&"200".into()).expect("sales").queue.max_wait_ms = None;
    world.configure(config);
    let (first, second) = (world.queued(), world.queued());
    let station = world.plays(first).expect("music");
    assert_eq!((station.id.as_str(), station.repeat, station.by_clock), ("station-rain+piano", true, true));
    assert_eq!(station.prompts, ["music/rain", "music/piano"]);
    assert_eq!(world.plays(second), Some(station));
}

#[test]
fn a_groups_own_music_goes_before_the_companys() {
    let mut config = acme::config();
    config.music = "rain".into();
    assert_eq!(config.music_of(&"200".into()), &Music::from("rain"));
    assert!(config.is_of_protocol_6());
    config.groups.get_mut(&"200".into()).expect("sales").queue.music = "piano".into();
    assert_eq!(config.music_of(&"200".into()), &Music::from("piano"));
    assert!(!acme::config().is_of_protocol_6());
}
