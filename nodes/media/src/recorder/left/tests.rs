use std::sync::Arc;

use bytes::Bytes;
use mangrove_objects::deletion;
use object_store::ObjectStoreExt;
use tokio::sync::mpsc;

use super::*;
use crate::{
    recorder::{
        layout,
        open::{Finished, Note},
        outage::{MASTER, Outage, SECOND, sound},
        piece::Piece,
        spool::About,
        tests::{Facts, reported, settings, ticket},
        writer::Beginning,
    },
    testing::Store,
};

/// A note by a writer that took the recording up so long after it began, when 1970 was a second old.
fn note(writer: &str, ran_ms: u64) -> Note {
    Note { writer: writer.into(), ran_ms: Some(ran_ms), ..Note::new(ticket("r"), 1_000) }
}

async fn present(outage: &Outage) -> Note {
    Note::read(outage.store.as_ref(), &ticket("r")).await.unwrap().unwrap()
}

async fn put_parts(outage: &Outage, seconds: &[u8]) {
    for (number, second) in (1..).zip(seconds) {
        let part = vec![*second; SECOND];
        outage.store.put(&layout::part(&ticket("r"), number), part.into()).await.unwrap();
    }
}

/// A run that writes what waited and, so long after the recording began, two seconds more to its end.
async fn finishes(outage: &Outage, writer: &str, ran_ms: u64, [fore, last]: [u8; 2]) -> Facts {
    let (settings, facts) = outage.settings(writer, 1 << 30);
    let claims = Claims::default();
    let _writing = take_up(&settings, &Memory::new(1 << 20), &claims).await;
    let (pieces, inbox) = mpsc::unbounded_channel();
    let began_ms = 1_000 + ran_ms;
    let beginning = Beginning { ticket: ticket("r"), began_ms, ran_ms, claim: None };
    let memory = Memory::new(1 << 20);
    assert!(memory.reserve(2 * SECOND));
    pieces.send(sound(fore)).unwrap();
    let rest = Bytes::from(vec![last; SECOND]);
    pieces.send(Piece::Finish { ended_ms: began_ms + 2_000, rest }).unwrap();
    let writing = tokio::spawn(writer::run(settings, memory, claims, beginning, inbox));
    outage.ends();
    writing.await.unwrap();
    facts
}

/// The process is killed in the outage, and its next run finds what waited.
#[tokio::test]
async fn what_waited_is_written_after_a_restart_before_what_comes_then() {
    for masters in [None, Some(MASTER)] {
        let outage = Outage::new(masters);
        outage.kills("a/1", 0, &[1, 2, 3]).await;
        let facts = finishes(&outage, "a/2", 3_000, [4, 5]).await;
        assert_eq!(reported(&facts).await.missing_ms, 0);
        assert_eq!(outage.seconds().await, [1, 2, 3, 4, 5]);
        outage.has_pieces(0).await;
    }
}

/// What nobody recorded between two runs is where it was, and not before the next sound.
#[tokio::test]
async fn after_two_restarts_in_one_outage_each_gap_is_in_its_place() {
    let outage = Outage::new(None);
    outage.kills("a/1", 0, &[1]).await;
    outage.kills("a/2", 4_000, &[2]).await;
    let facts = finishes(&outage, "a/3", 6_000, [3, 4]).await;
    assert_eq!(reported(&facts).await.missing_ms, 4_000);
    assert_eq!(outage.seconds().await, [1, 0, 0, 0, 2, 0, 3, 4]);
    outage.has_pieces(0).await;
}

#[tokio::test]
async fn what_another_build_left_stays_on_the_disk_and_is_told() {
    let outage = Outage::new(None);
    outage.kills("a/1", 0, &[1]).await;
    let strange = outage.pieces()[0].with_file_name("00000001.piece");
    std::fs::rename(&outage.pieces()[0], &strange).unwrap();
    outage.ends();
    let (settings, _) = outage.settings("a/2", 1 << 30);
    let spool = settings.spool.unwrap();
    assert!(spool.left().await.is_empty() && strange.exists());
    assert!(spool.alarm().unwrap().contains("another build"));
}

/// It was in the memory of the process that was killed.
#[tokio::test]
async fn sound_that_is_missing_between_pieces_is_silence_in_its_place_and_is_named() {
    let outage = Outage::new(None);
    outage.kills("a/1", 0, &[1, 2, 3]).await;
    std::fs::remove_file(&outage.pieces()[1]).unwrap();
    outage.ends();
    outage.is_drained_by("a/2").await;
    assert_eq!(outage.seconds_of_parts().await, [1, 0, 3]);
    assert_eq!(present(&outage).await.missing_ms, 1_000);
}

/// Killed between writing a piece and taking it off the disk.
#[tokio::test]
async fn a_piece_that_the_store_has_already_is_not_written_twice() {
    // The disk may not have taken that it had begun.
    for is_marked in [true, false] {
        let outage = Outage::new(None);
        outage.kills("a/1", 0, &[1, 2]).await;
        if is_marked {
            std::fs::write(outage.pieces()[0].with_file_name("begun"), "0").unwrap();
        }
        outage.ends();
        let base = (!is_marked).then_some(0);
        Note { base, ..note("a/1", 0) }.write(outage.store.as_ref()).await.unwrap();
        put_parts(&outage, &[1]).await;
        outage.is_drained_by("a/2").await;
        assert_eq!(outage.seconds_of_parts().await, [1, 2]);
        outage.has_pieces(0).await;
    }
}

