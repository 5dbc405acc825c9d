//! The two clocks of a media node: a monotonic one for all timing, the wall for labels and for what outlives the
//! process.

use std::{
    sync::OnceLock,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// Microseconds since the first call in this process.
pub(crate) fn now_us() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_micros() as u64
}

/// Microseconds since 1970 when the monotonic clock showed this. The wall is read once: set while the process runs, it
/// must make no recording longer or shorter.
pub(crate) fn unix_at(then_us: u64) -> u64 {
    static BEGAN: OnceLock<u64> = OnceLock::new();
    BEGAN.get_or_init(|| unix_us().saturating_sub(now_us())) + then_us
}

/// Microseconds since 1970.
pub(crate) fn unix_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64)
}
