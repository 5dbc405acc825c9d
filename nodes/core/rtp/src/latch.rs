//! Where media may come from and go to. A far end behind address translation sends from another address than its SDP
//! names; believing any address would let strangers take the sound over. The rule: the SDP's address is believed at
//! once; otherwise only the IP that signalling comes from, after several packets in a row, and only while the address
//! believed so far is silent. No third address is ever answered or heard.

use std::net::{IpAddr, SocketAddr};

/// Packets in a row (same address, same SSRC, following sequence numbers) before an address is believed.
const IN_A_ROW: u8 = 3;
/// An address that signalling has left is believed again only this long after: then nothing is on its way any more.
const LEFT_US: u64 = 1_000_000;
/// The believed address must be silent for this long before another may take its place.
const QUIET_US: u64 = 1_000_000;

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the far end's.
    Accept,
    /// It is the far end's, and from now on it is answered there.
    Moved,
    /// It may be the far end's, but is not believed yet: drop it.
    Unproven,
    /// It comes from a third address: drop it.
    Foreign,
}

/// Whom one endpoint listens to.
#[derive(Debug, Clone, Default)]
pub struct Latch {
    /// The last address that an SDP named.
    sdp: Option<SocketAddr>,
    /// The last SDP named none (hold by 0.0.0.0): nothing is sent, what was believed stays so.
    held: bool,
    signalled: Option<IpAddr>,
    believed: Option<SocketAddr>,
    /// What was believed before signalling named another address, and when that was.
    left: Option<(SocketAddr, u64)>,
    heard_us: u64,
    candidate: Option<Candidate>,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    address: SocketAddr,
    ssrc: u32,
    sequence: u16,
    count: u8,
}

impl Latch {
    /// Nobody is heard until `signal`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what signalling says. The same words again change nothing; a new SDP address starts over unless it is
    /// the one believed already. No SDP address is a hold: the far end wants nothing, but it has not moved.
    pub fn signal(&mut self, sdp: Option<SocketAddr>, signalled: Option<IpAddr>, now_us: u64) {
        self.held = sdp.is_none();
        let sdp = sdp.or(self.sdp);
        if (sdp, signalled) == (self.sdp, self.signalled) {
            return;
        }
        let moved = sdp != self.sdp;
        (self.sdp, self.signalled) = (sdp, signalled);
        self.candidate = None;
        if self.believed.is_some_and(|a| (moved && Some(a) != sdp) || !self.is_possible(a)) {
            self.left = self.believed.take().map(|address| (address, now_us));
        }
    }

    /// What another node has heard, in place of packets: believed as if it had come now, unless this latch knows better.
    pub fn resume(&mut self, from: SocketAddr, now_us: u64) {
        if self.believed.is_none() && self.left.is_none() && self.is_possible(from) {
            (self.believed, self.heard_us) = (Some(from), now_us);
        }
    }

    /// Where to send: the believed address, else the SDP's; nowhere while held.
    pub fn destination(&self) -> Option<SocketAddr> {
        self.believed.or(self.sdp).filter(|_| !self.held)
    }

    /// The address that media was accepted from, if any was.
    pub fn believed(&self) -> Option<SocketAddr> {
        self.believed
    }

    /// Whether the far end sends from elsewhere than it signalled.
    pub fn is_elsewhere(&self) -> bool {
        self.believed.is_some() && self.believed != self.sdp
    }

    /// Whether another address could be believed now.
    pub fn is_quiet(&self, now_us: u64) -> bool {
        self.believed.is_none() || now_us.saturating_sub(self.heard_us) >= QUIET_US
    }

    /// Whether a packet from there may be the far end's at all: what comes from elsewhere is not worth opening.
    pub fn may_be(&self, from: SocketAddr) -> bool {
        self.believed == Some(from) || self.is_possible(from)
    }

    /// Judges one RTP packet.
    pub fn receive(&mut self, from: SocketAddr, ssrc: u32, sequence: u16, now_us: u64) -> Verdict {
        if self.believed == Some(from) {
            self.heard_us = now_us;
            self.candidate = None;
            return Verdict::Accept;
        }
        if !self.is_possible(from) {
            return Verdict::Foreign;
        }
        // The SDP's own address needs no proof.
        let may_move = self.is_quiet(now_us) && !self.was_just_left(from, now_us);
        if self.sdp != Some(from) && !(may_move && self.is_proven(from, ssrc, sequence)) {
            return Verdict::Unproven;
        }
        self.candidate = None;
        (self.believed, self.heard_us) = (Some(from), now_us);
        Verdict::Moved
    }

    fn is_possible(&self, address: SocketAddr) -> bool {
        self.sdp == Some(address) || self.signalled == Some(address.ip())
    }

