//! The recorder's task: places each packet's sound and cuts parts. It only computes; each recording's writer talks to
//! the store.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use mangrove_rtp::align::{Aligner, Sound};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::{
    Memory, Message, Settings,
    claims::Claims,
    inbox, layout, left,
    open::Ticket,
    piece::Piece,
    sweep,
    writer::{self, Beginning},
};
use crate::{
    clock::{now_us, unix_at},
    metrics::{RECORDING_DROPPED, RECORDINGS},
    thread::{Batch, Frame},
};

/// How long a late packet may still find its place.
const OPEN_US: u64 = 500_000;
/// How often parts are looked for.
const ROUND: Duration = Duration::from_millis(250);
/// How long a stopping node waits for recordings that are just being put together; the next run goes on with them.
const FINISHES: Duration = Duration::from_secs(10);
/// The same where there is a disk to wait on: all is on it by then.
const SHELVES: Duration = inbox::PATIENCE.saturating_add(Duration::from_secs(2));

struct Recording {
    aligner: Aligner,
    /// Of the part being gathered.
    part: Vec<u8>,
    /// Bytes of each side's sound (one a sample) that were dropped on their way here.
    lost: [u64; 2],
    writer: mpsc::UnboundedSender<Piece>,
    ticket: Ticket,
}

struct Aligning {
    settings: Settings,
    memory: Memory,
    claims: Claims,
    /// Recordings of other nodes that are being finished: control says it again until it has heard of them.
    told: Claims,
    recordings: BTreeMap<u64, Recording>,
    part_bytes: usize,
    /// Write what former runs left, finish what other nodes left, and sweep. They end with the recorder, not with the process.
    tasks: JoinSet<()>,
}

/// Runs until the recorder's last handle is gone.
pub(super) async fn run(
    settings: Settings,
    mut inbox: mpsc::UnboundedReceiver<Message>,
    backlog: Arc<AtomicUsize>,
) {
    let mut aligning = Aligning {
        memory: Memory::new(settings.memory),
        claims: Claims::default(),
        told: Claims::default(),
        recordings: BTreeMap::new(),
        part_bytes: layout::bytes(settings.segment.as_millis() as u64).max(layout::SAMPLE) as usize,
        tasks: JoinSet::new(),
        settings,
    };
    // Before any call's new sound has a writer.
    aligning.tasks = left::take_up(&aligning.settings, &aligning.memory, &aligning.claims).await;
    let mut round = tokio::time::interval(ROUND);
    round.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut sweep = tokio::time::interval_at(tokio::time::Instant::now() + sweep::FIRST, sweep::EVERY);
    loop {
        tokio::select! {
            message = inbox.recv() => match message {
                Some(message) => aligning.take(message, &backlog).await,
                None => return,
            },
            _ = round.tick() => aligning.cut_all(now_us().saturating_sub(OPEN_US)),
            _ = sweep.tick() => aligning.sweep(),
        }
    }
}

impl Aligning {
    async fn take(&mut self, message: Message, backlog: &AtomicUsize) {
        match message {
            Message::Begin { number, ticket, now_us, ran_ms } => self.begin(number, ticket, now_us, ran_ms),
            Message::Batch(batch) => {
                backlog.fetch_sub(batch.bytes.len(), Ordering::Relaxed);
                for frame in &batch.frames {
                    self.add(frame, &batch);
                }
            }
            Message::Pause { number, now_us } => {
                if let Some(recording) = self.recordings.get_mut(&number) {
                    recording.aligner.pause(now_us);
                }
            }
            Message::Resume { number, now_us } => {
                if let Some(recording) = self.recordings.get_mut(&number) {
                    recording.aligner.resume(now_us);
                }
            }
            Message::Finish { number, now_us } => {
                if let Some(mut recording) = self.recordings.remove(&number) {
                    self.cut(&mut recording, now_us);
                    let rest = self.rest(&mut recording);
                    recording.send(Piece::Finish { ended_ms: wall_ms(now_us), rest });
                }
            }
            Message::Leave { number, now_us } => {
                if let Some(mut recording) = self.recordings.remove(&number) {
                    // Nobody waits for it: whoever goes on finds the part, or has put silence in its place.
                    drop(self.leave(&mut recording, now_us));
                }
            }
            Message::FinishLeft { ticket, ran_ms } => self.finish_left(ticket, ran_ms),
            Message::Suspend(answer) => {
                self.suspend().await;
                let _ = answer.send(());
            }
        }
        metrics::gauge!(RECORDINGS).set(self.recordings.len() as f64);
    }

    fn begin(&mut self, number: u64, ticket: Ticket, now_us: u64, ran_ms: u64) {
        let (writer, pieces) = mpsc::unbounded_channel();
        // Claimed here, not in the task: no sweep may come between.
        let claim = self.claims.try_claim(&ticket);
        let beginning = Beginning { ticket: ticket.clone(), began_ms: wall_ms(now_us), ran_ms, claim };
        let (settings, memory, claims) = (self.settings.clone(), self.memory.clone(), self.claims.clone());
        tokio::spawn(writer::run(settings, memory, claims, beginning, pieces));
        let aligner = Aligner::new(now_us);
        let recording = Recording { aligner, part: Vec::new(), lost: [0; 2], writer, ticket };
        self.recordings.insert(number, recording);
    }

