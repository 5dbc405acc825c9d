//! Commands handed over one after another, for one leadership.

use super::ended::Fragile;
use super::*;

/// Of the leadership that begins.
async fn fence(handle: &Handle) -> crate::Fence {
    let Leadership::Leader { fence, .. } = lead(handle).await else { panic!("leads") };
    fence
}

#[tokio::test]
async fn what_is_handed_over_keeps_its_order_and_each_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path(), Tuning::default()).await;
    let (handle, book) = start(&host, 1).await;
    let fence = fence(&handle).await;
    let mut underway = Vec::new();
    for number in 1..=200 {
        underway.push(handle.propose_under(fence, number.to_string().into_bytes()).await.unwrap());
    }
    // Whoever does not wait for the answer takes nothing back.
    drop(underway.remove(99));
    let mut answers = Vec::new();
    for one in &mut underway {
        answers.push(String::from_utf8(one.reply().await.unwrap()).unwrap());
    }
    let all: Vec<_> = (1..=200).map(|number| number.to_string()).collect();
    assert_eq!(book.lines(), all);
    assert_eq!(answers, [&all[..99], &all[100..]].concat());
    host.shutdown().await;
}

/// As if it had been stamped before the lead was lost and won again.
#[tokio::test]
async fn nothing_is_appended_for_another_leadership() {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path(), Tuning::default()).await;
    let (handle, book) = start(&host, 1).await;
    let fence = fence(&handle).await;
    for term in [fence.term - 1, fence.term + 1] {
        let other = crate::Fence { term, ..fence };
        let answer = handle.propose_under(other, b"other".to_vec()).await.unwrap().reply().await;
        assert!(matches!(answer, Err(Error::NotLeader { .. })), "{answer:?}");
    }
    handle.propose_under(fence, b"own".to_vec()).await.unwrap().reply().await.unwrap();
    assert_eq!(book.lines(), ["own"]);
    host.shutdown().await;
}

#[tokio::test]
async fn a_group_that_has_stopped_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path(), Tuning::default()).await;
    let (handle, _) = start(&host, 1).await;
    let fence = fence(&handle).await;
    host.stop_group(1).await;
    let answer = handle.propose_under(fence, b"late".to_vec()).await.map(|_| ());
    assert_eq!(answer, Err(Error::Stopped));
    host.shutdown().await;
}

/// Whoever waits for several things at once gives up one wait and takes it up again: the simulation's seed 2414 did.
#[tokio::test]
async fn a_reply_that_never_comes_can_be_asked_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let host = open(folder.path(), Tuning::default()).await;
    let handle = host.start_group(1, Box::new(Fragile(Book::default())), Alone).await.unwrap();
    host.found_group(1, BTreeMap::from([(1, Peer::default())])).await.unwrap();
    let fence = fence(&handle).await;
    let mut underway = handle.propose_under(fence, b"break".to_vec()).await.unwrap();
    let first = underway.reply().await;
    assert!(first.is_err(), "{first:?}");
    assert_eq!(underway.reply().await, first);
    host.shutdown().await;
}
