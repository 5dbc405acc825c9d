use std::{sync::Arc, time::Duration};

use mangrove_objects::{Masters, deletion};

use super::*;
use crate::{
    recorder::{
        outage::{MASTER, SECOND},
        tests::{reported, settings, ticket},
    },
    testing::Store,
};

const HOUR_MS: i64 = 3_600_000;
const BEGAN_MS: u64 = 1_800_000_000_000;

/// A node begins a recording, of which it writes seven seconds before it dies.
async fn left_behind(settings: &Settings) {
    let note = Note { writer: "dead/1".into(), ..Note::new(ticket("r"), BEGAN_MS) };
    note.write(settings.objects.as_ref()).await.unwrap();
    for number in 1..=7 {
        let part = vec![1; SECOND];
        settings.objects.put(&layout::part(&note.ticket, number), part.into()).await.unwrap();
    }
}

/// Ten seconds after it began a node takes it up whose clock differs from the dead one's.
#[tokio::test]
async fn a_recording_goes_on_after_the_gap_that_there_was_whatever_the_heirs_clock_shows() {
    for off_ms in [0, HOUR_MS, -HOUR_MS, 10 * 365 * 24 * HOUR_MS] {
        let (settings, facts) = settings(Arc::new(Store::default()));
        left_behind(&settings).await;
        let (sender, pieces) = mpsc::unbounded_channel();
        let began_ms = (BEGAN_MS + 10_000).saturating_add_signed(off_ms);
        let beginning = Beginning { ticket: ticket("r"), began_ms, ran_ms: 10_000, claim: None };
        let (rest, memory) = (Bytes::from(vec![2; SECOND]), Memory::new(1 << 20));
        assert!(memory.reserve(SECOND));
        sender.send(Piece::Finish { ended_ms: began_ms + 1_000, rest }).unwrap();
        run(settings, memory, Claims::default(), beginning, pieces).await;
        let finished = reported(&facts).await;
        assert_eq!((finished.missing_ms, finished.duration_ms), (3_000, 11_000), "off by {off_ms} ms");
    }
}

/// It was told to record before its process stood still for eight seconds, while another node recorded seven.
#[tokio::test]
async fn what_others_recorded_while_a_node_stood_still_is_not_put_in_once_more() {
    let (settings, facts) = settings(Arc::new(Store::default()));
    left_behind(&settings).await;
    let (sender, pieces) = mpsc::unbounded_channel();
    let beginning = Beginning { ticket: ticket("r"), began_ms: BEGAN_MS + 100, ran_ms: 0, claim: None };
    let memory = Memory::new(1 << 20);
    assert!(memory.reserve(4 * SECOND));
    sender.send(Piece::Lost(5_000)).unwrap();
    sender.send(Piece::Hole(5 * SECOND as u64)).unwrap();
    sender.send(Piece::Sound(vec![2; 3 * SECOND].into())).unwrap();
    let rest = Bytes::from(vec![2; SECOND]);
    sender.send(Piece::Finish { ended_ms: BEGAN_MS + 9_100, rest }).unwrap();
    run(settings, memory, Claims::default(), beginning, pieces).await;
    let finished = reported(&facts).await;
    assert_eq!((finished.missing_ms, finished.duration_ms), (0, 9_100));
}

/// Another has its master keys already, and this node is not restarted yet.
#[tokio::test]
async fn a_part_that_another_sealed_is_not_taken_for_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file:{}", folder.path().display());
    let place = mangrove_objects::Settings { url, ..Default::default() };
    let masters = Arc::new(Masters::parse(MASTER).unwrap());
    let sealing = mangrove_objects::connect(&place, Some(masters)).unwrap().objects;
    let plain = mangrove_objects::connect(&place, None).unwrap().objects;
    let ticket = Ticket { object: "recordings/acme/r.wav".into(), ..ticket("r") };
    sealing.put(&layout::part(&ticket, 1), vec![1; SECOND].into()).await.unwrap();
    let mut writer = Writer::open(settings(plain.clone()).0, ticket.clone(), Told::now(1_000), 0).await;
    let sound = Piece::Sound(vec![2; SECOND].into());
    tokio::time::timeout(Duration::from_secs(20), writer.take(0, sound)).await.expect("it goes behind it");
    let parts = parts::list(plain.as_ref(), &ticket).await.unwrap();
    assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2]);
}

