//! From an edge's event to what leaves, and to those who watch.

use futures::StreamExt;
use mangrove_proto::{
    control::{EventsRequest, LiveEvent},
    service::{Console, Error},
};

use super::{
    house::{ACME, House, until},
    invite::invite,
};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_before_its_entry_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    *house.edge.group.lock() = Some(house.group(1).shared.clone());
    for serial in 1..=20 {
        house.call_in(serial).await;
    }
    until("all callers were told to wait", || house.edge.responses(100).len() == 20).await;
    for (command, reached) in house.edge.heard() {
        let index = command.fence.unwrap().index;
        assert!(0 < index && index <= reached, "effect of entry {index} left when {reached} was applied");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_taken_once_whatever_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    let event = |serial| invite("acme", ACME, serial);
    for _ in 0..3 {
        assert_eq!(house.edge_event(1, 1, event(1)).await, Ok(1));
    }
    assert_eq!(house.calls(1), 1);
    let gap = house.edge_event(1, 3, event(3)).await;
    assert!(matches!(gap, Err(Error::Unavailable { .. })), "{gap:?}");
    assert_eq!(house.calls(1), 1, "what comes before must not be lost");
    assert_eq!(house.edge_event(1, 2, event(2)).await, Ok(2));
    assert_eq!(house.edge_event(1, 3, event(3)).await, Ok(3));
    assert_eq!(house.edge_event(1, 1, event(9)).await, Ok(1), "a number taken before counts as done");
    assert_eq!(house.calls(1), 3);
    house.close().await;
}

/// The objects that events from `after` on speak of, up to the `count`th.
async fn read(house: &House, after: u64, count: usize) -> Vec<LiveEvent> {
    let request = EventsRequest { tenant: "acme".into(), after };
    let events = house.control.events(request).await.unwrap();
    events.take(count).collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_comes_back_sees_no_hole_though_the_group_was_idle() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::with_companies(folder.path()).await;
    let live = house.control.live("acme").await.unwrap();
    let idle = EventsRequest { tenant: "acme".into(), after: live.event };
    assert!(house.control.events(idle).await.is_ok(), "nothing has happened, nothing is missing");
    for serial in 1..=5 {
        house.call_in(serial).await;
    }
    let all = read(&house, live.event, 5).await;
    let resumed = read(&house, all[1].id, 3).await;
    assert_eq!(resumed, all[2..5], "the same events, whoever reads them");
    assert!(all.is_sorted_by_key(|event| event.id));
    house.close().await;
}
