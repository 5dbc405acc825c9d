//! Token buckets, bounded in number: how much one far end may ask of us. Time is passed in.

use std::{collections::HashMap, hash::Hash, net::IpAddr};

/// Tokens are counted in thousandths, so that slow rates fill smoothly.
const WHOLE: u64 = 1_000;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: u64,
    at: u64,
}

/// A bucket for each key (an address, mostly: see [`network`]) that was heard of lately.
#[derive(Debug)]
pub(crate) struct Rate<K> {
    per_minute: u64,
    burst: u64,
    capacity: usize,
    buckets: HashMap<K, Bucket>,
}

impl<K: Eq + Hash> Rate<K> {
    /// `per_minute` tokens flow into a bucket that holds `burst`; at most `capacity` keys are remembered.
    pub(crate) fn new(per_minute: u64, burst: u64, capacity: usize) -> Self {
        Self { per_minute, burst: burst.max(1), capacity: capacity.max(1), buckets: HashMap::new() }
    }

    /// Takes a token. False: there was none.
    pub(crate) fn take(&mut self, key: K, now: u64) -> bool {
        let tokens = self.tokens(&key, now);
        let taken = tokens >= WHOLE;
        self.make_room(now);
        let left = if taken { tokens - WHOLE } else { tokens };
        self.buckets.insert(key, Bucket { tokens: left, at: now });
        taken
    }

    /// Whether `take` would succeed.
    pub(crate) fn allows(&self, key: &K, now: u64) -> bool {
        self.tokens(key, now) >= WHOLE
    }

    fn tokens(&self, key: &K, now: u64) -> u64 {
        let full = self.burst * WHOLE;
        self.buckets.get(key).map_or(full, |bucket| {
            let flowed = now.saturating_sub(bucket.at).saturating_mul(self.per_minute) * WHOLE / 60_000;
            (bucket.tokens + flowed).min(full)
        })
    }

    /// Forgets buckets that have filled up again; when a flood of keys leaves none, forgets all: the flood
    /// costs a moment of strictness, never memory.
    fn make_room(&mut self, now: u64) {
        if self.buckets.len() < self.capacity {
            return;
        }
        let (per_minute, full) = (self.per_minute, self.burst * WHOLE);
        self.buckets.retain(|_, bucket| {
            bucket.tokens + now.saturating_sub(bucket.at).saturating_mul(per_minute) * WHOLE / 60_000 < full
        });
        if self.buckets.len() >= self.capacity {
            self.buckets.clear();
        }
    }
}

/// An IPv6 host owns its whole /64, so that is what is counted.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_burst_passes_then_the_rate_holds_and_neighbours_are_free() {
        let mut rate = Rate::new(60, 3, 10);
        assert_eq!([0, 0, 0, 0].map(|now| rate.take(A, now)), [true, true, true, false]);
        assert!(rate.take(B, 0));
        assert!(!rate.allows(&A, 999) && rate.allows(&A, 1_000));
        assert!(rate.take(A, 1_000) && !rate.take(A, 1_000));
        assert_eq!([61_000, 61_000, 61_000, 61_000].map(|now| rate.take(A, now)), [true, true, true, false]);
    }

    #[test]
    fn memory_is_bounded_by_addresses() {
        let mut rate = Rate::new(1, 1, 100);
        for host in 0..10_000u32 {
            rate.take(IpAddr::V4((0x0a00_0000 + host).into()), 0);
            assert!(rate.buckets.len() <= 100);
        }
    }

    #[test]
    fn a_v6_host_can_not_hide_in_its_network() {
        let mut rate = Rate::new(1, 1, 10);
        let host = |last: u16| network(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]));
        assert!(rate.take(host(1), 0));
        assert!(!rate.take(host(2), 0));
    }
}
