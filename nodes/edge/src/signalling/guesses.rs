//! Wrong passwords of late. They count against the user name they were tried for, and only from the address they came
//! from: nobody locks anybody else out, and a phone with an old password does not silence the office behind its NAT.
//! What one address may get wrong in all is bounded higher, so that trying many names leads nowhere either.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
};

use crate::rate::{Rate, network};

/// How many times as many wrong passwords one address may send as it may for one name.
const NAMES: u64 = 10;

#[derive(Debug)]
pub(super) struct Guesses {
    /// Names are kept as hashes of our own: they are as long as strangers like.
    by_name: Rate<(IpAddr, u64)>,
    by_address: Rate<IpAddr>,
    hasher: RandomState,
}

impl Guesses {
    /// `per_minute` for one name; at most `capacity` addresses, and names, are remembered.
    pub(super) fn new(per_minute: u64, capacity: usize) -> Self {
        let all = per_minute.saturating_mul(NAMES);
        Self {
            by_name: Rate::new(per_minute, per_minute, capacity),
            by_address: Rate::new(all, all, capacity),
            hasher: RandomState::new(),
        }
    }

    /// Whether a password for this name of a realm may be checked.
    pub(super) fn allow(&self, from: IpAddr, realm: &str, name: &str, now: u64) -> bool {
        self.by_name.allows(&self.key(from, realm, name), now) && self.by_address.allows(&network(from), now)
    }

    /// Notes a wrong password.
    pub(super) fn note(&mut self, from: IpAddr, realm: &str, name: &str, now: u64) {
        let key = self.key(from, realm, name);
        self.by_name.take(key, now);
        self.by_address.take(network(from), now);
    }

    fn key(&self, from: IpAddr, realm: &str, name: &str) -> (IpAddr, u64) {
        (network(from), self.hasher.hash_one((realm, name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_name_is_locked_for_the_address_that_guessed_and_no_other() {
        let mut guesses = Guesses::new(2, 100);
        for _ in 0..2 {
            assert!(guesses.allow(HERE, "acme", "101", 0));
            guesses.note(HERE, "acme", "101", 0);
        }
        assert!(!guesses.allow(HERE, "acme", "101", 0));
        for (from, realm, name) in [(HERE, "acme", "102"), (HERE, "other", "101"), (THERE, "acme", "101")] {
            assert!(guesses.allow(from, realm, name, 0), "{from} {realm} {name}");
        }
        assert!(guesses.allow(HERE, "acme", "101", 30_000), "for a while");
    }

    #[test]
    fn one_address_can_not_go_through_all_names() {
        let mut guesses = Guesses::new(2, 100);
        for name in 0..20 {
            assert!(guesses.allow(HERE, "acme", &name.to_string(), 0), "{name}");
            guesses.note(HERE, "acme", &name.to_string(), 0);
        }
        assert!(!guesses.allow(HERE, "acme", "20", 0));
        assert!(guesses.allow(THERE, "acme", "20", 0));
    }
}
