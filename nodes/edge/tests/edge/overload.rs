//! Load is refused early, with a time to come back; what lives goes on.

use std::sync::atomic::Ordering;

use mangrove_edge::Transport;

use crate::{
    far_end::{TcpEnd, in_dialog},
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
    carrier.send(in_dialog("BYE", carrier.local(), "UDP", "bye")).await;
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
async fn events_that_pile_up_stop_changes_and_at_last_hang_ups() {
    let house = House::with(|limits| limits.waiting_events = 1).await;
    house.control.leaderless.store(true, Ordering::SeqCst);
    let carrier = house.carrier().await;
    let say = |method, id: &str| carrier.send(in_dialog(method, carrier.local(), "UDP", id));
    say("BYE", "0").await;
    house.control.deliveries(1).await;
    say("INFO", "change").await;
    let answer = carrier.receive().await;
    assert_eq!((answer.status(), answer.call_id()), (Some(503), Some("change")));
    for id in 1..5 {
        say("BYE", &id.to_string()).await;
    }
    carrier.hears_nothing("hang-ups-are-taken").await;
    let (taken, held) = (house.edge.status().waiting_events, house.edge.status().transactions);
    say("BYE", "6").await;
    assert_eq!(carrier.receive().await.status(), Some(503));
    assert_eq!((taken, held, house.edge.status().transactions), (5, 5, 5), "what is refused leaves nothing");

    house.control.leaderless.store(false, Ordering::SeqCst);
    house.control.event(4).await;
    say("BYE", "6").await;
    assert_eq!(house.control.received(5).await.2.call_id(), Some("6"), "the very same, sent again");
}

#[tokio::test]
async fn a_branch_used_again_leaves_no_invite_unanswered() {
    let house = House::start().await;
    let _trunk = house.carrier().await;
    let mut client = TcpEnd::connect(house.address(Transport::Tcp)).await;
    let invite = client.request("INVITE", "sip:74951234567@acme.example", "again", "");
    for round in 0..3 {
        client.send(&invite).await;
        let (_, received, message) = house.control.received(round).await;
        assert_eq!(house.edge.status().unanswered_invites, 1);
        house.answer(&message, &received.source.unwrap(), 486).await;
        assert_eq!(client.receive().await.status(), Some(486));
        assert_eq!(house.edge.status().unanswered_invites, 0, "round {round}");
        client.send(invite.replace("INVITE", "ACK")).await;
    }
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
