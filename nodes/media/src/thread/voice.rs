//! One endpoint's sound made into another encoding, for one listener or for its recording. Plain G.711 talks have none of
//! these, nor has who is passed on untouched.

use mangrove_codec::{self as codec, Frame, Packet, Transcoder};
use mangrove_rtp::{encoding::Encoding, g711::Law, header::Header};

use super::{housekeeping::Counts, relay::source};
use crate::metrics::TRANSCODERS;

/// How long frames are that are made here.
const FRAME_MS: u32 = 20;
/// One that was made stays for so long, whatever comes: a far end that changes its encoding with every packet must not
/// make memory be allocated for every packet.
const STAYS_US: u64 = 1_000_000;

/// Sound may come so far ahead of its time. What comes beyond that is not worth the work: a minute of sound a second would
/// keep all others' from being heard.
const AHEAD_US: u64 = 1_000_000;

/// A packet's sound as it came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard<'a> {
    /// Who says it.
    pub(super) endpoint: usize,
    pub(super) header: &'a Header,
    pub(super) encoding: Encoding,
    pub(super) payload: &'a [u8],
    pub(super) now_us: u64,
}

/// A way from one encoding to another.
#[derive(Debug)]
pub(super) struct Voice {
    transcoder: Transcoder,
    ways: [Encoding; 2],
    made_us: u64,
    /// Until when frames were given, if each takes its time.
    given_us: u64,
    _open: Open,
}

impl Voice {
    /// Takes out what is kept for these two, and makes it where they meet for the first time. None: what is kept is
    /// another's and was made just now, or there is no memory.
    pub(super) fn take(kept: &mut Option<Box<Self>>, ways: [Encoding; 2], now_us: u64) -> Option<Box<Self>> {
        let fits = kept.as_ref().is_some_and(|voice| voice.ways == ways);
        let is_new = kept.as_ref().is_some_and(|voice| now_us.saturating_sub(voice.made_us) < STAYS_US);
        if !fits && !is_new {
            *kept = Self::new(ways, now_us);
        }
        if fits || !is_new { kept.take() } else { None }
    }

    fn new(ways: [Encoding; 2], now_us: u64) -> Option<Box<Self>> {
        let [from, to] = ways.map(known);
        let transcoder = Transcoder::new(from, to, FRAME_MS).ok()?;
        Some(Box::new(Self { transcoder, ways, made_us: now_us, given_us: now_us, _open: Open::new() }))
    }

    /// From which encoding to which.
    pub(super) fn ways(&self) -> [Encoding; 2] {
        self.ways
    }

    /// Gives the frames that are full by this packet, and how many they were.
    pub(super) fn feed(
        &mut self,
        heard: &Heard<'_>,
        counts: &mut Counts,
        mut each: impl FnMut(Frame<'_>),
    ) -> u64 {
        let packet = Packet {
            source: source(heard.endpoint, heard.header.ssrc),
            sequence: heard.header.sequence,
            timestamp: heard.header.timestamp,
            marker: heard.header.marker,
            payload: heard.payload,
        };
        if self.given_us > heard.now_us + AHEAD_US {
            self.skip(packet.source, packet.sequence);
            return 0;
        }
        let (before, mut frames) = (self.transcoder.made_up_ms(), 0);
        self.transcoder.feed(&packet, |frame| {
            frames += 1;
            each(frame);
        });
        let made_up_ms = self.transcoder.made_up_ms() - before;
        self.given_us = self.given_us.max(heard.now_us) + frames * u64::from(FRAME_MS) * 1_000;
        counts.transcoded += frames;
        counts.concealed += made_up_ms.div_ceil(u64::from(FRAME_MS));
        frames
    }

    /// The stream is not heard for now.
    pub(super) fn pause(&mut self) {
        self.transcoder.pause();
    }

    /// A packet of the stream has no sound that is made into another.
    pub(super) fn skip(&mut self, source: u64, sequence: u16) {
        self.transcoder.skip(source, sequence);
    }
}

/// The encoding as the codecs know it.
pub(super) const fn known(encoding: Encoding) -> codec::Encoding {
    match encoding {
        Encoding::G711(Law::A) => codec::Encoding::Pcma,
        Encoding::G711(Law::Mu) => codec::Encoding::Pcmu,
        Encoding::G722 => codec::Encoding::G722,
        Encoding::G729 => codec::Encoding::G729,
        Encoding::Opus => codec::Encoding::Opus,
    }
}

/// Counts what has a codec's state, for as long as it is there.
#[derive(Debug)]
pub(super) struct Open;

impl Open {
    pub(super) fn new() -> Self {
        metrics::gauge!(TRANSCODERS).increment(1.0);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!(TRANSCODERS).decrement(1.0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const A: Encoding = Encoding::G711(Law::A);

    #[test]
    fn one_that_fits_goes_on_and_another_waits_its_time() {
        let mut kept = None;
        let first = Voice::take(&mut kept, [Encoding::G722, A], 0).unwrap();
        assert_eq!((first.ways(), first.made_us), ([Encoding::G722, A], 0));
        kept = Some(first);
        assert!(Voice::take(&mut kept, [Encoding::G729, A], STAYS_US - 1).is_none());
        let again = Voice::take(&mut kept, [Encoding::G722, A], STAYS_US - 1).unwrap();
        assert_eq!(again.made_us, 0, "what is there was not lost over it");
        kept = Some(again);
        let other = Voice::take(&mut kept, [Encoding::G729, A], STAYS_US).unwrap();
        assert_eq!((other.ways(), other.made_us), ([Encoding::G729, A], STAYS_US));
        assert!(kept.is_none());
    }

    #[test]
    fn sound_that_comes_faster_than_it_lasts_is_not_worked_on() {
        let ways = [Encoding::G722, Encoding::G711(Law::A)];
        let mut voice = Voice::new(ways, 0).unwrap();
        let mut counts = Counts::default();
        let mut say = |number: u16, now_us| {
            let (sequence, timestamp) = (number, u32::from(number) * 160);
            let header =
                Header { payload_type: 9, marker: false, sequence, timestamp, ssrc: 1, payload: 12..172 };
            let [encoding, _] = ways;
            let heard = Heard { endpoint: 0, header: &header, encoding, payload: &[0x55; 160], now_us };
            voice.feed(&heard, &mut counts, |_| {})
        };
        let at_once: u64 = (0..200).map(|number| say(number, 0)).sum();
        assert!((50..=52).contains(&at_once), "{at_once} frames of 200");
        assert_eq!(say(200, 10_000_000), 1, "in its time it is");
    }
}
