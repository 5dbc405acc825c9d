//! Slows guessing of passwords: counts failures per login and address, and per address. Successes cost nothing.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    num::NonZeroU32,
    time::{Duration, Instant},
};

use governor::{DefaultKeyedRateLimiter, Quota};
use parking_lot::Mutex;

/// Failures of one login from one address before it must wait.
const PER_LOGIN: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
/// Failures of one address, whatever the login.
const PER_ADDRESS: NonZeroU32 = NonZeroU32::new(100).expect("a hundred is not zero");
/// The wait.
const CLOSED: Duration = Duration::from_secs(60);
/// Keys remembered before those that are done are dropped.
const MOST: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Throttle {
    logins: DefaultKeyedRateLimiter<String>,
    addresses: DefaultKeyedRateLimiter<String>,
    closed: Mutex<BTreeMap<String, Instant>>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            logins: DefaultKeyedRateLimiter::keyed(Quota::per_minute(PER_LOGIN)),
            addresses: DefaultKeyedRateLimiter::keyed(Quota::per_minute(PER_ADDRESS)),
            closed: Mutex::default(),
        }
    }
}

impl Throttle {
    /// Seconds to wait; None: go on.
    pub(crate) fn wait(&self, email: &str, address: IpAddr) -> Option<u64> {
        let closed = self.closed.lock();
        let until = keys(email, address).into_iter().filter_map(|key| closed.get(&key).copied()).max()?;
        let left = until.checked_duration_since(Instant::now())?;
        Some(left.as_secs() + 1)
    }

    /// Counts a failure.
    pub(crate) fn failed(&self, email: &str, address: IpAddr) {
        let [login, host] = keys(email, address);
        if self.logins.check_key(&login).is_err() {
            self.close(login);
        }
        if self.addresses.check_key(&host).is_err() {
            self.close(host);
        }
        if self.logins.len() > MOST {
            self.logins.retain_recent();
            self.addresses.retain_recent();
        }
    }

    fn close(&self, key: String) {
        let mut closed = self.closed.lock();
        let now = Instant::now();
        if closed.len() > MOST {
            closed.retain(|_, until| *until > now);
        }
        closed.insert(key, now + CLOSED);
    }
}

fn keys(email: &str, address: IpAddr) -> [String; 2] {
    [format!("{address} {}", email.to_lowercase()), address.to_string()]
}
