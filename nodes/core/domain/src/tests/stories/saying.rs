//! Steps that speak.

use crate::{
    config::{HangUp, Said, Step, Timezone},
    tests::{acme, world::World},
};

/// The number's callers are told this.
fn world(steps: Vec<Step>, language: &str) -> World {
    let mut config = acme::config();
    config.language = language.into();
    config.timezone = Timezone::named("Europe/Moscow").expect("a zone");
    config.schemes.get_mut("main").expect("the scheme").steps = steps;
    assert!(config.is_of_protocol_6());
    World::of(config)
}

#[test]
fn a_caller_is_told_a_number_and_then_the_time_where_the_company_is() {
    let say = |what| Step::Say { what };
    let steps = vec![say(Said::Number(21)), say(Said::Time), Step::HangUp { how: HangUp::Normal }];
    let mut world = world(steps, "en");
    // 2026-11-22T21:05:00Z is five past midnight there.
    world.wall = 1_795_381_200_000 + 5 * 60_000 - world.now;
    let caller = world.call_in(acme::NUMBER);
    world.run();
    assert_eq!(world.plays(caller).expect("words").prompts, ["prompt/en/number-20", "prompt/en/number-1"]);
    world.finish_prompt(caller);
    let time = ["the-time-is", "number-12", "oh", "number-5", "am"].map(|word| format!("prompt/en/{word}"));
    assert_eq!(world.plays(caller).expect("words").prompts, time);
    world.finish_prompt(caller);
    assert_ne!(world.stage_or_gone(caller), Some("playing"));
}

#[test]
fn it_is_said_in_the_companys_language() {
    let mut world = world(vec![Step::Say { what: Said::Number(2000) }], "ru");
    let caller = world.call_in(acme::NUMBER);
    world.run();
    let expected = ["prompt/ru/number-2-feminine", "prompt/ru/thousand-2"];
    assert_eq!(world.plays(caller).expect("words").prompts, expected);
}
