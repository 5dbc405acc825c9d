//! The sources of many trunks together, so that asking for each datagram costs the same however many there are.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use super::{SourceMatcher, width};

/// A bag of matchers: what was added twice is there until it is removed twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Single addresses, each with its ports (none: any) and how often each was added.
    hosts: BTreeMap<IpAddr, BTreeMap<Option<u16>, usize>>,
    /// Networks are few: every one is looked at.
    networks: BTreeMap<SourceMatcher, usize>,
}

impl Sources {
    /// Adds a matcher.
    pub fn add(&mut self, matcher: SourceMatcher) {
        let count = if matcher.is_host() {
            self.hosts.entry(matcher.network).or_default().entry(matcher.port).or_default()
        } else {
            self.networks.entry(matcher).or_default()
        };
        *count += 1;
    }

    /// Takes a matcher out again; one that is not there changes nothing.
    pub fn remove(&mut self, matcher: SourceMatcher) {
        if !matcher.is_host() {
            return take(&mut self.networks, matcher);
        }
        let Some(ports) = self.hosts.get_mut(&matcher.network) else { return };
        take(ports, matcher.port);
        if ports.is_empty() {
            self.hosts.remove(&matcher.network);
        }
    }

    /// Whether any of them matches, by the rules of [`SourceMatcher::matches`].
    pub fn contain(&self, source: SocketAddr) -> bool {
        let has = |ports: &BTreeMap<Option<u16>, usize>| {
            source.port() == 0 || ports.contains_key(&None) || ports.contains_key(&Some(source.port()))
        };
        self.hosts.get(&source.ip().to_canonical()).is_some_and(has)
            || self.networks.keys().any(|network| network.matches(source))
    }
}

impl SourceMatcher {
    fn is_host(&self) -> bool {
        self.prefix == width(self.network)
    }
}

fn take<K: Ord>(counts: &mut BTreeMap<K, usize>, key: K) {
    let Some(count) = counts.get_mut(&key) else { return };
    *count -= 1;
    if *count == 0 {
        counts.remove(&key);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// Addresses close together, so that matchers meet.
    fn matcher() -> impl Strategy<Value = SourceMatcher> {
        let text = prop_oneof![
            (0..4u8).prop_map(|host| format!("10.0.0.{host}")),
            (0..4u8, 0..3u16).prop_map(|(host, port)| format!("10.0.0.{host}:{}", port + 1)),
            (0..4u8, 29..=32u8).prop_map(|(host, prefix)| format!("10.0.0.{host}/{prefix}")),
            Just("2001:db8::/32".to_owned()),
            Just("[2001:db8::1]:1".to_owned()),
        ];
        text.prop_map(|text| text.parse().unwrap())
    }

    fn source() -> impl Strategy<Value = SocketAddr> {
        prop_oneof![
            (0..8u8, 0..4u16).prop_map(|(host, port)| SocketAddr::from(([10, 0, 0, host], port))),
            (0..4u16).prop_map(|port| format!("[::ffff:10.0.0.1]:{port}").parse().unwrap()),
            (0..4u16).prop_map(|port| format!("[2001:db8::1]:{port}").parse().unwrap()),
        ]
    }

    proptest! {
        #[test]
        fn it_says_what_asking_each_would_say(
            kept in vec(matcher(), 0..6),
            removed in vec(matcher(), 0..6),
            source in source(),
        ) {
            let mut sources = Sources::default();
            kept.iter().chain(&removed).for_each(|matcher| sources.add(*matcher));
            removed.iter().for_each(|matcher| sources.remove(*matcher));
            prop_assert_eq!(sources.contain(source), kept.iter().any(|matcher| matcher.matches(source)));
        }
    }

    #[test]
    fn what_was_removed_leaves_nothing() {
        let mut sources = Sources::default();
        for text in ["10.0.0.1", "10.0.0.1:5060", "10.0.0.0/8"] {
            let matcher = text.parse().unwrap();
            sources.add(matcher);
            sources.remove(matcher);
            sources.remove(matcher);
        }
        assert_eq!(sources, Sources::default());
    }
}
