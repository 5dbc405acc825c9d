//! Who is served first, within a queue and among queues that share agents.

use crate::{
    AgentWish,
    config::{Number, Step, TenantConfig},
    tests::{
        acme::{self, NUMBER},
        world::World,
    },
};

const SECOND: &str = "74950000002";

/// Acme with a second number of the same scheme; change it before the world begins.
fn config() -> TenantConfig {
    let mut config = acme::config();
    let number = Number { number: SECOND.into(), ..config.numbers[NUMBER].clone() };
    config.numbers.insert(SECOND.into(), number);
    config
}

/// Only Anna is there, on a break.
fn world(config: TenantConfig) -> World {
    let mut world = World::of(config);
    world.register("101");
    world.wish("anna", AgentWish::Break(None));
    world
}

/// Two callers wait; the one at the second number came later. Whether that one is offered to Anna first.
fn second_is_first(mut world: World) -> bool {
    let (first, second) = (world.queued(), world.queued_at(SECOND));
    world.wish("anna", AgentWish::Available);
    world.run();
    let offers = [first, second].map(|caller| world.call(caller).offers.len());
    assert_eq!(offers.iter().sum::<usize>(), 1, "{offers:?}");
    offers[1] == 1
}

#[test]
fn a_numbers_callers_may_be_served_before_earlier_ones() {
    for (priority, wanted) in [(0, false), (5, true), (-5, false)] {
        let mut config = config();
        config.numbers.get_mut(SECOND).expect("it").priority = priority;
        assert_eq!(second_is_first(world(config)), wanted, "{priority}");
    }
}

#[test]
fn a_steps_priority_stands_above_the_numbers() {
    let mut config = config();
    let mut scheme = config.schemes["main"].clone();
    (scheme.name, scheme.steps[1]) = ("vip".into(), Step::Group { id: "200".into(), priority: Some(9) });
    config.schemes.insert("vip".into(), scheme);
    config.numbers.get_mut(SECOND).expect("it").scheme = "vip".into();
    config.numbers.get_mut(NUMBER).expect("it").priority = 8;
    assert!(second_is_first(world(config)));
}

#[test]
fn an_agent_of_two_groups_goes_to_whoever_came_first() {
    let mut config = config();
    let mut group = config.groups[&"200".into()].clone();
    (group.id, group.extension) = ("300".into(), "300".into());
    config.groups.insert(group.id.clone(), group);
    let mut scheme = config.schemes["main"].clone();
    (scheme.name, scheme.steps[1]) = ("other".into(), Step::Group { id: "300".into(), priority: None });
    config.schemes.insert("other".into(), scheme);
    let orders = [(NUMBER, SECOND), (SECOND, NUMBER)];
    for (first, last, other) in orders.iter().flat_map(|(a, b)| [(a, b, a), (a, b, b)]) {
        let mut config = config.clone();
        config.numbers.get_mut(*other).expect("it").scheme = "other".into();
        let mut world = world(config);
        let callers = [world.queued_at(first), world.queued_at(last)];
        world.wish("anna", AgentWish::Available);
        world.run();
        assert_eq!(
            callers.map(|caller| world.call(caller).offers.len()),
            [1, 0],
            "{first} first, {other} to 300"
        );
    }
}
