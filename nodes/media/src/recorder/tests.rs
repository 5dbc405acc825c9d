//! What the recorder's tests need, and tests of the whole.

use async_trait::async_trait;
use mangrove_proto::{
    common::{Ack, Sender},
    edge::EdgeEvents,
    media::{MediaEvents, RecordingFinished, media_event::Fact},
    service,
};
use mangrove_rtp::{align::Side, g711::Law};
use parking_lot::Mutex;

use super::*;
use crate::{clock::now_us, gate::Gate, testing::Store, thread::Frame};

pub(super) type Facts = Arc<Mutex<Vec<Fact>>>;

#[derive(Debug)]
struct Control(Facts);

#[async_trait]
impl service::Control for Control {
    async fn deliver_edge(&self, _: EdgeEvents) -> Result<Ack, service::Error> {
        Ok(Ack::default())
    }

    async fn deliver_media(&self, events: MediaEvents) -> Result<Ack, service::Error> {
        let last = events.events.last().map_or(0, |event| event.sequence);
        self.0.lock().extend(events.events.into_iter().filter_map(|event| event.fact));
        Ok(Ack { sequence: last })
    }
}

/// Settings with this store, and what is reported.
pub(super) fn settings(objects: Arc<dyn ObjectStore>) -> (Settings, Facts) {
    let facts = Facts::default();
    let control = Arc::new(Control(facts.clone()));
    let outbox = Outbox::new(Sender::default(), control, tokio::runtime::Handle::current(), Gate::new(true));
    let segment = Duration::from_millis(200);
    let (writer, parts, gate, failing) = ("a/1".into(), objects.clone(), Gate::new(true), Failing::default());
    let (memory, spool) = (1 << 20, None);
    (Settings { writer, parts, objects, outbox, gate, segment, memory, spool, failing }, facts)
}

pub(super) fn ticket(recording: &str) -> Ticket {
    Ticket {
        group: 1,
        tenant: "acme".into(),
        session: "call".into(),
        recording: recording.into(),
        object: format!("acme/{recording}.wav"),
        opus: false,
        mixed: false,
    }
}

/// A second of sound of one side.
fn second(side: Side, began_us: u64) -> Batch {
    let frame = |number: usize| Frame {
        recording: 1,
        side,
        stream: side as u64,
        timestamp: number as u32 * 160,
        law: Law::A,
        arrived_us: began_us + number as u64 * 20_000,
        payload: number * 160..(number + 1) * 160,
    };
    Batch { frames: (0..50).map(frame).collect(), bytes: vec![0x55; 8_000] }
}