/// A second of sound and its end, by a node that was told to record then.
async fn records(settings: &Settings, began_ms: u64) {
    let (sender, pieces) = mpsc::unbounded_channel();
    let beginning = Beginning { ticket: ticket("r"), began_ms, ran_ms: 0, claim: None };
    let memory = Memory::new(1 << 20);
    assert!(memory.reserve(2 * SECOND));
    sender.send(Piece::Sound(vec![2; SECOND].into())).unwrap();
    let rest = Bytes::from(vec![2; SECOND]);
    sender.send(Piece::Finish { ended_ms: began_ms + 2_000, rest }).unwrap();
    run(settings.clone(), memory, Claims::default(), beginning, pieces).await;
}

/// It was cut off from cluster and store before it had made the note.
#[tokio::test]
async fn who_was_told_before_its_heir_was_leaves_the_recording_alone() {
    let (settings, facts) = settings(Arc::new(Store::default()));
    let objects = settings.objects.as_ref();
    let heirs = Note { writer: "b/1".into(), ran_ms: Some(5_000), ..Note::new(ticket("r"), BEGAN_MS) };
    heirs.write(objects).await.unwrap();
    objects.put(&layout::part(&heirs.ticket, 1), vec![1; SECOND].into()).await.unwrap();
    records(&settings, BEGAN_MS).await;
    assert_eq!(Note::read(objects, &ticket("r")).await.unwrap(), Some(heirs));
    assert_eq!(parts::list(objects, &ticket("r")).await.unwrap().len(), 1);
    assert!(facts.lock().is_empty());
}

/// Its heir was done, and somebody may have deleted the recording since.
#[tokio::test]
async fn who_comes_when_all_is_done_writes_nothing() {
    for is_deleted in [false, true] {
        let (settings, facts) = settings(Arc::new(Store::default()));
        let (objects, ticket) = (settings.objects.as_ref(), ticket("r"));
        objects.put(&layout::object(&ticket), "whole".into()).await.unwrap();
        if is_deleted {
            let recording = (ticket.recording.as_str(), ticket.object.as_str());
            assert!(
                deletion::delete(objects, (&ticket.tenant, &ticket.session), &[recording]).await.unwrap()
            );
        }
        records(&settings, 1_000).await;
        assert_eq!(Note::read(objects, &ticket).await.unwrap(), None);
        assert!(parts::list(objects, &ticket).await.unwrap().is_empty());
        assert!(facts.lock().is_empty());
        match objects.get(&layout::object(&ticket)).await {
            Ok(file) => assert_eq!(file.bytes().await.unwrap(), "whole"),
            Err(error) => assert!(is_deleted, "{error}"),
        }
    }
}

/// Who was told before had read the note before this one wrote itself in, and writes after it.
#[tokio::test]
async fn a_note_that_is_written_over_is_put_back() {
    let (settings, facts) = settings(Arc::new(Store::default()));
    let mut writer = Writer::open(settings.clone(), ticket("r"), Told::now(BEGAN_MS), 600).await;
    let stale = Note { writer: "b/1".into(), ran_ms: Some(0), ..Note::new(ticket("r"), BEGAN_MS - 600) };
    stale.write(settings.objects.as_ref()).await.unwrap();
    writer.take(0, Piece::Sound(vec![2; SECOND].into())).await;
    writer.take(SECOND as u64, Piece::Finish { ended_ms: BEGAN_MS + 1_000, rest: Bytes::new() }).await;
    let finished = reported(&facts).await;
    assert_eq!((finished.missing_ms, finished.duration_ms), (600, 1_600));
}
