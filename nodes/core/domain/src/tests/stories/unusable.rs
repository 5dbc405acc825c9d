//! INVITEs that can't be calls.

use crate::tests::{acme::NUMBER, world::World};

#[test]
fn each_attempt_has_one_record_however_often_it_comes() {
    for (this, that, status, cause) in [
        ("RTP/AVP 8 0 101", "RTP/AVP 9 3 101", 488, "not-acceptable"),
        ("application/sdp", "application/xyz", 415, "not-acceptable"),
        ("Max-Forwards: 70", "Max-Forwards: 70\r\nRequire: telepathy", 420, "bad-request"),
    ] {
        let mut world = World::acme();
        let caller = world.call_in_with(NUMBER, this, that);
        assert!(world.ends[caller].was_told(&format!("{status} INVITE")), "{:?}", world.ends[caller].words());
        world.pass(500);
        let again = world.ends[caller].invite.to_bytes();
        world.outside(caller, again);
        let records = world.records();
        assert_eq!(
            (records.len(), records[0].call),
            (2, records[1].call),
            "the second takes the first's place"
        );
        let cdr = &records[0];
        assert_eq!((cdr.sip_status, cdr.cause.as_str(), cdr.legs.len()), (status, cause, 0));
        assert_eq!((cdr.number.as_deref(), cdr.trunk.as_deref()), (Some(NUMBER), Some("carrier")));
        assert_eq!(world.tenant().calls().count(), 0);
        let other = world.call_in_with(NUMBER, this, that);
        assert_ne!(world.records()[2].call, records[0].call, "{other} is another attempt");
    }
}

#[test]
fn a_caller_who_is_asked_for_a_longer_session_has_not_failed() {
    let mut world = World::acme();
    let short = "Max-Forwards: 70\r\nSupported: timer\r\nSession-Expires: 30";
    let caller = world.call_in_with(NUMBER, "Max-Forwards: 70", short);
    assert!(world.ends[caller].was_told("422 INVITE"), "{:?}", world.ends[caller].words());
    assert_eq!(world.records(), []);
}
