use bytes::Bytes;

use super::*;
use crate::recorder::{
    outage::{MASTER, Outage, SECOND, sound, start},
    tests::reported,
};

#[tokio::test]
async fn what_the_store_does_not_take_waits_on_the_disk_and_is_written_in_order() {
    for masters in [None, Some(MASTER)] {
        let outage = Outage::new(masters);
        let (settings, facts) = outage.settings("a/1", 1 << 30);
        let running = start(&settings, 0);
        (1..=3).for_each(|second| running.send(sound(second)));
        outage.has_pieces(3).await;
        (4..=6).for_each(|second| running.send(sound(second)));
        outage.has_pieces(6).await;
        running.has_nothing_in_memory().await;
        for path in outage.pieces() {
            let lies = std::fs::read(path).unwrap();
            assert_eq!(
                lies.windows(64).any(|window| window.iter().all(|b| *b == window[0])),
                masters.is_none()
            );
        }
        running.send(Piece::Finish { ended_ms: 8_000, rest: Bytes::from(vec![7; SECOND]) });
        outage.ends();
        running.task.await.unwrap();
        assert_eq!(reported(&facts).await.missing_ms, 0);
        assert_eq!(outage.seconds().await, [1, 2, 3, 4, 5, 6, 7]);
        assert!(std::fs::read_dir(outage.folder.path().join("spool")).unwrap().next().is_none());
    }
}

#[tokio::test]
async fn a_process_that_ends_in_an_outage_is_not_held_up_when_all_is_on_the_disk() {
    let outage = Outage::new(None);
    let (settings, _) = outage.settings("a/1", 1 << 30);
    let running = start(&settings, 0);
    running.send(sound(1));
    let (answer, written) = oneshot::channel();
    running.pieces.send(Piece::Suspend(answer)).unwrap();
    written.await.unwrap();
    running.task.await.unwrap();
    assert_eq!(outage.pieces().len(), 1);
}

#[tokio::test]
async fn what_the_disk_has_no_room_for_waits_in_memory_in_its_place() {
    let outage = Outage::new(None);
    let (settings, facts) = outage.settings("a/1", 2 * SECOND as u64);
    let running = start(&settings, 0);
    (1..=4).for_each(|second| running.send(sound(second)));
    outage.has_pieces(1).await;
    running.send(Piece::Finish { ended_ms: 5_000, rest: Bytes::new() });
    assert!(settings.spool.as_ref().unwrap().level().contains("1 of 1 MB"));
    outage.ends();
    running.task.await.unwrap();
    assert_eq!(reported(&facts).await.missing_ms, 0);
    assert_eq!(outage.seconds().await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn what_lies_sealed_is_told_where_its_master_key_is_missing() {
    let outage = Outage::new(Some(MASTER));
    let (settings, _) = outage.settings("a/1", 1 << 30);
    let running = start(&settings, 0);
    running.send(sound(1));
    outage.has_pieces(1).await;
    running.task.abort();
    let _ = running.task.await;
    // What is not the spool's.
    std::fs::write(outage.folder.path().join("spool/notes"), "mine").unwrap();
    let keyless = Spool::open(&outage.folder.path().join("spool"), 1 << 30, None).unwrap();
    assert!(keyless.left().await.is_empty());
    let said = keyless.alarm().unwrap();
    assert!(said.contains("can't be read") && said.contains("objects.keys"), "{said}");
    assert_eq!(outage.pieces().len(), 1, "it waits for its key");
    let shelf = outage.pieces()[0].parent().unwrap().to_owned();
    std::fs::remove_dir_all(shelf).unwrap();
    assert!(keyless.left().await.is_empty());
    assert_eq!(keyless.alarm(), None);
}

/// A sector of the disk can't be read when the process is to end.
#[tokio::test]
async fn a_disk_that_does_not_give_sound_back_holds_up_nobody_who_stops() {
    let outage = Outage::new(None);
    let (settings, _) = outage.settings("a/1", 1 << 30);
    let running = start(&settings, 0);
    (1..=2).for_each(|second| running.send(sound(second)));
    outage.has_pieces(2).await;
    // What is no file is asked for again and again.
    let bad = outage.pieces().remove(1);
    std::fs::remove_file(&bad).unwrap();
    std::fs::create_dir(&bad).unwrap();
    outage.ends();
    while outage.pieces().len() > 1 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (answer, written) = oneshot::channel();
    running.pieces.send(Piece::Suspend(answer)).unwrap();
    tokio::time::timeout(Duration::from_secs(30), written).await.expect("it stops").unwrap();
    running.task.await.unwrap();
    assert_eq!(outage.pieces(), [bad], "it is for the next run");
}
