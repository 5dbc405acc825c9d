//! Digits may be a PIN: no story tells which ones were pressed.

use mangrove_proto::media::{Digit, media_event::Fact};

use crate::tests::world::World;

fn told(world: &World) -> String {
    let lines = world.last.story.iter().map(|line| format!("{}\n{}\n", line.entry.title, line.entry.detail));
    lines.collect()
}

#[test]
fn a_digit_is_noted_without_its_value() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    let (call, endpoint) = (world.call(caller).id, world.ends[caller].leg.clone());
    world.media(call, Fact::Digit(Digit { endpoint, digit: "7".into(), duration_ms: 80 }));
    assert_eq!(told(&world), "digit\n\n");
    let info = world.ends[anna].request("INFO", "", "Signal=7\r\nDuration=160\r\n");
    world.sip(anna, info);
    assert!(told(&world).starts_with("INFO\n") && !told(&world).contains("Signal"), "{}", told(&world));
}
