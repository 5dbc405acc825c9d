//! While control takes nothing a caller is told to try again, not left in silence; and control learns that it has gone.

use std::{sync::atomic::Ordering, time::Duration};

use mangrove_sip::Message;

use crate::{far_end::UdpEnd, house::House};

async fn house() -> House {
    House::with(|limits| limits.answer_time = Duration::from_millis(200)).await
}

async fn refusal(carrier: &UdpEnd) -> Message {
    let answer = carrier.receive().await;
    assert_eq!(answer.status(), Some(503), "{answer:?}");
    assert!(answer.u32_of("Retry-After").is_some_and(|seconds| seconds > 0), "{answer:?}");
    answer
}

#[tokio::test]
async fn who_waits_is_turned_away_and_who_comes_then_at_once() {
    let house = house().await;
    house.control.leaderless.store(true, Ordering::SeqCst);
    let carrier = house.carrier().await;
    carrier.send(carrier.invite("waits")).await;
    assert_eq!(refusal(&carrier).await.call_id(), Some("waits"));
    assert_eq!(house.edge.status().unanswered_invites, 0);
    carrier.send(ack(&carrier.invite("waits"))).await;

    carrier.send(carrier.invite("comes")).await;
    assert_eq!(refusal(&carrier).await.call_id(), Some("comes"));

    house.control.leaderless.store(false, Ordering::SeqCst);
    for (index, method) in ["INVITE", "CANCEL"].into_iter().enumerate() {
        let (event, received, message) = house.control.received(index).await;
        assert_eq!((message.method().as_str(), message.call_id()), (method, Some("waits")));
        assert!(event.leg.is_empty() && received.ingress.is_some(), "{event:?}: as its INVITE came");
        let reason = (method == "CANCEL").then_some(mangrove_sip::ua::TURNED_AWAY);
        assert_eq!(message.header("Reason"), reason, "so that control ends it even if it has answered");
        assert_eq!((message.cseq().unwrap().0, message.from_tag()), (1, Some("theirs")));
    }
    carrier.send(carrier.invite("after")).await;
    assert_eq!(house.control.received(2).await.2.call_id(), Some("after"), "one that came at a good time");
}

#[tokio::test]
async fn who_control_knows_waits_for_its_answer() {
    let house = house().await;
    let carrier = house.carrier().await;
    carrier.send(carrier.invite("known")).await;
    let (_, received, invite) = house.control.received(0).await;
    house.control.leaderless.store(true, Ordering::SeqCst);
    carrier.send(carrier.invite("unknown")).await;
    assert_eq!(refusal(&carrier).await.call_id(), Some("unknown"), "the first to be answered");
    carrier.send(ack(&carrier.invite("unknown"))).await;
    house.answer(&invite, &received.source.unwrap(), 180).await;
    let answer = carrier.receive().await;
    assert_eq!((answer.call_id(), answer.status()), (Some("known"), Some(180)));
}

/// Of a refusal: it has its INVITE's branch.
fn ack(invite: &str) -> String {
    invite.replace("INVITE", "ACK")
}
