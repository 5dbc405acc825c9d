#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use mangrove_domain::Command;
use mangrove_membership::Leadership;
use tokio::sync::oneshot;

use super::{Authors, Flights, Lag, Outcome, Pending, Replica, Way};
use crate::{forward::Forward, tests::house::House};

fn batch() -> (Vec<Pending>, oneshot::Receiver<Outcome>) {
    let (reply, outcome) = oneshot::channel();
    (
        vec![Pending {
            command: Command::TimePassed,
            since: std::time::Instant::now(),
            under: None,
            reply: Some(reply),
        }],
        outcome,
    )
}

/// As the proposer of a group goes through it, but by hand.
fn way(house: &House) -> Way {
    let group = house.group(1);
    let (handle, clock) = (group.handle.clone(), group.clock.subscribe());
    let replica = Replica { handle, clock, progress: group.progress.clone() };
    Way { group: 1, replica: Some(replica), forward: Forward::new(house.control.cluster().clone()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_entries_are_on_their_way_and_each_tells_its_own_authors_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lead(folder.path()).await;
    let (way, mut flights) = (way(&house), Flights::new(1, Arc::new(Lag::new())));
    let ((first, mut one), (second, mut two)) = (batch(), batch());
    way.fly(first, &mut flights).await;
    assert!(flights.have_room(), "a second one need not wait for the first");
    way.fly(second, &mut flights).await;
    assert!(!flights.have_room() && one.try_recv().is_err());
    flights.land().await;
    assert!(one.try_recv().unwrap().is_ok() && two.try_recv().is_err() && flights.have_room());
    flights.land_all().await;
    assert!(two.try_recv().unwrap().is_ok() && flights.is_empty());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_the_next_leadership_waits_for_those_of_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lead(folder.path()).await;
    let way = way(&house);
    let replica = way.replica.as_ref().unwrap();
    let Leadership::Leader { fence, .. } = replica.handle.leadership() else { panic!("leads") };
    let (commands, authors) = Authors::of(batch().0);
    let underway = replica.begin(fence, commands).await.unwrap();
    let mut flights = Flights::new(1, Arc::new(Lag::new()));
    let former = mangrove_membership::Fence { term: fence.term - 1, ..fence };
    flights.add(former, underway, authors);
    assert!(flights.may_follow(former) && !flights.may_follow(fence));
    let (next, mut outcome) = batch();
    way.fly(next, &mut flights).await;
    assert!(flights.may_follow(fence), "the former one's has landed");
    flights.land().await;
    assert!(outcome.try_recv().unwrap().is_ok());
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_any_more_is_not_committed() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::lead(folder.path()).await;
    let (way, mut flights) = (way(&house), Flights::new(1, Arc::new(Lag::new())));
    let (asked, gone) = batch();
    drop(gone);
    way.fly(asked, &mut flights).await;
    assert!(flights.is_empty());
    house.close().await;
}
