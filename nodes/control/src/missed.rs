//! Effects that nobody took: hundreds at once when a node dies. Each is counted, and the log gets a line a second.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use mangrove_domain::ObjectRef;
use mangrove_proto::service::Error;
use parking_lot::Mutex;

use crate::metrics;

/// Between two lines.
const APART: Duration = Duration::from_secs(1);

/// Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Missed(Arc<Mutex<Tally>>);

#[derive(Debug, Default)]
struct Tally {
    told: Option<Instant>,
    untold: u64,
}

impl Missed {
    /// An effect of the object was not taken; it goes out again.
    pub(crate) fn note(&self, object: &ObjectRef, error: &Error) {
        metrics::undelivered();
        if let Some(effects) = self.0.lock().count(Instant::now()) {
            tracing::warn!(effects, last = ?object, %error, "effects not delivered, they go out again");
        }
    }
}

impl Tally {
    /// One more; how many are to be told of now.
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.untold += 1;
        let is_time = self.told.is_none_or(|told| now.duration_since(told) >= APART);
        is_time.then(|| {
            self.told = Some(now);
            std::mem::take(&mut self.untold)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_others_together_a_second_later() {
        let (mut tally, start) = (Tally::default(), Instant::now());
        assert_eq!(tally.count(start), Some(1));
        for ms in [0, 1, 999] {
            assert_eq!(tally.count(start + Duration::from_millis(ms)), None);
        }
        assert_eq!(tally.count(start + APART), Some(4));
        assert_eq!(tally.count(start + APART), None);
    }
}