    fn was_just_left(&self, address: SocketAddr, now_us: u64) -> bool {
        self.left.is_some_and(|(left, at)| left == address && now_us.saturating_sub(at) < LEFT_US)
    }

    fn is_proven(&mut self, address: SocketAddr, ssrc: u32, sequence: u16) -> bool {
        let count = match self.candidate {
            // The same packet twice, as faxes send what matters, proves nothing and denies nothing.
            Some(c) if (c.address, c.ssrc, c.sequence) == (address, ssrc, sequence) => c.count,
            Some(c) if (c.address, c.ssrc) == (address, ssrc) && sequence == c.sequence.wrapping_add(1) => {
                c.count.saturating_add(1)
            }
            _ => 1,
        };
        self.candidate = Some(Candidate { address, ssrc, sequence, count });
        count >= IN_A_ROW
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SDP: &str = "192.0.2.1:4000";
    const NAT: &str = "203.0.113.5:62000";
    const NAT_IP: &str = "203.0.113.5";
    const THIRD: &str = "198.51.100.9:4000";

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn latch() -> Latch {
        let mut latch = Latch::new();
        latch.signal(Some(address(SDP)), Some(NAT_IP.parse().unwrap()), 0);
        latch
    }

    /// Sends `count` packets in a row from sequence number `first`, one every 20 ms from `at_us`.
    fn send(latch: &mut Latch, from: &str, first: u16, count: u16, at_us: u64) -> Vec<Verdict> {
        (0..count)
            .map(|i| latch.receive(address(from), 7, first.wrapping_add(i), at_us + u64::from(i) * 20_000))
            .collect()
    }

    #[test]
    fn an_heir_sends_where_the_far_end_was_heard_before() {
        let mut latch = latch();
        latch.resume(address(THIRD), 0);
        assert_eq!(latch.destination(), Some(address(SDP)), "no third address");
        latch.resume(address(NAT), 0);
        assert_eq!((latch.destination(), latch.is_elsewhere()), (Some(address(NAT)), true));
        assert_eq!(send(&mut latch, NAT, 1, 1, 0), [Verdict::Accept]);
        latch.signal(Some(address("192.0.2.1:4002")), Some(NAT_IP.parse().unwrap()), 0);
        latch.resume(address(NAT), 0);
        assert_eq!(latch.destination(), Some(address("192.0.2.1:4002")), "it has moved since");
    }

    #[test]
    fn a_latch_that_has_heard_knows_better_than_another_node() {
        let mut latch = latch();
        send(&mut latch, SDP, 1, 1, 0);
        latch.resume(address(NAT), 0);
        assert_eq!(latch.destination(), Some(address(SDP)));
    }

    #[test]
    fn the_sdp_address_is_believed_at_once() {
        let mut latch = latch();
        assert_eq!(latch.destination(), Some(address(SDP)));
        assert_eq!(send(&mut latch, SDP, 1, 2, 0), [Verdict::Moved, Verdict::Accept]);
        assert!(!latch.is_elsewhere());
    }

    #[test]
    fn the_signalling_ip_is_believed_after_three_in_a_row() {
        let mut latch = latch();
        let verdicts = send(&mut latch, NAT, 65534, 4, 0);
        assert_eq!(verdicts, [Verdict::Unproven, Verdict::Unproven, Verdict::Moved, Verdict::Accept]);
        assert_eq!(latch.destination(), Some(address(NAT)));
        assert!(latch.is_elsewhere());
    }

    #[test]
    fn the_same_packet_again_neither_proves_nor_denies() {
        let mut latch = latch();
        for sequence in [1, 2] {
            assert_eq!([0; 3].map(|_| send(&mut latch, NAT, sequence, 1, 0)[0]), [Verdict::Unproven; 3]);
        }
        assert_eq!(send(&mut latch, NAT, 3, 1, 0), [Verdict::Moved]);
    }

    #[test]
    fn gaps_and_other_sources_start_the_count_over() {
        let mut latch = latch();
        send(&mut latch, NAT, 1, 2, 0);
        assert_eq!(send(&mut latch, NAT, 9, 2, 0), [Verdict::Unproven; 2]);
        assert_eq!(latch.receive(address("203.0.113.5:62002"), 7, 11, 0), Verdict::Unproven);
        assert_eq!(latch.receive(address(NAT), 8, 12, 0), Verdict::Unproven);
    }

    #[test]
    fn a_third_address_is_never_heard() {
        let mut latch = latch();
        assert_eq!(send(&mut latch, THIRD, 1, 50, 0), [Verdict::Foreign; 50]);
        send(&mut latch, SDP, 1, 1, 0);
        assert_eq!(send(&mut latch, THIRD, 1, 500, 10_000_000), [Verdict::Foreign; 500]);
        assert_eq!(latch.destination(), Some(address(SDP)));
        assert_eq!([SDP, NAT, THIRD].map(|from| latch.may_be(address(from))), [true, true, false]);
    }

    #[test]
    fn a_flood_from_the_same_ip_does_not_take_over_while_the_far_end_talks() {
        let mut latch = latch();
        send(&mut latch, NAT, 1, 3, 0);
        let flood: Vec<Verdict> =
            (0..40).map(|i| latch.receive(address("203.0.113.5:1"), 7, i, 900_000)).collect();
        assert_eq!(flood, [Verdict::Unproven; 40]);
        assert_eq!(latch.receive(address(NAT), 7, 4, 999_000), Verdict::Accept);
    }

    #[test]
    fn a_translation_that_moved_is_followed_after_a_second_of_silence() {
        let mut latch = latch();
        send(&mut latch, NAT, 1, 3, 0);
        let verdicts = send(&mut latch, "203.0.113.5:7", 90, 3, 2_000_000);
        assert_eq!(verdicts, [Verdict::Unproven, Verdict::Unproven, Verdict::Moved]);
    }

    #[test]
    fn a_new_sdp_address_starts_over_and_the_same_does_not() {
        let mut latch = latch();
        send(&mut latch, NAT, 1, 3, 0);
        latch.signal(Some(address(SDP)), Some(NAT_IP.parse().unwrap()), 0);
        assert_eq!(latch.destination(), Some(address(NAT)));
        latch.signal(Some(address("192.0.2.1:4002")), None, 0);
        assert_eq!(latch.destination(), Some(address("192.0.2.1:4002")));
        assert_eq!(send(&mut latch, NAT, 4, 1, 60_000), [Verdict::Foreign]);
    }

    #[test]
    fn what_was_on_its_way_from_the_former_address_changes_nothing() {
        let mut latch = latch();
        send(&mut latch, NAT, 1, 3, 0);
        latch.signal(Some(address("192.0.2.1:4002")), Some(NAT_IP.parse().unwrap()), 60_000);
        assert_eq!(send(&mut latch, NAT, 4, 47, 60_000), [Verdict::Unproven; 47]);
        let verdicts = send(&mut latch, NAT, 51, 3, 1_060_000);
        assert_eq!(verdicts, [Verdict::Unproven, Verdict::Unproven, Verdict::Moved], "it never moved");
    }

    #[test]
    fn a_hold_without_an_address_is_no_move() {
        for phone in [SDP, NAT] {
            let mut latch = latch();
            send(&mut latch, phone, 1, 3, 0);
            latch.signal(None, Some(NAT_IP.parse().unwrap()), 60_000);
            assert_eq!(latch.destination(), None, "it wants nothing");
            assert_eq!(latch.believed(), Some(address(phone)));
            assert_eq!(send(&mut latch, phone, 4, 1, 60_000), [Verdict::Accept]);
            latch.signal(Some(address(SDP)), Some(NAT_IP.parse().unwrap()), 70_000);
            assert_eq!(latch.destination(), Some(address(phone)), "at once, without proof");
            latch.signal(None, Some(NAT_IP.parse().unwrap()), 80_000);
            latch.signal(Some(address("192.0.2.1:4002")), Some(NAT_IP.parse().unwrap()), 90_000);
            assert_eq!(latch.destination(), Some(address("192.0.2.1:4002")), "resumed elsewhere");
        }
    }

    #[test]
    fn the_sdp_address_wins_over_another_that_talks() {
        let mut latch = latch();
        send(&mut latch, NAT, 1, 3, 0);
        assert_eq!(send(&mut latch, SDP, 1, 1, 70_000), [Verdict::Moved]);
        assert_eq!(send(&mut latch, NAT, 4, 5, 80_000), [Verdict::Unproven; 5]);
    }

    proptest! {
        #[test]
        fn media_goes_only_to_the_sdp_address_or_the_signalling_ip(
            packets in proptest::collection::vec((0..4usize, any::<u32>(), 0..5u16, 0..2_000_000u64), 0..200),
        ) {
            let from = [SDP, NAT, THIRD, "198.51.100.9:5"].map(address);
            let mut latch = latch();
            let mut now = 0;
            for (who, ssrc, sequence, wait) in packets {
                now += wait;
                let verdict = latch.receive(from[who], ssrc % 2, sequence, now);
                prop_assert_eq!(who >= 2, verdict == Verdict::Foreign);
                let to = latch.destination().unwrap();
                prop_assert!(to == from[0] || to.ip() == from[1].ip());
            }
        }
    }
}
