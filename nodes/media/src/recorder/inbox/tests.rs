use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use bytes::Bytes;
use mangrove_objects::Masters;
use object_store::ObjectStoreExt;

use super::*;
use crate::{
    recorder::{
        Settings,
        claims::Claims,
        layout, left,
        open::Note,
        parts,
        tests::{Facts, reported, settings, ticket},
        writer::{self, Beginning, Writer},
    },
    testing::Store,
};

const SECOND: usize = 32_000;
/// Base64 of 32 bytes.
const MASTER: &str = "2026 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A store that is away, and a folder to wait in.
struct Outage {
    store: Arc<Store>,
    folder: tempfile::TempDir,
    masters: Option<Arc<Masters>>,
}

impl Outage {
    fn new(masters: Option<&str>) -> Self {
        let store = Arc::new(Store::default());
        store.refuses.store(true, Ordering::Relaxed);
        let masters = masters.map(|text| Arc::new(Masters::parse(text).unwrap()));
        Self { store, folder: tempfile::tempdir().unwrap(), masters }
    }

    fn spool(&self, limit: u64) -> Spool {
        Spool::open(&self.folder.path().join("spool"), limit, self.masters.clone()).unwrap()
    }

    /// Of a run of the node: each opens the spool anew.
    fn settings(&self, writer: &str, limit: u64) -> (Settings, Facts) {
        let (settings, facts) = settings(self.store.clone());
        (Settings { writer: writer.into(), spool: Some(self.spool(limit)), ..settings }, facts)
    }

    fn ends(&self) {
        self.store.refuses.store(false, Ordering::Relaxed);
    }

    /// Files that hold pieces.
    fn pieces(&self) -> Vec<PathBuf> {
        let spool = self.folder.path().join("spool");
        let shelves = std::fs::read_dir(spool).into_iter().flatten().map(|entry| entry.unwrap().path());
        let files = shelves.flat_map(|shelf| std::fs::read_dir(shelf).into_iter().flatten());
        let files = files.map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "piece")).collect()
    }

    async fn has_pieces(&self, count: usize) {
        while self.pieces().len() != count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn sound(second: u8) -> Piece {
    Piece::Sound(Bytes::from(vec![second; SECOND]))
}

struct Running {
    pieces: mpsc::UnboundedSender<Piece>,
    memory: Memory,
    task: tokio::task::JoinHandle<()>,
}

/// A writer that began when 1970 was a second old.
fn start(settings: &Settings) -> Running {
    let (pieces, inbox) = mpsc::unbounded_channel();
    let claims = Claims::default();
    let claim = claims.try_claim(&ticket("r"));
    let beginning = Beginning { ticket: ticket("r"), began_ms: 1_000, ran_ms: 0, claim };
    let memory = Memory::new(1 << 20);
    let task = tokio::spawn(writer::run(settings.clone(), memory.clone(), claims, beginning, inbox));
    Running { pieces, memory, task }
}

impl Running {
    fn send(&self, piece: Piece) {
        assert!(self.memory.reserve(piece.length()));
        self.pieces.send(piece).unwrap();
    }

    async fn has_nothing_in_memory(&self) {
        while self.memory.waiting.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn seconds(store: &Store) -> Vec<u8> {
    let file = store.get(&layout::object(&ticket("r"))).await.unwrap().bytes().await.unwrap();
    file[mangrove_rtp::wav::HEADER..].chunks(SECOND).map(|second| second[0]).collect()
}

#[tokio::test]
async fn what_the_store_does_not_take_waits_on_the_disk_and_is_written_in_order() {
    for masters in [None, Some(MASTER)] {
        let outage = Outage::new(masters);
        let (settings, facts) = outage.settings("a/1", 1 << 30);
        let running = start(&settings);
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
        assert_eq!(seconds(&outage.store).await, [1, 2, 3, 4, 5, 6, 7]);
        assert!(std::fs::read_dir(outage.folder.path().join("spool")).unwrap().next().is_none());
    }
}

/// The process is killed in the outage, and its next run finds what waited.
#[tokio::test]
async fn what_waited_is_written_after_a_restart_before_what_comes_then() {
    for masters in [None, Some(MASTER)] {
        let outage = Outage::new(masters);
        let (first, _) = outage.settings("a/1", 1 << 30);
        let running = start(&first);
        (1..=3).for_each(|second| running.send(sound(second)));
        outage.has_pieces(3).await;
        running.task.abort();
        let _ = running.task.await;
        drop(first);

        let (second, facts) = outage.settings("a/2", 1 << 30);
        let claims = Claims::default();
        let _writing = left::take_up(&second, &Memory::new(1 << 20), &claims).await;
        let (pieces, inbox) = mpsc::unbounded_channel();
        let beginning = Beginning { ticket: ticket("r"), began_ms: 4_000, ran_ms: 3_000, claim: None };
        let memory = Memory::new(1 << 20);
        assert!(memory.reserve(2 * SECOND));
        pieces.send(sound(4)).unwrap();
        pieces.send(Piece::Finish { ended_ms: 6_000, rest: Bytes::from(vec![5; SECOND]) }).unwrap();
        let writing = tokio::spawn(writer::run(second, memory, claims, beginning, inbox));
        outage.ends();
        writing.await.unwrap();
        assert_eq!(reported(&facts).await.missing_ms, 0);
        assert_eq!(seconds(&outage.store).await, [1, 2, 3, 4, 5]);
        outage.has_pieces(0).await;
    }
}

/// Killed between writing a piece and taking it off the disk.
#[tokio::test]
async fn a_piece_that_the_store_has_already_is_not_written_twice() {
    let outage = Outage::new(None);
    let (first, _) = outage.settings("a/1", 1 << 30);
    let running = start(&first);
    (1..=2).for_each(|second| running.send(sound(second)));
    outage.has_pieces(2).await;
    running.task.abort();
    let _ = running.task.await;
    drop(first);
    outage.ends();
    let (second, _) = outage.settings("a/2", 1 << 30);
    let note = Note { writer: "a/1".into(), ..Note::new(ticket("r"), 1_000) };
    note.write(outage.store.as_ref()).await.unwrap();
    outage.store.put(&layout::part(&ticket("r"), 1), vec![1; SECOND].into()).await.unwrap();
    let claims = Claims::default();
    let _writing = left::take_up(&second, &Memory::new(1 << 20), &claims).await;
    claims.all_released().await;
    let parts = parts::list(outage.store.as_ref(), &ticket("r")).await.unwrap();
    assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2]);
    outage.has_pieces(0).await;
}

/// Its heir went on while it was away: the recording is the heir's.
#[tokio::test]
async fn what_waited_of_a_recording_that_another_took_up_is_left_out() {
    let outage = Outage::new(None);
    let (first, _) = outage.settings("a/1", 1 << 30);
    let running = start(&first);
    running.send(sound(1));
    outage.has_pieces(1).await;
    running.task.abort();
    let _ = running.task.await;
    drop(first);
    outage.ends();
    let note = Note { writer: "b/9".into(), ..Note::new(ticket("r"), 1_000) };
    note.write(outage.store.as_ref()).await.unwrap();
    let (second, _) = outage.settings("a/2", 1 << 30);
    let claims = Claims::default();
    let _writing = left::take_up(&second, &Memory::new(1 << 20), &claims).await;
    claims.all_released().await;
    assert!(parts::list(outage.store.as_ref(), &ticket("r")).await.unwrap().is_empty());
    let found = Note::read(outage.store.as_ref(), &ticket("r")).await.unwrap();
    assert_eq!(found.unwrap().writer, "b/9");
    outage.has_pieces(0).await;
}

/// The run that takes up what waited is killed as well, with a part written and a piece on the disk.
#[tokio::test]
async fn what_waited_is_still_written_when_the_run_that_began_to_write_it_ends() {
    let outage = Outage::new(None);
    let (first, _) = outage.settings("a/1", 1 << 30);
    let running = start(&first);
    (1..=2).for_each(|second| running.send(sound(second)));
    outage.has_pieces(2).await;
    running.task.abort();
    let _ = running.task.await;
    drop(first);
    outage.ends();
    let (second, _) = outage.settings("a/2", 1 << 30);
    let left = second.spool.as_ref().unwrap().left().await.pop().unwrap();
    let mut writer = Writer::take_up(second.clone(), &left.about, left.is_begun).await.unwrap();
    left.shelf.mark_begun().await;
    let (number, size) = left.pieces[0];
    writer.take(left.shelf.get(number).await.unwrap()).await;
    left.shelf.forget(number, size).await;
    drop((writer, left, second));

    let (third, _) = outage.settings("a/3", 1 << 30);
    let claims = Claims::default();
    let _writing = left::take_up(&third, &Memory::new(1 << 20), &claims).await;
    claims.all_released().await;
    let parts = parts::list(outage.store.as_ref(), &ticket("r")).await.unwrap();
    assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2]);
    outage.has_pieces(0).await;
}

