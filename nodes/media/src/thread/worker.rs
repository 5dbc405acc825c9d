//! The loop of a media thread: wait, take one packet of each socket that is ready, play what is due, look after what
//! is slow.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, mpsc},
};

use super::{
    Command, Place, Surroundings, conference::Conference, housekeeping::Counts, reconcile::Session,
    slots::Slots, tap::Tap,
};
use crate::{
    clock::now_us,
    sys::{Bell, Epoll},
};

/// The bell's token; endpoints' tokens are twice their number, plus one for RTCP.
const BELL: u64 = u64::MAX;
/// Players are spread over four phases of a frame, so that a thousand of them never delay a relayed packet by the
/// time that it takes to send to them all.
pub(super) const PHASES: usize = 4;
const PHASE_US: u64 = mangrove_rtp::FRAME_US / PHASES as u64;
/// A thread that fell this far behind does not catch up packet by packet.
const HOPELESS_US: u64 = 100_000;
/// Packets in one frame's time from which gathering saves more than it costs.
const BUSY: u64 = 20;
/// The longest datagram that is read; RTP of voice has some 200 bytes.
pub(super) const DATAGRAM: usize = 2048;

/// The longest packet that is made here.
const MADE: usize = mangrove_rtp::header::LENGTH + mangrove_codec::MOST_BYTES;

pub(super) struct Worker {
    epoll: Epoll,
    bell: Arc<Bell>,
    commands: mpsc::Receiver<Command>,
    pub(super) surroundings: Surroundings,
    pub(super) endpoints: Slots,
    pub(super) sessions: BTreeMap<u64, Session>,
    pub(super) players: [Vec<usize>; PHASES],
    /// Whose browsers shake hands.
    pub(super) shaking: Vec<usize>,
    /// Endpoints of which keys are held back, or are being said.
    pub(super) speakers: Vec<usize>,
    /// Endpoints that hear themselves.
    pub(super) echoing: Vec<usize>,
    /// Sessions in which somebody hears several others, by phase.
    pub(super) halls: [Vec<u64>; PHASES],
    /// By number.
    pub(super) conferences: BTreeMap<u64, Conference>,
    /// Whom a key is told; here, so that nothing is allocated for it.
    pub(super) told: Vec<usize>,
    /// How many recordings' sides were added up so far.
    pub(super) tapes: u64,
    pub(super) tap: Tap,
    pub(super) counts: Counts,
    pub(super) buffer: Box<[u8; DATAGRAM]>,
    /// Packets that are made anew from the one in the buffer, which others hear too.
    pub(super) made: Box<[u8; MADE]>,
    /// RTCP compounds are put together here.
    pub(super) compound: Vec<u8>,
    pub(super) now_us: u64,
    tick: u64,
    tick_due_us: u64,
    packets_before: u64,
    is_busy: bool,
}

impl Worker {
    pub(super) fn new(
        bell: Arc<Bell>,
        commands: mpsc::Receiver<Command>,
        surroundings: Surroundings,
    ) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        epoll.add(&*bell, BELL)?;
        Ok(Self {
            epoll,
            bell,
            commands,
            tap: Tap::new(surroundings.recorder.clone()),
            surroundings,
            endpoints: Slots::default(),
            sessions: BTreeMap::new(),
            players: Default::default(),
            shaking: Vec::new(),
            speakers: Vec::new(),
            echoing: Vec::new(),
            halls: Default::default(),
            conferences: BTreeMap::new(),
            told: Vec::new(),
            tapes: 0,
            counts: Counts::default(),
            buffer: Box::new([0; DATAGRAM]),
            made: Box::new([0; MADE]),
            compound: Vec::with_capacity(256),
            now_us: now_us(),
            tick: 0,
            tick_due_us: 0,
            packets_before: 0,
            is_busy: false,
        })
    }

    /// Until the thread is told to end; how far its plays are. None: it can't go on.
    pub(super) fn run(mut self) -> Option<Vec<Place>> {
        loop {
            let ready = match self.epoll.wait(self.timeout_ms()) {
                Ok(ready) => ready,
                Err(error) => {
                    tracing::error!(%error, "a media thread can't wait for packets and ends");
                    return None;
                }
            };
            self.now_us = now_us();
            if !self.take(ready) {
                return Some(self.places());
            }
            self.tick_if_due();
            if self.is_busy {
                std::thread::sleep(self.surroundings.gather);
            }
        }
    }

    /// Adds an endpoint's sockets, under the number that it is about to get.
    pub(super) fn watch(&self, index: usize, sockets: &crate::ports::Sockets) -> io::Result<()> {
        self.epoll.add(&sockets.rtp, index as u64 * 2)?;
        self.epoll.add(&sockets.rtcp, index as u64 * 2 + 1)
    }

    /// False when the thread is to end. Commands come last: no token of this round may meet a new endpoint.
    fn take(&mut self, ready: usize) -> bool {
        let mut rings = false;
        for index in 0..ready {
            match self.epoll.token(index) {
                BELL => rings = true,
                token => {
                    let index = (token / 2) as usize;
                    self.with(index, |worker| match token & 1 {
                        0 => worker.read_rtp(index),
                        _ => worker.read_rtcp(index),
                    });
                }
            }
        }
        if !rings {
            return true;
        }
        self.bell.hear();
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Set(plan) => self.try_set(*plan),
                Command::Close { number, goes_on } => self.try_close(number, goes_on),
                Command::Share(done) => {
                    self.share();
                    // Who asked may have given up.
                    let _ = done.send(());
                }
                Command::End => {
                    self.tap.flush();
                    return false;
                }
            }
        }
        true
    }

    fn timeout_ms(&self) -> i32 {
        if self.endpoints.count() == 0 {
            return -1;
        }
        let us = self.tick_due_us.saturating_sub(now_us());
        us.div_ceil(1000) as i32
    }

    /// A tick is a quarter of a frame; without players and rooms only every fourth is waited for.
    fn tick_if_due(&mut self) {
        if self.endpoints.count() == 0 {
            self.is_busy = false;
            self.tap.flush();
            return;
        }
        if self.now_us.saturating_sub(self.tick_due_us) > HOPELESS_US {
            self.tick_due_us = self.now_us;
        }
        while self.tick_due_us <= self.now_us {
            let phase = (self.tick % PHASES as u64) as usize;
            self.play(phase);
            self.mix(phase);
            self.confer(phase);
            if self.tick.is_multiple_of(PHASES as u64) {
                self.frame_passed();
            }
            let is_quiet = self.is_quiet();
            let step = if is_quiet { PHASES as u64 - self.tick % PHASES as u64 } else { 1 };
            self.tick += step;
            self.tick_due_us += step * PHASE_US;
        }
    }

    /// Whether nobody hears anything that is made here.
    fn is_quiet(&self) -> bool {
        self.players.iter().all(Vec::is_empty)
            && self.halls.iter().all(Vec::is_empty)
            && self.conferences.is_empty()
    }

    fn frame_passed(&mut self) {
        let packets = self.counts.total();
        self.is_busy = packets.saturating_sub(self.packets_before) >= BUSY;
        self.packets_before = packets;
        self.tap.flush();
        self.shake_hands();
        self.say_keys();
        self.give_back();
        self.keep_house(self.tick / PHASES as u64);
    }
}
