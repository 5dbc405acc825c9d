use std::sync::{Arc, atomic::Ordering};

use bytes::Bytes;
use object_store::memory::InMemory;
use tokio::sync::mpsc;

use super::*;
use crate::{
    recorder::{
        Memory,
        piece::Piece,
        tests,
        writer::{self, Beginning},
    },
    testing::Store,
};

#[tokio::test]
async fn only_what_was_left_alone_is_found() {
    let objects = InMemory::new();
    let note = Note::new(tests::ticket("left"), 0);
    note.write(&objects).await.unwrap();
    objects.put(&layout::part(&note.ticket, 1), vec![0; 4].into()).await.unwrap();
    let now_ms = store_ms(&objects).await.unwrap();
    assert!(abandoned(&objects, now_ms + ABANDONED_MS - 10_000).await.unwrap().is_empty(), "still written?");
    assert_eq!(abandoned(&objects, now_ms + ABANDONED_MS + 10_000).await.unwrap(), [note.ticket]);
}

/// The call is over and its recording is old, but its writer still tries to write the last part.
#[tokio::test(start_paused = true)]
async fn a_recording_whose_writer_still_runs_is_left_alone() {
    let store = Arc::new(Store::default());
    let (settings, facts) = tests::settings(store.clone());
    let (claims, ticket) = (Claims::default(), tests::ticket("r"));
    let (sender, pieces) = mpsc::unbounded_channel();
    for piece in [Piece::Sound(Bytes::from(vec![1; 32_000])), Piece::Sound(Bytes::from(vec![2; 32_000]))] {
        sender.send(piece).unwrap();
    }
    let claim = claims.try_claim(&ticket);
    let beginning = Beginning { ticket: ticket.clone(), began_ms: 1_000, ran_ms: 0, claim };
    let memory = Memory::new(1 << 20);
    assert!(memory.reserve(64_000));
    let writing = tokio::spawn(writer::run(settings.clone(), memory, claims.clone(), beginning, pieces));
    while parts::list(store.as_ref(), &ticket).await.unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    store.refuses.store(true, Ordering::Relaxed);
    sender.send(Piece::Finish { ended_ms: 3_000, rest: Bytes::new() }).unwrap();
    // Hours pass.
    for _ in 0..10 {
        tokio::time::sleep(EVERY).await;
        let sweep = tokio::time::timeout(EVERY, try_finish(&settings, &claims, &ticket));
        sweep.await.expect("it keeps its hands off");
    }
    store.refuses.store(false, Ordering::Relaxed);
    writing.await.unwrap();
    let file = store.get(&layout::object(&ticket)).await.unwrap().bytes().await.unwrap();
    assert_eq!(file.len(), 44 + 64_000);
    try_finish(&settings, &claims, &ticket).await;
    while facts.lock().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(facts.lock().len(), 1, "reported once");
}

#[tokio::test]
async fn a_recording_that_nobody_writes_is_put_together_and_its_place_is_free_again() {
    let (settings, facts) = tests::settings(Arc::new(Store::default()));
    let (claims, note) = (Claims::default(), Note::new(tests::ticket("r"), 0));
    note.write(settings.objects.as_ref()).await.unwrap();
    settings.objects.put(&layout::part(&note.ticket, 1), vec![0; 32_000].into()).await.unwrap();
    try_finish(&settings, &claims, &note.ticket).await;
    while facts.lock().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(Note::read(settings.objects.as_ref(), &note.ticket).await.unwrap(), None);
    claims.all_released().await;
}

/// Its node was cut off when it had just finished: what it reports then is nobody's.
#[tokio::test]
async fn a_finished_recording_of_which_control_has_not_heard_is_reported_again() {
    let (settings, facts) = tests::settings(Arc::new(Store::default()));
    let ticket = tests::ticket("r");
    finish_left(&settings, &Claims::default(), &ticket, Some(1_000)).await;
    let whole = [&mangrove_rtp::wav::header(2, mangrove_rtp::RATE, 32_000)[..], &[7; 32_000]].concat();
    settings.objects.put(&layout::object(&ticket), whole.into()).await.unwrap();
    finish_left(&settings, &Claims::default(), &ticket, Some(1_000)).await;
    assert_eq!(tests::reported(&facts).await.duration_ms, 1_000);
    assert_eq!(facts.lock().len(), 1, "there is nothing to report where there is nothing");
}