    fn finish_left(&mut self, ticket: Ticket, ran_ms: Option<u64>) {
        let Some(told) = self.told.try_claim(&ticket) else { return };
        let (settings, claims) = (self.settings.clone(), self.claims.clone());
        self.tasks.spawn(async move {
            let _told = told;
            settings.gate.opened().await;
            sweep::finish_left(&settings, &claims, &ticket, ran_ms).await;
        });
    }

    fn add(&mut self, frame: &Frame, batch: &Batch) {
        let Some(recording) = self.recordings.get_mut(&frame.recording) else { return };
        let Some(payload) = batch.bytes.get(frame.payload.clone()) else {
            recording.lost[frame.side as usize] += frame.payload.len() as u64;
            return;
        };
        let sound = Sound { stream: frame.stream, timestamp: frame.timestamp, law: frame.law, payload };
        recording.aligner.add(frame.side, sound, frame.arrived_us);
    }

    /// Closes all recordings up to `until_us` and passes on the parts that are full.
    fn cut_all(&mut self, until_us: u64) {
        let mut recordings = std::mem::take(&mut self.recordings);
        for recording in recordings.values_mut() {
            self.cut(recording, until_us);
        }
        self.recordings = recordings;
    }

    fn cut(&self, recording: &mut Recording, until_us: u64) {
        let position = recording.aligner.position(until_us);
        while recording.aligner.taken() < position {
            recording.aligner.take(position, &mut recording.part);
            while recording.part.len() >= self.part_bytes {
                let rest = recording.part.split_off(self.part_bytes);
                self.pass_on(recording, rest);
            }
        }
    }

    fn pass_on(&self, recording: &mut Recording, next: Vec<u8>) {
        let part = std::mem::replace(&mut recording.part, next);
        if let Some(sound) = self.admit(recording, part) {
            recording.send(Piece::Sound(sound));
        }
    }

    /// What is gathered and not yet a part; nothing when it was told as a hole.
    fn rest(&self, recording: &mut Recording) -> Bytes {
        let rest = std::mem::take(&mut recording.part);
        self.admit(recording, rest).unwrap_or_default()
    }

    /// The sound to be written; when too much waits already, the writer is told its length only.
    fn admit(&self, recording: &mut Recording, part: Vec<u8>) -> Option<Bytes> {
        if self.memory.reserve(part.len()) {
            recording.name_lost();
            return Some(Bytes::from(part));
        }
        metrics::counter!(RECORDING_DROPPED).increment(part.len() as u64);
        recording.lost = [0; 2];
        recording.send(Piece::Hole(part.len() as u64));
        None
    }

    async fn suspend(&mut self) {
        let recordings = std::mem::take(&mut self.recordings);
        let mut waits = Vec::new();
        for mut recording in recordings.into_values() {
            waits.push(self.leave(&mut recording, now_us()));
        }
        let patience = if self.settings.spool.is_some() { SHELVES } else { FINISHES };
        let released = tokio::time::timeout(patience, self.claims.all_released());
        let (_, released) = futures::future::join(futures::future::join_all(waits), released).await;
        if released.is_err() {
            tracing::warn!("recordings are still being put together, the next run goes on with them");
        }
    }

    /// Has all that is gathered until `until_us` written, for another run or node to go on with; answered when it is in the
    /// store.
    fn leave(&self, recording: &mut Recording, until_us: u64) -> oneshot::Receiver<()> {
        self.cut(recording, until_us);
        if !recording.part.is_empty() {
            self.pass_on(recording, Vec::new());
        }
        let (answer, written) = oneshot::channel();
        recording.send(Piece::Suspend(answer));
        written
    }

    fn sweep(&mut self) {
        while self.tasks.try_join_next().is_some() {}
        let (settings, memory, claims) = (self.settings.clone(), self.memory.clone(), self.claims.clone());
        self.tasks.spawn(async move {
            let mut writing = left::take_up(&settings, &memory, &claims).await;
            sweep::run(settings, claims).await;
            while writing.join_next().await.is_some() {}
        });
    }
}

/// The wall clock when the monotonic one showed this.
fn wall_ms(then_us: u64) -> u64 {
    unix_at(then_us) / 1000
}

impl Recording {
    /// Tells the writer how much of the part is silence only because its sound was dropped.
    fn name_lost(&mut self) {
        let bytes = std::mem::take(&mut self.lost).into_iter().max().unwrap_or(0);
        if bytes > 0 {
            self.send(Piece::Lost(bytes * 1000 / u64::from(mangrove_rtp::RATE)));
        }
    }

    fn send(&self, piece: Piece) {
        if self.writer.send(piece).is_err() {
            tracing::error!(
                recording = self.ticket.recording,
                "a recording's writer is gone, its sound is lost"
            );
        }
    }
}
