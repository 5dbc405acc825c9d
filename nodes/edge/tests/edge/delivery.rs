//! Control is told everything once, in order, whatever happens to deliveries; and a shutdown loses nothing.

use std::sync::atomic::Ordering;

use crate::{far_end::UdpEnd, house::House};

async fn invites(carrier: &UdpEnd, count: usize) {
    for id in 0..count {
        carrier.send(carrier.invite(&id.to_string())).await;
    }
}

#[tokio::test]
async fn a_lost_acknowledgement_repeats_nothing() {
    let house = House::start().await;
    house.control.loses_ack.store(true, Ordering::SeqCst);
    let carrier = house.carrier().await;
    invites(&carrier, 300).await;
    for id in 0..300 {
        let (event, _, message) = house.control.received(id).await;
        assert_eq!((event.sequence, message.call_id()), (id as u64 + 1, Some(id.to_string().as_str())));
    }
    assert_eq!(house.control.count(), 300);
}

#[tokio::test]
async fn a_shutdown_waits_for_control() {
    let house = House::start().await;
    house.control.leaderless.store(true, Ordering::SeqCst);
    let carrier = house.carrier().await;
    invites(&carrier, 5).await;
    house.control.deliveries(1).await;
    let back = async {
        house.control.deliveries(3).await;
        house.control.leaderless.store(false, Ordering::SeqCst);
    };
    tokio::join!(house.edge.shutdown(), back);
    assert_eq!((house.control.count(), house.edge.status().waiting_events), (5, 0));
}
