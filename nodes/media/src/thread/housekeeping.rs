//! What is slow: each endpoint is looked at once a second, a fiftieth of them in each frame's time.

use mangrove_proto::media::{self, media_event::Fact};

use super::worker::Worker;
use crate::metrics as names;

/// Frames in a second: so many parts make the round.
const PARTS: u64 = 50;

/// What was counted, and how much of it was published.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) foreign: u64,
    pub(super) malformed: u64,
    /// Without a right tag, or not for the first time.
    pub(super) unauthentic: u64,
    /// Frames, from here on.
    pub(super) transcoded: u64,
    pub(super) concealed: u64,
    published: [u64; 7],
}

impl Counts {
    /// All packets that cost something.
    pub(super) fn total(&self) -> u64 {
        self.received + self.sent + self.foreign + self.malformed + self.unauthentic
    }

    fn publish(&mut self) {
        let Self { received, sent, foreign, malformed, unauthentic, transcoded, concealed, .. } = *self;
        let now = [received, sent, foreign, malformed, unauthentic, transcoded, concealed];
        let all = [
            names::RECEIVED,
            names::SENT,
            names::FOREIGN,
            names::MALFORMED,
            names::UNAUTHENTIC,
            names::TRANSCODED,
            names::CONCEALED,
        ];
        for ((name, now), before) in all.into_iter().zip(now).zip(self.published) {
            metrics::counter!(name).increment(now - before);
        }
        self.published = now;
    }
}

impl Worker {
    /// Looks after this frame's share of the endpoints.
    pub(super) fn keep_house(&mut self, frame: u64) {
        if frame.is_multiple_of(PARTS) {
            self.counts.publish();
        }
        let mut index = (frame % PARTS) as usize;
        while index < self.endpoints.end() {
            self.with(index, |worker| worker.look_after(index));
            index += PARTS as usize;
        }
    }

    fn look_after(&mut self, index: usize) {
        let now_us = self.now_us;
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        // A far end behind translation gets the time to show that it can send from its SDP's address after all.
        match endpoint.latch.is_quiet(now_us) {
            true => endpoint.open_ears(),
            false => endpoint.close_ears(),
        }
        if let Some(digit) = endpoint.digits.poll(now_us) {
            let is_secret = endpoint.hush.is_press_of_a_pause();
            self.report_digit(index, digit, is_secret);
        }
        self.watch_browser(index);
        self.report_silence(index);
        self.send_reports(index);
    }

    fn report_silence(&mut self, index: usize) {
        let (now_us, limit) = (self.now_us, self.surroundings.silence.as_micros() as u64);
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let Some(since) = endpoint.silence.since_us else { return };
        if now_us.saturating_sub(since.max(endpoint.silence.reported_us)) < limit {
            return;
        }
        endpoint.silence.reported_us = now_us;
        let silent = media::Silent {
            endpoint: endpoint.id.to_string(),
            since_ms: now_us.saturating_sub(since) / 1000,
        };
        self.surroundings.outbox.post(&endpoint.owner, Fact::Silent(silent));
    }
}
