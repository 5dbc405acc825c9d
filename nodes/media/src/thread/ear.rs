//! What a recording hears of an endpoint that does not speak G.711: the same sound as A-law. There only while it is
//! recorded, and apart from what its listeners are sent, for those may hear something else or nothing.

use mangrove_rtp::{
    align::{Side, Sound},
    encoding::Encoding,
    g711::Law,
};

use super::{
    housekeeping::Counts,
    relay::source,
    tap::Tap,
    voice::{Heard, Voice},
};

/// One endpoint's.
#[derive(Debug, Default)]
pub(super) struct Ear {
    voice: Option<Box<Voice>>,
    /// Streams that began: timestamps of different ones are not comparable.
    begun: u32,
}

impl Ear {
    /// Adds what a packet says.
    pub(super) fn record(
        &mut self,
        recording: (u64, Side),
        heard: &Heard<'_>,
        tap: &mut Tap,
        counts: &mut Counts,
    ) {
        let ways = [heard.encoding, Encoding::G711(Law::A)];
        let Some(mut voice) = Voice::take(&mut self.voice, ways, heard.now_us) else { return };
        voice.feed(heard, counts, |frame| {
            self.begun = self.begun.wrapping_add(u32::from(frame.anew));
            let (stream, timestamp) = (source(heard.endpoint, self.begun), frame.timestamp);
            let sound = Sound { stream, timestamp, law: Law::A, payload: frame.payload };
            tap.add(recording, &sound, heard.now_us);
        });
        self.voice = Some(voice);
    }

    /// A packet of the stream has no sound that is made into another.
    pub(super) fn skip(&mut self, source: u64, sequence: u16) {
        if let Some(voice) = &mut self.voice {
            voice.skip(source, sequence);
        }
    }

    /// What it listens to, if it had to do anything.
    pub(super) fn encoding(&self) -> Option<Encoding> {
        self.voice.as_ref().map(|voice| voice.ways()[0])
    }

    /// There is nothing to listen to any more.
    pub(super) fn close(&mut self) {
        self.voice = None;
    }
}