/// Its heir was done before it came back: the heir's file is good.
#[tokio::test]
async fn what_waited_of_a_recording_that_another_finished_leaves_its_file_alone() {
    let outage = Outage::new(None);
    let (first, _) = outage.settings("a/1", 1 << 30);
    let running = start(&first);
    running.send(sound(1));
    outage.has_pieces(1).await;
    running.task.abort();
    let _ = running.task.await;
    drop(first);
    outage.ends();
    let whole = [vec![0_u8; mangrove_rtp::wav::HEADER], vec![9; SECOND]].concat();
    outage.store.put(&layout::object(&ticket("r")), whole.into()).await.unwrap();
    let (second, _) = outage.settings("a/2", 1 << 30);
    let claims = Claims::default();
    let _writing = left::take_up(&second, &Memory::new(1 << 20), &claims).await;
    claims.all_released().await;
    assert!(parts::list(outage.store.as_ref(), &ticket("r")).await.unwrap().is_empty());
    assert_eq!(Note::read(outage.store.as_ref(), &ticket("r")).await.unwrap(), None);
    assert_eq!(seconds(&outage.store).await, [9]);
    outage.has_pieces(0).await;
}

#[tokio::test]
async fn a_process_that_ends_in_an_outage_is_not_held_up_when_all_is_on_the_disk() {
    let outage = Outage::new(None);
    let (settings, _) = outage.settings("a/1", 1 << 30);
    let running = start(&settings);
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
    let running = start(&settings);
    (1..=4).for_each(|second| running.send(sound(second)));
    outage.has_pieces(1).await;
    running.send(Piece::Finish { ended_ms: 5_000, rest: Bytes::new() });
    assert!(settings.spool.as_ref().unwrap().level().contains("1 of 1 MB"));
    outage.ends();
    running.task.await.unwrap();
    assert_eq!(reported(&facts).await.missing_ms, 0);
    assert_eq!(seconds(&outage.store).await, [1, 2, 3, 4]);
}

#[tokio::test]
async fn what_lies_sealed_is_told_where_its_master_key_is_missing() {
    let outage = Outage::new(Some(MASTER));
    let (settings, _) = outage.settings("a/1", 1 << 30);
    let running = start(&settings);
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
