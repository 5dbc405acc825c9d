//! The log lines of failed handshakes: whoever knocks in a loop must not fill the disk.

use std::fmt;
use std::io;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

// A handful at once, as when a cluster starts with one wrong certificate; then one in six seconds.
const A_MINUTE: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");

/// One side's failures. Lines beyond the limit are counted and told with the next.
pub(super) struct Refusals {
    pace: DefaultDirectRateLimiter,
    untold: AtomicU64,
}

impl Default for Refusals {
    fn default() -> Self {
        Self { pace: RateLimiter::direct(Quota::per_minute(A_MINUTE)), untold: AtomicU64::new(0) }
    }
}

impl fmt::Debug for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusals").field("untold", &self.untold).finish_non_exhaustive()
    }
}

impl Refusals {
    /// Calls `tell` with the number of failures since it was last called, unless that was too often of late.
    pub(super) fn note(&self, tell: impl FnOnce(u64)) {
        match self.pace.check() {
            Ok(()) => tell(self.untold.swap(0, Ordering::Relaxed)),
            Err(_) => {
                self.untold.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A side that hung up without a word, as health checks of load balancers do: no refusal.
pub(super) fn is_silence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_a_few_times_and_counted() {
        let (refusals, mut told) = (Refusals::default(), 0);
        for _ in 0..1000 {
            refusals.note(|_| told += 1);
        }
        // The clock runs: a slow machine may see one or two lines more.
        assert!((10..20).contains(&told), "{told}");
        assert_eq!(refusals.untold.load(Ordering::Relaxed), 1000 - told);
    }
}