/// The run that takes up what waited is killed as well, with a part written and a piece on the disk. The second piece may be as
/// silent as the first.
#[tokio::test]
async fn what_waited_is_still_written_when_the_run_that_began_to_write_it_ends() {
    for seconds in [[1, 2], [5, 5]] {
        let outage = Outage::new(None);
        outage.kills("a/1", 0, &seconds).await;
        outage.ends();
        let (second, _) = outage.settings("a/2", 1 << 30);
        let left = second.spool.as_ref().unwrap().left().await.pop().unwrap();
        let mut writer = Writer::take_up(second.clone(), &left.about, left.base).await.unwrap();
        left.shelf.mark_begun(writer.base()).await;
        let (place, size) = left.pieces[0];
        writer.take(place.at, left.shelf.get(place).await.unwrap()).await;
        left.shelf.forget(place, size).await;
        drop((writer, left, second));

        outage.is_drained_by("a/3").await;
        assert_eq!(outage.seconds_of_parts().await, seconds);
        outage.has_pieces(0).await;
    }
}

/// Its heir went on while it was away: the recording is the heir's, whatever its name is. That of a node may have moved to
/// another machine, where its runs are counted on.
#[tokio::test]
async fn what_waited_of_a_recording_that_another_took_up_is_left_out() {
    for heir in ["b/9", "a/2", "a/1"] {
        let outage = Outage::new(None);
        outage.kills("a/3", 5_000, &[1]).await;
        outage.ends();
        note(heir, 9_000).write(outage.store.as_ref()).await.unwrap();
        outage.is_drained_by("a/4").await;
        assert!(outage.seconds_of_parts().await.is_empty(), "{heir}");
        assert_eq!(present(&outage).await.writer, heir);
        outage.has_pieces(0).await;
    }
}

/// Its name had moved to this machine in the outage. What the other machine has on its disk is not here.
#[tokio::test]
async fn what_waited_comes_after_silence_for_what_lies_on_another_machine() {
    let outage = Outage::new(None);
    outage.kills("a/2", 4_000, &[5]).await;
    outage.ends();
    note("a/1", 0).write(outage.store.as_ref()).await.unwrap();
    put_parts(&outage, &[1, 2]).await;
    outage.is_drained_by("a/3").await;
    assert_eq!(outage.seconds_of_parts().await, [1, 2, 0, 0, 5]);
    let note = present(&outage).await;
    assert_eq!((note.writer.as_str(), note.missing_ms), ("a/2", 2_000));
}

/// Between "there is no note" and making one.
#[tokio::test]
async fn a_note_that_an_heir_makes_just_now_is_not_overwritten() {
    let (before, now) = (Arc::new(Store::default()), Arc::new(Store::default()));
    note("b/9", 9_000).write(now.as_ref()).await.unwrap();
    let settings = Settings { parts: now, ..settings(before.clone()).0 };
    let about = About::new(ticket("r"), "a/1".into(), 1_000, 0);
    assert!(Writer::take_up(settings, &about, None).await.is_none());
    assert_eq!(Note::read(before.as_ref(), &ticket("r")).await.unwrap(), None, "nothing was written over it");
}

/// Its heir was done before it came back: the heir's file is good.
#[tokio::test]
async fn what_waited_of_a_recording_that_another_finished_leaves_its_file_alone() {
    let outage = Outage::new(None);
    outage.kills("a/1", 0, &[1]).await;
    outage.ends();
    let whole = [vec![0_u8; mangrove_rtp::wav::HEADER], vec![9; SECOND]].concat();
    outage.store.put(&layout::object(&ticket("r")), whole.into()).await.unwrap();
    outage.is_drained_by("a/2").await;
    assert!(outage.seconds_of_parts().await.is_empty());
    assert_eq!(Note::read(outage.store.as_ref(), &ticket("r")).await.unwrap(), None);
    assert_eq!(outage.seconds().await, [9]);
    outage.has_pieces(0).await;
}

/// Its heir was done, and somebody deleted the recording, before it came back.
#[tokio::test]
async fn what_waited_of_a_recording_that_was_deleted_is_not_written() {
    let outage = Outage::new(None);
    outage.kills("a/1", 0, &[1]).await;
    outage.ends();
    let (ticket, objects) = (ticket("r"), outage.store.as_ref());
    let recording = (ticket.recording.as_str(), ticket.object.as_str());
    assert!(deletion::delete(objects, (&ticket.tenant, &ticket.session), &[recording]).await.unwrap());
    outage.is_drained_by("a/2").await;
    assert!(outage.seconds_of_parts().await.is_empty());
    assert_eq!(Note::read(objects, &ticket).await.unwrap(), None);
    outage.has_pieces(0).await;
}

/// The process was killed when the file was whole and its parts were being removed.
#[tokio::test]
async fn what_waited_of_a_whole_file_is_not_written_behind_it_and_is_reported() {
    let outage = Outage::new(None);
    outage.kills("a/1", 0, &[1]).await;
    outage.ends();
    let (settings, facts) = outage.settings("a/2", 1 << 30);
    let finished = Finished { bytes: 44, duration_ms: 7, sha256: "x".into() };
    let whole = Note { finished: Some(finished), ..note("a/1", 0) };
    whole.write(outage.store.as_ref()).await.unwrap();
    let claims = Claims::default();
    let _writing = take_up(&settings, &Memory::new(1 << 20), &claims).await;
    assert_eq!(reported(&facts).await.duration_ms, 7);
    claims.all_released().await;
    assert!(outage.seconds_of_parts().await.is_empty());
    outage.has_pieces(0).await;
}
