use futures::FutureExt as _;
use mangrove_rtp::{RATE, tone, wav};
use object_store::{
    memory::InMemory,
    throttle::{ThrottleConfig, ThrottledStore},
};
use tokio::time::Instant;

use super::*;
use std::sync::{Arc, atomic::Ordering};

use crate::{
    recorder::tests::{self, ticket},
    testing::Store,
};

fn note() -> Note {
    Note::new(ticket("r"), 1_000)
}

async fn put_parts(objects: &dyn ObjectStore, note: &Note, count: u32, bytes: usize) {
    for number in 1..=count {
        let part = vec![number as u8; bytes];
        objects.put(&layout::part(&note.ticket, number), part.into()).await.unwrap();
    }
}

async fn file(objects: &dyn ObjectStore) -> Vec<u8> {
    objects.get(&"acme/r.wav".into()).await.unwrap().bytes().await.unwrap().into()
}

#[tokio::test]
async fn parts_become_a_file_in_order() {
    let (objects, note) = (InMemory::new(), note());
    put_parts(&objects, &note, 20, 32_000).await;
    let finished = joined(&objects, &Failing::default(), note).await.unwrap().finished.unwrap();
    let file = file(&objects).await;
    assert_eq!((finished.bytes, finished.duration_ms), (file.len() as u64, 20_000));
    assert_eq!(finished.sha256, hex::encode(Sha256::digest(&file)));
    let order: Vec<u8> = file[wav::HEADER..].chunks(32_000).map(|part| part[31_999]).collect();
    assert_eq!(order, (1..=20).collect::<Vec<u8>>());
}

#[tokio::test]
async fn an_empty_file_never_takes_a_good_ones_place() {
    let (objects, note) = (InMemory::new(), note());
    objects.put(&"acme/r.wav".into(), b"good".to_vec().into()).await.unwrap();
    assert_eq!(joined(&objects, &Failing::default(), note.clone()).await, None);
    assert_eq!(file(&objects).await, b"good");
    let whole = Finished { bytes: 4, duration_ms: 0, sha256: "x".into() };
    let done = Note { finished: Some(whole), ..note.clone() };
    done.write(&objects).await.unwrap();
    assert_eq!(joined(&objects, &Failing::default(), note).await, Some(done), "the other's note goes on");
}

/// Another was faster, and takes the parts away now.
#[tokio::test]
async fn what_is_left_of_the_parts_never_takes_a_whole_files_place() {
    let (objects, note) = (InMemory::new(), note());
    put_parts(&objects, &note, 3, 32_000).await;
    objects.put(&"acme/r.wav".into(), b"whole".to_vec().into()).await.unwrap();
    assert_eq!(joined(&objects, &Failing::default(), note.clone()).await, None, "its note is gone, too");
    let whole = Finished { bytes: 5, duration_ms: 0, sha256: "x".into() };
    let done = Note { finished: Some(whole), ..note.clone() };
    done.write(&objects).await.unwrap();
    assert_eq!(joined(&objects, &Failing::default(), note).await, Some(done));
    assert_eq!(file(&objects).await, b"whole");
}