pub(super) async fn reported(facts: &Facts) -> RecordingFinished {
    loop {
        if let Some(Fact::RecordingFinished(finished)) = facts.lock().first() {
            return finished.clone();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn sound_that_is_dropped_on_its_way_is_named_as_missing() {
    for (is_behind, missing_ms) in [(false, 0), (true, 1_000)] {
        let (settings, facts) = settings(Arc::new(Store::default()));
        let (recorder, _task) = Recorder::start(settings);
        let began_us = now_us();
        recorder.begin(1, ticket("r"), began_us, 0);
        if is_behind {
            recorder.backlog.store(BACKLOG + 1, Ordering::Relaxed);
        }
        recorder.add(second(Side::Left, began_us));
        recorder.add(second(Side::Right, began_us));
        recorder.finish(1, began_us + 1_000_000);
        let finished = reported(&facts).await;
        assert_eq!((finished.missing_ms, finished.duration_ms), (missing_ms, 1_000));
    }
}

#[tokio::test]
async fn a_recording_that_begins_late_has_silence_before_it_that_is_named() {
    for (ran_ms, missing_ms) in [(0, 0), (40, 0), (1_500, 1_500)] {
        let (settings, facts) = settings(Arc::new(Store::default()));
        let (recorder, _task) = Recorder::start(settings);
        let began_us = now_us();
        recorder.begin(1, ticket("r"), began_us, ran_ms);
        recorder.add(second(Side::Left, began_us));
        recorder.finish(1, began_us + 1_000_000);
        let finished = reported(&facts).await;
        assert_eq!((finished.missing_ms, finished.duration_ms), (missing_ms, 1_000 + missing_ms));
    }
}

#[tokio::test]
async fn a_stopping_node_waits_for_recordings_that_are_being_put_together() {
    let store = Arc::new(Store::default());
    let (recorder, _task) = Recorder::start(settings(store.clone()).0);
    let began_us = now_us();
    recorder.begin(1, ticket("r"), began_us, 0);
    recorder.add(second(Side::Left, began_us));
    recorder.finish(1, began_us + 1_000_000);
    recorder.suspend().await;
    assert_eq!(objects(&store).await, ["acme/r.wav"]);
}

async fn objects(store: &Store) -> Vec<String> {
    let listed: Vec<object_store::ObjectMeta> =
        futures::TryStreamExt::try_collect(store.list(None)).await.unwrap_or_default();
    listed.into_iter().map(|meta| meta.location.to_string()).collect()
}

/// Waits until there are more parts than so many; gives how many.
async fn more_parts(store: &Store, than: usize) -> usize {
    loop {
        let count = objects(store).await.iter().filter(|name| name.ends_with(".pcm")).count();
        if count > than {
            return count;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// One that drains: its calls go on at another.
#[tokio::test]
async fn a_recording_that_is_left_is_not_finished_and_another_node_goes_on_with_it() {
    let store = Arc::new(Store::default());
    let (drains, facts) = settings(store.clone());
    let (drains, _task) = Recorder::start(drains);
    let (next, heard) = settings(store.clone());
    let (next, _next_task) = Recorder::start(Settings { writer: "b/2".into(), ..next });
    let began_us = now_us();
    drains.begin(1, ticket("r"), began_us, 0);
    drains.add(second(Side::Left, began_us));
    drains.leave(1, began_us + 1_000_000);
    drains.suspend().await;
    assert!(more_parts(&store, 0).await > 0 && facts.lock().is_empty(), "it is no file yet");
    let left_us = now_us();
    next.begin(7, ticket("r"), left_us, 0);
    next.finish(7, left_us + 1_500_000);
    let finished = reported(&heard).await;
    assert!(finished.duration_ms >= 1_000, "{} ms", finished.duration_ms);
    next.suspend().await;
    assert_eq!(objects(&store).await, ["acme/r.wav"]);
}

/// A node that is cut off from the cluster and not from the store records on beside its heir.
#[tokio::test]
async fn a_recording_has_one_writer_the_one_that_took_it_up_last() {
    let store = Arc::new(Store::default());
    let (cut_off, _task) = Recorder::start(settings(store.clone()).0);
    let (heirs, facts) = settings(store.clone());
    let (heir, _heirs_task) = Recorder::start(Settings { writer: "b/2".into(), ..heirs });
    let began_us = now_us();
    cut_off.begin(1, ticket("r"), began_us, 0);
    cut_off.add(second(Side::Left, began_us));
    let before = more_parts(&store, 2).await;
    heir.begin(7, ticket("r"), now_us(), 0);
    // Its own of the gap, and then two of what it would hear, with those of the other between them.
    more_parts(&store, before + 3).await;
    let ended_us = now_us();
    heir.finish(7, ended_us);
    let (finished, lasted_ms) = (reported(&facts).await, (ended_us - began_us) / 1_000);
    let right = lasted_ms - 20..=lasted_ms + 20;
    assert!(right.contains(&finished.duration_ms), "{} ms of {lasted_ms}", finished.duration_ms);
    cut_off.suspend().await;
    assert_eq!(objects(&store).await, ["acme/r.wav"], "it leaves nothing behind");
}

/// A node that stops, whose calls go on at others.
#[tokio::test(start_paused = true)]
async fn nothing_is_finished_any_more_when_the_recorder_has_stopped() {
    let store = Arc::new(Store::default());
    let (settings, facts) = settings(store.clone());
    open::Note::new(ticket("r"), 0).write(store.as_ref()).await.expect("a note");
    store.is_away.store(true, Ordering::Relaxed);
    let failing = settings.failing.clone();
    let (recorder, task) = Recorder::start(settings);
    recorder.finish_left(ticket("r"), Some(1_000));
    while failing.is_calm(Duration::from_secs(3_600)) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    task.abort();
    store.is_away.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!(facts.lock().is_empty());
    assert_eq!(objects(&store).await, ["recordings-open/acme/r.json"]);
}
