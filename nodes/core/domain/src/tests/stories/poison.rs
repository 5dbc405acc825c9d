//! A command on which the rules fail costs its call, and only that.

use crate::{
    Reply,
    tests::{POISON, QUARANTINE_POISON, acme::NUMBER, world::World},
};

#[test]
fn a_panic_takes_out_one_call_and_nothing_else() {
    let mut world = World::acme();
    let (other, _) = world.talking("101");
    let caller = world.call_in(NUMBER);
    world.run();
    world.strict = false;
    POISON.with(|poison| poison.set(true));
    let bye = world.ends[caller].request("BYE", "", "");
    let reply = world.sip(caller, bye);
    POISON.with(|poison| poison.set(false));
    assert!(matches!(reply, Reply::Dropped { .. }), "{reply:?}");
    world.strict = true;
    assert_eq!(world.record().cause, "quarantined");
    assert_eq!(world.stage(other), "talking");
    let (command, _) = world.log.last().expect("the poison").clone();
    assert_eq!(world.command(command), Reply::Seen, "it does not come again");
    world.pass(1);
    assert!(world.try_call(caller).is_none());
    world.hang_up(other);
    assert_eq!(world.records().len(), 2);
}

#[test]
fn a_call_that_can_not_even_be_taken_out_stays_and_its_event_does_not_come_again() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    world.strict = false;
    [&POISON, &QUARANTINE_POISON].into_iter().for_each(|poison| poison.with(|poison| poison.set(true)));
    let bye = world.ends[caller].request("BYE", "", "");
    let reply = world.sip(caller, bye);
    [&POISON, &QUARANTINE_POISON].into_iter().for_each(|poison| poison.with(|poison| poison.set(false)));
    assert!(matches!(reply, Reply::Dropped { .. }), "{reply:?}");
    world.strict = true;
    let (command, _) = world.log.last().expect("the poison").clone();
    assert_eq!(world.command(command), Reply::Seen);
    assert_eq!(world.stage(caller), "talking");
    world.hang_up(caller);
    assert_eq!(world.record().cause, "hung-up");
}