/// Who listed them once would ask for them for ever.
#[tokio::test(start_paused = true)]
async fn parts_that_another_has_taken_away_are_not_asked_for_again() {
    let store = Arc::new(Store::default());
    let whole = Finished { bytes: 5, duration_ms: 0, sha256: "x".into() };
    let done = Note { finished: Some(whole), ..note() };
    note().write(store.as_ref()).await.unwrap();
    put_parts(store.as_ref(), &done, 3, 32_000).await;
    store.hangs.store(true, Ordering::Relaxed);
    let slower = tokio::spawn({
        let objects = store.clone();
        async move { joined(objects.as_ref(), &Failing::default(), note()).await }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    store.put(&"acme/r.wav".into(), b"whole".to_vec().into()).await.unwrap();
    done.write(store.as_ref()).await.unwrap();
    remove_parts(store.as_ref(), &done.ticket).await.unwrap();
    store.hangs.store(false, Ordering::Relaxed);
    let found = tokio::time::timeout(Duration::from_secs(600), slower).await.expect("it goes on");
    assert_eq!(found.unwrap(), Some(done));
    assert_eq!(file(store.as_ref()).await, b"whole");
}

/// The node died between the file and the report.
#[tokio::test]
async fn a_file_made_at_once_and_never_reported_is_found_with_its_length_and_checksum() {
    let (settings, facts) = tests::settings(Arc::new(Store::default()));
    let objects = settings.objects.as_ref();
    note().write(objects).await.unwrap();
    let whole = [&wav::header(2, RATE, 32_000)[..], &[7; 32_000]].concat();
    objects.put(&"acme/r.wav".into(), whole.clone().into()).await.unwrap();
    finish(&settings, note()).await;
    let finished = tests::reported(&facts).await;
    assert_eq!((finished.duration_ms, finished.bytes), (1_000, whole.len() as u64));
    assert_eq!(finished.sha256, hex::encode(Sha256::digest(&whole)));
    assert_eq!(Note::read(objects, &note().ticket).await.unwrap(), None, "it is not found again");
}

#[tokio::test]
async fn sound_at_hand_becomes_a_file_without_parts() {
    let (settings, facts) = tests::settings(Arc::new(Store::default()));
    let note = Note { ended_ms: Some(2_000), ..note() };
    note.write(settings.parts.as_ref()).await.unwrap();
    finish_at_once(&settings, note, vec![7; 32_000].into()).await;
    let (finished, file) = (tests::reported(&facts).await, file(settings.objects.as_ref()).await);
    assert_eq!((finished.duration_ms, finished.missing_ms), (1_000, 0));
    assert_eq!(finished.sha256, hex::encode(Sha256::digest(&file)));
    assert_eq!(&file[wav::HEADER..], [7; 32_000]);
}

/// Three seconds of 440 Hz left and 1000 Hz right, a part a second.
fn talk() -> Vec<Bytes> {
    let sides = [440.0, 1000.0].map(|hertz| tone::sine(hertz, 8000.0, 0, 24_000));
    let all: Vec<u8> = sides[0]
        .iter()
        .zip(&sides[1])
        .flat_map(|(left, right)| [*left, *right])
        .flat_map(i16::to_le_bytes)
        .collect();
    all.chunks(32_000).map(Bytes::copy_from_slice).collect()
}

/// The last two of its five seconds are missing.
#[tokio::test]
async fn parts_become_the_kind_of_file_that_was_asked_for() {
    for (opus, mixed) in [(false, true), (true, false), (true, true)] {
        let objects = InMemory::new();
        let note = Note { ticket: Ticket { opus, mixed, ..ticket("r") }, ended_ms: Some(6_000), ..note() };
        for (number, part) in (1..).zip(talk()) {
            objects.put(&layout::part(&note.ticket, number), part.into()).await.unwrap();
        }
        let note = joined(&objects, &Failing::default(), note).await.unwrap();
        let (missing_ms, finished) = (note.missing_ms, note.finished.unwrap());
        let file = file(&objects).await;
        assert_eq!((finished.duration_ms, missing_ms), (5_000, 2_000), "{opus} {mixed}");
        assert_eq!(finished, Finished::of(&file), "{opus} {mixed}");
        assert_eq!(file.starts_with(b"OggS"), opus);
        if mixed {
            let heard = mangrove_sound::read(&file, 60).unwrap();
            let levels = [440.0, 1000.0, 700.0].map(|hertz| tone::level(&heard[4000..23_000], hertz));
            assert!(levels[0] > 5000.0 && levels[1] > 5000.0 && levels[2] < 500.0, "{levels:?}");
        }
        assert!(!opus || file.len() < 40_000, "{}", file.len());
    }
}

#[tokio::test]
async fn sound_at_hand_becomes_the_kind_of_file_that_was_asked_for() {
    let (settings, facts) = tests::settings(Arc::new(Store::default()));
    let note = Note { ticket: Ticket { opus: true, mixed: true, ..ticket("r") }, ..note() };
    note.write(settings.parts.as_ref()).await.unwrap();
    finish_at_once(&settings, note, talk().remove(0)).await;
    let (finished, file) = (tests::reported(&facts).await, file(settings.objects.as_ref()).await);
    assert_eq!((finished.duration_ms, finished.bytes), (1_000, file.len() as u64));
    let heard = mangrove_sound::read(&file, 60).unwrap();
    assert!(tone::level(&heard[4000..8000], 440.0) > 5000.0);
}

/// Else a thousand calls that end at once would be in memory at once.
#[tokio::test]
async fn files_are_put_together_a_few_at_a_time() {
    let form = note().ticket.form();
    let mut turns = Vec::new();
    for _ in 0..making::AT_ONCE {
        turns.push(making::turn(form).await.unwrap());
    }
    assert!(making::turn(form).now_or_never().is_none());
    drop(turns.pop());
    assert!(making::turn(form).await.is_some());
}

/// Its node died between the file and the report.
#[tokio::test]
async fn a_file_of_opus_is_found_with_its_length() {
    let (settings, facts) = tests::settings(Arc::new(Store::default()));
    let note = Note { ticket: Ticket { opus: true, ..ticket("r") }, ..note() };
    let whole = making::whole(note.ticket.form(), talk().concat().into()).await.unwrap();
    settings.objects.put(&layout::object(&note.ticket), whole.clone().into()).await.unwrap();
    report_again(&settings, &note.ticket).await.unwrap();
    let finished = tests::reported(&facts).await;
    assert_eq!((finished.duration_ms, finished.bytes), (3_000, whole.len() as u64));
}

#[tokio::test]
async fn a_recording_in_which_nothing_was_said_is_an_empty_file() {
    let objects = InMemory::new();
    assert_eq!(joined(&objects, &Failing::default(), note()).await.unwrap().finished.unwrap().duration_ms, 0);
    assert_eq!(file(&objects).await.len(), wav::HEADER);
}

#[tokio::test]
async fn what_the_parts_lack_of_the_calls_length_is_silence_and_is_named() {
    for (ended_ms, missing_ms, duration_ms) in
        [(Some(11_000), 2_000, 10_000), (Some(9_040), 0, 8_000), (Some(5_000), 0, 8_000), (None, 0, 8_000)]
    {
        let (objects, note) = (InMemory::new(), Note { ended_ms, ..note() });
        put_parts(&objects, &note, 8, 32_000).await;
        let note = joined(&objects, &Failing::default(), note).await.unwrap();
        assert_eq!((note.missing_ms, note.finished.unwrap().duration_ms), (missing_ms, duration_ms));
        let file = file(&objects).await;
        assert!(file[wav::HEADER + 8 * 32_000..].iter().all(|byte| *byte == 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_recording_takes_its_time_and_reads_ahead() {
    let config = ThrottleConfig { wait_get_per_call: Duration::from_secs(1), ..Default::default() };
    let (objects, note) = (ThrottledStore::new(InMemory::new(), config), note());
    put_parts(&objects, &note, 400, 3_200).await;
    let began = Instant::now();
    let note = joined(&objects, &Failing::default(), note).await.unwrap();
    assert_eq!(note.finished.unwrap().duration_ms, 40_000);
    // 400 seconds of reading, eight at a time: more than any one operation may take.
    let took = began.elapsed();
    assert!((DEADLINE..Duration::from_secs(60)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_never_answers_fails_in_time() {
    let began = Instant::now();
    let outcome = within(DEADLINE, std::future::pending::<Result<()>>()).await;
    assert!(outcome.unwrap_err().to_string().contains("no answer in time"));
    assert_eq!(began.elapsed(), DEADLINE);
}
