//! Holding and resuming.

use mangrove_proto::{live::CallState, media::Play};

use crate::{
    tests::{far_end::sdp, world::World},
    view,
};

#[test]
fn the_other_hears_music_while_somebody_holds() {
    for held_by_agent in [true, false] {
        let mut world = World::acme();
        let (caller, anna) = world.talking("101");
        let (holder, held) = if held_by_agent { (anna, caller) } else { (caller, anna) };
        world.pass(1_000);
        world.request(holder, "INVITE", "", &sdp(4000, "sendonly", 2));
        let music = world.plays(held).expect("music");
        assert_eq!(music.prompts, ["music/default"]);
        assert_eq!(view::call(world.tenant(), world.call(caller)).state, CallState::Held);
        let ack = world.ends[holder].ack();
        world.sip(holder, ack);
        world.pass(4_000);
        world.request(holder, "INVITE", "", &sdp(4000, "sendrecv", 3));
        assert!(world.are_joined(caller, anna));
        let ack = world.ends[holder].ack();
        world.sip(holder, ack);
        world.pass(1_000);
        world.hang_up(caller);
        let cdr = world.record();
        assert_eq!((cdr.hold_ms, cdr.talk_ms), (4_000, 6_000), "by the agent: {held_by_agent}");
    }
}

#[test]
fn a_holders_answer_says_that_we_only_listen() {
    let mut world = World::acme();
    let (_, anna) = world.talking("101");
    world.request(anna, "INVITE", "", &sdp(4000, "sendonly", 2));
    let answer = world.ends[anna].heard.last().expect("an answer");
    assert_eq!(answer.status(), Some(200));
    assert!(String::from_utf8_lossy(answer.body()).contains("a=recvonly"));
}

#[test]
fn who_is_held_may_be_silent() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    world.request(anna, "INVITE", "", &sdp(4000, "inactive", 2));
    let call = world.call(caller).id;
    for end in [caller, anna] {
        let endpoint = world.ends[end].leg.clone();
        let silent = mangrove_proto::media::Silent { endpoint, since_ms: 60_000 };
        world.media(call, mangrove_proto::media::media_event::Fact::Silent(silent));
    }
    assert_eq!(world.stage(caller), "talking");
    assert!(matches!(world.plays(caller), Some(Play { repeat: true, .. })));
}

#[test]
fn a_phone_may_hold_by_answering_our_offer() {
    let mut world = World::acme();
    let (caller, anna) = world.talking("101");
    for (direction, version, state) in [("sendonly", 2, CallState::Held), ("sendrecv", 3, CallState::Talking)]
    {
        // Without an offer of its own: ours is in the 200, and its answer in the ACK (RFC 3264 section 5).
        world.request(anna, "INVITE", "", "");
        world.request(anna, "ACK", "", &sdp(4000, direction, version));
        assert_eq!(view::call(world.tenant(), world.call(caller)).state, state);
        world.pass(2_000);
    }
    assert!(world.are_joined(caller, anna));
    world.hang_up(caller);
    assert_eq!(world.record().hold_ms, 2_000);
}
