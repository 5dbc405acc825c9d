//! What tests of an outage need: a store that is away, a folder to wait in, and a writer whose process can be killed.
#![allow(clippy::unwrap_used)]

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use mangrove_objects::Masters;
use object_store::ObjectStoreExt;
use tokio::sync::mpsc;

use super::{
    Memory, Settings,
    claims::Claims,
    layout, left, parts,
    piece::Piece,
    spool::Spool,
    tests::{Facts, settings, ticket},
    writer::{self, Beginning},
};
use crate::testing::Store;

/// Bytes of a second of sound.
pub(super) const SECOND: usize = 32_000;
/// Base64 of 32 bytes.
pub(super) const MASTER: &str = "2026 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// A store that is away, and a folder to wait in.
pub(super) struct Outage {
    pub(super) store: Arc<Store>,
    pub(super) folder: tempfile::TempDir,
    masters: Option<Arc<Masters>>,
}

impl Outage {
    pub(super) fn new(masters: Option<&str>) -> Self {
        let store = Arc::new(Store::default());
        store.refuses.store(true, Ordering::Relaxed);
        let masters = masters.map(|text| Arc::new(Masters::parse(text).unwrap()));
        Self { store, folder: tempfile::tempdir().unwrap(), masters }
    }

    fn spool(&self, limit: u64) -> Spool {
        Spool::open(&self.folder.path().join("spool"), limit, self.masters.clone()).unwrap()
    }

    /// Of a run of the node: each opens the spool anew.
    pub(super) fn settings(&self, writer: &str, limit: u64) -> (Settings, Facts) {
        let (settings, facts) = settings(self.store.clone());
        (Settings { writer: writer.into(), spool: Some(self.spool(limit)), ..settings }, facts)
    }

    pub(super) fn ends(&self) {
        self.store.refuses.store(false, Ordering::Relaxed);
    }

    /// Files that hold pieces, in order.
    pub(super) fn pieces(&self) -> Vec<PathBuf> {
        let spool = self.folder.path().join("spool");
        let shelves = std::fs::read_dir(spool).into_iter().flatten().map(|entry| entry.unwrap().path());
        let files = shelves.flat_map(|shelf| std::fs::read_dir(shelf).into_iter().flatten());
        let files = files.map(|entry| entry.unwrap().path());
        let is_piece = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "piece");
        let mut pieces: Vec<_> = files.filter(is_piece).collect();
        pieces.sort();
        pieces
    }

    pub(super) async fn has_pieces(&self, count: usize) {
        while self.pieces().len() != count {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A run that takes the recording up, so long after it began, and is killed with these seconds of sound on the disk.
    pub(super) async fn kills(&self, writer: &str, ran_ms: u64, seconds: &[u8]) {
        let before = self.pieces().len();
        let (settings, _) = self.settings(writer, 1 << 30);
        let running = start(&settings, ran_ms);
        seconds.iter().for_each(|second| running.send(sound(*second)));
        self.has_pieces(before + seconds.len()).await;
        running.task.abort();
        let _ = running.task.await;
    }

    /// A run that writes what waited, and no more.
    pub(super) async fn is_drained_by(&self, writer: &str) {
        let (settings, _) = self.settings(writer, 1 << 30);
        let claims = Claims::default();
        let _writing = left::take_up(&settings, &Memory::new(1 << 20), &claims).await;
        claims.all_released().await;
    }

    /// A byte of each second of the parts.
    pub(super) async fn seconds_of_parts(&self) -> Vec<u8> {
        let mut all = Vec::new();
        for part in parts::list(self.store.as_ref(), &ticket("r")).await.unwrap() {
            let path = layout::part(&ticket("r"), part.number);
            all.extend_from_slice(&self.store.get(&path).await.unwrap().bytes().await.unwrap());
        }
        all.chunks(SECOND).map(|second| second[0]).collect()
    }

    /// A byte of each second of the file.
    pub(super) async fn seconds(&self) -> Vec<u8> {
        let file = self.store.get(&layout::object(&ticket("r"))).await.unwrap().bytes().await.unwrap();
        file[mangrove_rtp::wav::HEADER..].chunks(SECOND).map(|second| second[0]).collect()
    }
}

pub(super) fn sound(second: u8) -> Piece {
    Piece::Sound(Bytes::from(vec![second; SECOND]))
}

pub(super) struct Running {
    pub(super) pieces: mpsc::UnboundedSender<Piece>,
    memory: Memory,
    pub(super) task: tokio::task::JoinHandle<()>,
}

/// A writer of a recording that began when 1970 was a second old; it comes to it so much later.
pub(super) fn start(settings: &Settings, ran_ms: u64) -> Running {
    let (pieces, inbox) = mpsc::unbounded_channel();
    let claims = Claims::default();
    let claim = claims.try_claim(&ticket("r"));
    let beginning = Beginning { ticket: ticket("r"), began_ms: 1_000 + ran_ms, ran_ms, claim };
    let memory = Memory::new(1 << 20);
    let task = tokio::spawn(writer::run(settings.clone(), memory.clone(), claims, beginning, inbox));
    Running { pieces, memory, task }
}

impl Running {
    pub(super) fn send(&self, piece: Piece) {
        assert!(self.memory.reserve(piece.length()));
        self.pieces.send(piece).unwrap();
    }

    pub(super) async fn has_nothing_in_memory(&self) {
        while self.memory.waiting.load(Ordering::Relaxed) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
