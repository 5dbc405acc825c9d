//! The timers of RFC 3261 table 4, with those of RFC 6026 and RFC 3262.
//!
//! | timer | what it does | UDP | TCP, TLS, WS |
//! |---|---|---|---|
//! | A | repeats INVITE | T1, doubling | - |
//! | B | ends an INVITE without answer | 64*T1 | 64*T1 |
//! | C | of proxies: here the guard of a forgotten INVITE | [`Timers::guard`] | same |
//! | D | absorbs repeated failures of an INVITE of ours | 64*T1 | 0 |
//! | E | repeats other requests | T1, doubling to T2 | - |
//! | F | ends another request without answer | 64*T1 | 64*T1 |
//! | G | repeats a failure we answered INVITE with | T1, doubling to T2 | - |
//! | H | ends the wait for its ACK | 64*T1 | 64*T1 |
//! | I | absorbs repeated ACKs | T4 | 0 |
//! | J | absorbs repeated other requests | 64*T1 | 0 |
//! | K | absorbs repeated answers to other requests | T4 | 0 |
//! | L | keeps an INVITE that we accepted (RFC 6026) | 64*T1 | 64*T1 |
//! | M | keeps an INVITE of ours that was accepted | 64*T1 | 64*T1 |
//! | 2xx | repeats our acceptance (section 13.3.1.4) | T1, doubling to T2 | same |
//! | 1xx | repeats a reliable 1xx (RFC 3262 section 3) | T1, doubling | same |

/// The three base times, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// An estimate of the round trip.
    pub t1: u64,
    /// The longest pause between repetitions of anything but INVITE.
    pub t2: u64,
    /// How long a message may linger in the network.
    pub t4: u64,
}

impl Default for Timers {
    fn default() -> Self {
        Timers { t1: 500, t2: 4000, t4: 5000 }
    }
}

impl Timers {
    /// Timers B, D, F, H, J, L, M.
    pub fn transaction(&self) -> u64 {
        64 * self.t1
    }

    /// When an INVITE that its user forgot is forgotten here too; an hour as delivered.
    pub fn guard(&self) -> u64 {
        7200 * self.t1
    }

    /// Timers D and J: nothing is repeated over reliable transports.
    pub(super) fn absorb(&self, reliable: bool) -> u64 {
        if reliable { 0 } else { self.transaction() }
    }

    /// Timers I and K.
    pub(super) fn linger(&self, reliable: bool) -> u64 {
        if reliable { 0 } else { self.t4 }
    }
}

/// A repetition with growing pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Repetition {
    pub(super) at: u64,
    pause: u64,
    longest: u64,
}

impl Repetition {
    /// Timers A and 1xx: doubling without limit.
    pub(super) fn doubling(now: u64, timers: &Timers) -> Self {
        Repetition { at: now + timers.t1, pause: timers.t1, longest: u64::MAX }
    }

    /// Timers E, G and 2xx: doubling up to T2.
    pub(super) fn capped(now: u64, timers: &Timers) -> Self {
        Repetition { at: now + timers.t1, pause: timers.t1, longest: timers.t2 }
    }

    /// Timer E once a provisional answer came: T2 from now on.
    pub(super) fn slow(now: u64, timers: &Timers) -> Self {
        Repetition { at: now + timers.t2, pause: timers.t2, longest: timers.t2 }
    }

    /// The one after this. A late call does not make up for repetitions missed.
    pub(super) fn next(self, now: u64) -> Self {
        let pause = self.pause.saturating_mul(2).min(self.longest);
        Repetition { at: now.saturating_add(pause), pause, ..self }
    }
}
