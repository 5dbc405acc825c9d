//! Simulated clocks and chance for code that asks the operating system: `clock_gettime` and `getrandom` of this program
//! are ours. On a thread that simulates they tell the simulation's time and draw from the seed; on others they ask the
//! kernel.
//!
//! Inside a node's runtime time is what tokio's paused clock says, so that a deadline in tokio and an `Instant` of the
//! standard library agree. Wall clocks differ by node and jump where the plan says so; monotonic ones do not.

#![allow(unsafe_code)]
#![allow(unreachable_pub)]

use std::cell::Cell;
use std::ffi::{c_int, c_long, c_uint, c_void};

use libc::{clockid_t, size_t, ssize_t, timespec};
use tokio::time::Instant;

/// What the wall clock shows when a simulation begins: 1 December 2026, nine in the morning.
const WALL: u64 = 1_796_115_600_000;
/// Monotonic clocks begin here, for nothing to be before their beginning.
const MONOTONIC: u64 = 1_000_000;
const NANOS: u64 = 1_000_000;

#[derive(Clone, Copy)]
enum Seat {
    /// No simulation on this thread.
    Off,
    /// Between the nodes, at this millisecond.
    Outside(u64),
    /// In a node's runtime; how far its wall clock is off, milliseconds.
    Node { start: Instant, wall: i64 },
    /// On the way to a node's clock.
    Asking,
}

thread_local! {
    static SEAT: Cell<Seat> = const { Cell::new(Seat::Off) };
    static CHANCE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// From now on this thread simulates, with chance drawn from `seed`.
pub(crate) fn begin(seed: u64) {
    CHANCE.set(Some(seed ^ 0x6d61_6e67_726f_7665));
    SEAT.set(Seat::Outside(0));
}

/// The time is `ms` outside of all nodes.
pub(crate) fn outside(ms: u64) {
    SEAT.set(Seat::Outside(ms));
}

/// What runs next is a node. `start` is tokio's instant of the simulation's beginning.
pub(crate) fn inside(start: Instant, wall: i64) {
    SEAT.set(Seat::Node { start, wall });
}

/// Milliseconds since the simulation's beginning, wherever one asks.
pub(crate) fn now() -> u64 {
    nanos().map_or(0, |(nanos, _)| nanos / NANOS)
}

/// Since the beginning, and how far the wall clock is off. None: nothing is simulated here.
fn nanos() -> Option<(u64, i64)> {
    match SEAT.get() {
        Seat::Off => None,
        Seat::Outside(ms) => Some((ms * NANOS, 0)),
        // Outside of a runtime tokio asks the standard library, and that asks us again.
        Seat::Asking => Some((0, 0)),
        Seat::Node { start, wall } => {
            SEAT.set(Seat::Asking);
            let since = Instant::now().duration_since(start).as_nanos() as u64;
            SEAT.set(Seat::Node { start, wall });
            Some((since, wall))
        }
    }
}

fn next_chance(state: u64) -> (u64, u64) {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state, z ^ (z >> 31))
}

fn read(clock: clockid_t) -> Option<u64> {
    let (nanos, wall) = nanos()?;
    match clock {
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE => {
            Some((nanos + WALL * NANOS).saturating_add_signed(wall * NANOS as i64))
        }
        _ => Some(nanos + MONOTONIC * NANOS),
    }
}

/// As clock_gettime(2).
///
/// # Safety
/// `time` points to a timespec that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    match read(clock) {
        Some(nanos) => {
            let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
            // SAFETY: the caller's promise.
            unsafe { time.write(timespec { tv_sec: seconds as i64, tv_nsec: rest as c_long }) };
            0
        }
        // SAFETY: the caller's promise, passed on to the kernel.
        None => unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) as c_int },
    }
}

/// As getrandom(2).
///
/// # Safety
/// `buffer` points to `length` bytes that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
    let Some(mut state) = CHANCE.get() else {
        // SAFETY: the caller's promise, passed on to the kernel.
        return unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) as ssize_t };
    };
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length) };
    for chunk in bytes.chunks_mut(8) {
        let (next, word) = next_chance(state);
        state = next;
        chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
    }
    CHANCE.set(Some(state));
    length as ssize_t
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    /// A thread of its own: it simulates from then on.
    fn simulating<T: Send + 'static>(seed: u64, what: impl FnOnce() -> T + Send + 'static) -> T {
        let simulation = std::thread::spawn(move || {
            begin(seed);
            what()
        });
        simulation.join().expect("no panic")
    }

    #[test]
    fn chance_is_the_seeds() {
        let draw = |seed| simulating(seed, rand::random::<u64>);
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn the_librarys_clocks_follow_a_nodes_paused_one_and_walls_differ() {
        let (passed, walls) = simulating(1, || {
            let start = Instant::now();
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            let runtime = runtime.expect("a runtime");
            let at = |wall| {
                inside(start, wall);
                let clocks = runtime.block_on(async {
                    let before = std::time::Instant::now();
                    tokio::time::sleep(Duration::from_secs(3_600)).await;
                    (before.elapsed(), SystemTime::now())
                });
                outside(0);
                clocks
            };
            let (one, other) = (at(0), at(-7_200_000));
            (one.0, one.1.duration_since(other.1))
        });
        assert_eq!(passed, Duration::from_secs(3_600));
        assert_eq!(walls.ok(), Some(Duration::from_secs(3_600)), "an hour later, two hours behind");
    }

    #[test]
    fn threads_that_do_not_simulate_have_the_real_clock() {
        simulating(1, || ());
        assert!(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).is_ok());
        assert_ne!(rand::random::<u128>(), rand::random::<u128>());
    }
}