/// Its node died in mid part, and its call ended before an heir had its session.
#[tokio::test]
async fn what_a_recording_lacks_of_the_time_it_ran_is_silence_and_is_named() {
    for (ended_ms, ran_ms, missing_ms) in
        [(None, Some(2_500), 1_500), (None, Some(1_040), 0), (None, None, 0), (Some(1_800), Some(2_500), 800)]
    {
        let (settings, facts) = tests::settings(Arc::new(Store::default()));
        let note = Note { ended_ms, ..Note::new(tests::ticket("r"), 0) };
        note.write(settings.objects.as_ref()).await.unwrap();
        settings.objects.put(&layout::part(&note.ticket, 1), vec![0; 32_000].into()).await.unwrap();
        finish_left(&settings, &Claims::default(), &note.ticket, ran_ms).await;
        let finished = tests::reported(&facts).await;
        assert_eq!((finished.missing_ms, finished.duration_ms), (missing_ms, 1_000 + missing_ms));
    }
}

/// A recording of which one second was written before its node died.
async fn a_second_of_it(settings: &Settings) -> Ticket {
    let note = Note { writer: "dead/1".into(), ..Note::new(tests::ticket("r"), 0) };
    note.write(settings.objects.as_ref()).await.unwrap();
    put_second(settings, 1).await;
    note.ticket
}

async fn put_second(settings: &Settings, number: u32) {
    let part = layout::part(&tests::ticket("r"), number);
    settings.objects.put(&part, vec![0; 32_000].into()).await.unwrap();
}

/// Its former run left sound on the disk, which is still being written here.
#[tokio::test]
async fn what_is_to_be_finished_waits_for_who_works_on_it() {
    let (settings, facts) = tests::settings(Arc::new(Store::default()));
    let (claims, ticket) = (Claims::default(), a_second_of_it(&settings).await);
    let writing = claims.try_claim(&ticket);
    let finishing = tokio::spawn({
        let (settings, claims) = (settings.clone(), claims.clone());
        async move { finish_left(&settings, &claims, &ticket, Some(3_500)).await }
    });
    // It comes to where it waits.
    tokio::task::yield_now().await;
    put_second(&settings, 2).await;
    drop(writing);
    finishing.await.unwrap();
    let finished = tests::reported(&facts).await;
    assert_eq!((finished.missing_ms, finished.duration_ms), (1_500, 3_500));
}

/// The store was away; now the recording's node, on another machine, writes bit by bit what it had on its disk.
#[tokio::test(start_paused = true)]
async fn what_another_node_still_writes_after_an_outage_is_waited_for() {
    let store = Arc::new(Store::default());
    let (settings, facts) = tests::settings(store.clone());
    let ticket = a_second_of_it(&settings).await;
    store.is_away.store(true, Ordering::Relaxed);
    let finishing = tokio::spawn({
        let settings = settings.clone();
        async move { finish_left(&settings, &Claims::default(), &ticket, Some(4_000)).await }
    });
    while settings.failing.is_calm(CALM) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    store.is_away.store(false, Ordering::Relaxed);
    for number in 2..=4 {
        tokio::time::sleep(CALM * 3 / 4).await;
        put_second(&settings, number).await;
    }
    finishing.await.unwrap();
    let finished = tests::reported(&facts).await;
    assert_eq!((finished.missing_ms, finished.duration_ms), (0, 4_000));
}

/// A machine that had some of it on its disk is started long after the others had the store again.
#[tokio::test(start_paused = true)]
async fn what_lacks_much_after_an_outage_is_waited_for_longer() {
    for (ran_ms, late, missing_ms) in [(20_000, CALM * 10, 18_000), (4_000, CALM * 10, 3_000)] {
        let store = Arc::new(Store::default());
        let (settings, facts) = tests::settings(store.clone());
        let ticket = a_second_of_it(&settings).await;
        store.is_away.store(true, Ordering::Relaxed);
        let finishing = tokio::spawn({
            let settings = settings.clone();
            async move { finish_left(&settings, &Claims::default(), &ticket, Some(ran_ms)).await }
        });
        while settings.failing.is_calm(CALM) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        store.is_away.store(false, Ordering::Relaxed);
        tokio::time::sleep(late).await;
        put_second(&settings, 2).await;
        finishing.await.unwrap();
        let finished = tests::reported(&facts).await;
        assert_eq!((finished.missing_ms, finished.duration_ms), (missing_ms, ran_ms));
    }
}
