//! Opens what comes from one far end, each packet once.

use std::iter;

use super::{
    Suite,
    cipher::{Cipher, ENCRYPTED, Place},
    head::Head,
    sender::ssrc,
    window::Window,
};

/// Streams of one far end that are known at a time: its sound, its digits, and what they were before. Of more the one
/// that was silent for longest is forgotten.
const STREAMS: usize = 4;
/// Rollover counters above the likeliest one that a packet is tried with; the next one is tried with others.
const TRIALS: u32 = 8;
/// All that are tried: of 50 packets a second, 46 hours.
const ROLLOVERS: u32 = 128;
/// Indices from one rollover to the next.
const TURN: u64 = 1 << 16;

/// One direction's master key at work.
#[derive(Debug)]
pub struct Receiver {
    rtp: Cipher,
    rtcp: Cipher,
    streams: Streams,
    reports: Streams,
    /// What is tried next; begins anew when something was found.
    trial: u32,
    scratch: Vec<u8>,
}

impl Receiver {
    /// None when the key has another length than the suite's.
    pub fn new(suite: Suite, key: &[u8]) -> Option<Self> {
        let [rtp, rtcp] = suite.ciphers(key)?;
        let (streams, reports) = (Streams::default(), Streams::default());
        Some(Self { rtp, rtcp, streams, reports, trial: 0, scratch: Vec::new() })
    }

    /// Opens an RTP packet; the plain one is the front of `packet` then, of the length given. None: it has no right
    /// tag, or came before, or came too late to tell; nothing is noted of it.
    pub fn unprotect(&mut self, packet: &mut [u8]) -> Option<usize> {
        let head = Head::read(packet)?;
        let Some(window) = self.streams.find(head.ssrc).copied() else { return self.begin(packet, head) };
        let nearest = window.nearest(head.sequence);
        let above = nearest.map_or(u64::from(head.sequence), |index| index + TURN);
        let guess = nearest.filter(|index| window.is_new(*index));
        let opened = guess.and_then(|index| Some((index, self.open(packet, head, index)?)));
        let (index, length) = opened.or_else(|| self.search(packet, head, above))?;
        self.streams.note(head.ssrc, index);
        Some(length)
    }

    /// A packet of a stream that is not known: a new one, whose rollover counter is zero, or one that was another
    /// receiver's until now.
    fn begin(&mut self, packet: &mut [u8], head: Head) -> Option<usize> {
        let (index, length) = self.search(packet, head, head.sequence.into())?;
        self.streams.insert(head.ssrc, index);
        Some(length)
    }

    /// Tries the index `lowest` and those of later rollovers, few with each packet, so that what is forged costs little. A
    /// known stream is tried above what was heard of it alone: old packets led it astray, and must not open again.
    fn search(&mut self, packet: &mut [u8], head: Head, lowest: u64) -> Option<(u64, usize)> {
        let first = self.trial;
        self.trial = (first + TRIALS) % ROLLOVERS;
        let mut turns = iter::once(0).chain((first..first + TRIALS).map(|trial| 1 + trial % ROLLOVERS));
        let found = turns.find_map(|turn| {
            let index = lowest + u64::from(turn) * TURN;
            Some((index, self.open(packet, head, index)?))
        });
        if found.is_some() {
            self.trial = 0;
        }
        found
    }

    fn open(&mut self, packet: &mut [u8], head: Head, index: u64) -> Option<usize> {
        self.rtp.open_rtp(packet, head.body, Place { ssrc: head.ssrc, index }, &mut self.scratch)
    }

    /// The same for a compound of RTCP, which must be encrypted.
    pub fn unprotect_rtcp(&mut self, compound: &mut [u8]) -> Option<usize> {
        let ssrc = ssrc(compound)?;
        let word = self.rtcp.word(compound).filter(|word| word & ENCRYPTED != 0)?;
        let index = u64::from(word & !ENCRYPTED);
        let known = self.reports.find(ssrc);
        if known.as_ref().is_some_and(|window| !window.is_new(index)) {
            return None;
        }
        let length = self.rtcp.open_rtcp(compound, Place { ssrc, index }, &mut self.scratch)?;
        match known {
            Some(window) => window.note(index),
            None => self.reports.insert(ssrc, index),
        }
        Some(length)
    }
}

/// What was seen, by source; the one that was heard last comes first.
#[derive(Debug, Default)]
struct Streams(Vec<(u32, Window)>);

impl Streams {
    fn find(&mut self, ssrc: u32) -> Option<&mut Window> {
        let at = self.0.iter().position(|(known, _)| *known == ssrc)?;
        self.0[..=at].rotate_right(1);
        self.0.first_mut().map(|(_, window)| window)
    }

    /// A packet of a known stream was opened.
    fn note(&mut self, ssrc: u32, index: u64) {
        if let Some(window) = self.find(ssrc) {
            window.note(index);
        }
    }

    fn insert(&mut self, ssrc: u32, index: u64) {
        self.0.truncate(STREAMS - 1);
        self.0.insert(0, (ssrc, Window::at(index)));
    }
}
