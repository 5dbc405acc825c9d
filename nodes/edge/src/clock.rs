//! The edge's two clocks: monotonic milliseconds since its start for timers, wall time for labels and nonces.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// Monotonic milliseconds since the edge started.
    pub(crate) fn now(&self) -> u64 {
        self.started.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
    }

    /// The moment of a monotonic time of this clock, for sleeping until it.
    pub(crate) fn instant(&self, at: u64) -> tokio::time::Instant {
        (self.started + std::time::Duration::from_millis(at)).into()
    }

    /// Milliseconds since 1970.
    pub(crate) fn wall(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_millis().try_into().unwrap_or(u64::MAX))
    }
}
