//! Load is refused early, with a time to come back; what lives goes on.

use std::sync::atomic::Ordering;

use crate::{
    far_end::request,
    house::{House, leg},
};

#[tokio::test]
async fn behind_control_new_calls_get_503_and_dialogs_go_on() {
    let house = House::start().await;
    let carrier = house.carrier().await;
    house.routes.lag.store(60_000, Ordering::SeqCst);
    for message in [carrier.invite("new"), carrier.ping("probe")] {
        carrier.send(message).await;
        let answer = carrier.receive().await;
        assert_eq!(answer.status(), Some(503));
        assert!(answer.u32_of("Retry-After").is_some_and(|seconds| seconds > 0));
    }
    let uri = format!("sip:acme.{}@127.0.0.1", leg());
    let bye = request("BYE", &uri, carrier.local(), "UDP", "bye", "");
    carrier.send(bye.replace(&format!("To: <{uri}>"), &format!("To: <{uri}>;tag=ours"))).await;
    assert_eq!(house.control.event(0).await.leg, leg());

    house.routes.lag.store(0, Ordering::SeqCst);
    carrier.send(carrier.invite("new")).await;
    assert_eq!(house.control.event(1).await.leg, "");
}

#[tokio::test]
async fn too_many_unanswered_invites_get_503_until_one_is_answered() {
    let house = House::with(|limits| limits.unanswered_invites = 1).await;
    let carrier = house.carrier().await;
    carrier.send(carrier.invite("first")).await;
    let (_, received, first) = house.control.received(0).await;
    carrier.send(carrier.invite("second")).await;
    assert_eq!(carrier.receive().await.status(), Some(503));
    house.answer(&first, &received.source.unwrap(), 100).await;
    assert_eq!(carrier.receive().await.status(), Some(100));
    carrier.send(carrier.invite("third")).await;
    assert_eq!(house.control.received(1).await.2.call_id(), Some("third"));
}

#[tokio::test]
async fn events_that_pile_up_stop_what_is_new() {
    let house = House::with(|limits| limits.waiting_events = 1).await;
    house.control.leaderless.store(true, Ordering::SeqCst);
    let carrier = house.carrier().await;
    carrier.send(carrier.invite("first")).await;
    house.control.deliveries(1).await;
    carrier.send(carrier.invite("second")).await;
    assert_eq!(carrier.receive().await.status(), Some(503));
}

#[tokio::test]
async fn a_draining_edge_takes_no_calls() {
    let house = House::start().await;
    let carrier = house.carrier().await;
    house.edge.drain();
    carrier.send(carrier.invite("late")).await;
    assert_eq!(carrier.receive().await.status(), Some(503));
}

#[tokio::test]
async fn strangers_are_held_to_their_rate_and_trunks_are_not() {
    let house = House::with(|limits| (limits.requests_per_second, limits.request_burst) = (0, 3)).await;
    let (stranger, carrier) = (house.phone().await, house.carrier().await);
    for id in 0..5 {
        stranger.send(stranger.ping(&id.to_string())).await;
    }
    for id in 0..3 {
        assert_eq!(stranger.receive().await.call_id(), Some(id.to_string().as_str()));
    }
    carrier.hears_nothing("a-trunk-at-the-same-address").await;
    house.routes.trunks.lock().push(stranger.local());
    stranger.hears_nothing("after-the-burst").await;
}
