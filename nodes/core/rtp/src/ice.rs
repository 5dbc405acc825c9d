//! The lite side of ICE for one stream (RFC 8445): we never ask, we answer whoever proves to know our password. Who has
//! proven it may send; where the far end wants its sound it says with its proofs, and the last word counts, for a far
//! end's first choice may be a way that breaks.
//!
//! What comes from elsewhere draws nothing: no answer, and no proof is calculated but for who knows our name, [`PER_SECOND`]
//! times. So an address that somebody else writes into packets is sent nothing, and who does not know the password can't
//! make us compute for long, nor keep out who does without knowing the name.

use std::{fmt, net::SocketAddr};

use crate::stun;

/// Ways that are remembered at once. A browser with many interfaces proves some ten; the oldest gives way.
const WAYS: usize = 16;
/// Packets of unproven addresses whose proofs are looked at in a second.
const PER_SECOND: u32 = 100;
const SECOND_US: u64 = 1_000_000;
/// Who is silent for this long no longer wants to hear us (RFC 7675 section 5.1).
const CONSENT_US: u64 = 30_000_000;

/// What became of a STUN packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It proves nothing: nobody answers it.
    Nothing,
    /// It is answered.
    Proven,
    /// The same, and from now on sound goes there.
    Selected,
}

/// Whom one stream of ours knows. `Debug` leaves the password out.
#[derive(Clone)]
pub struct Lite {
    ufrag: String,
    pwd: String,
    /// Who has proven the password, the last to do so behind.
    proven: Vec<SocketAddr>,
    selected: Option<SocketAddr>,
    heard_us: u64,
    /// It was silent for too long once: only its own proof brings it back.
    has_left: bool,
    looks: u32,
    second_us: u64,
}

impl fmt::Debug for Lite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lite")
            .field("ufrag", &self.ufrag)
            .field("proven", &self.proven)
            .field("selected", &self.selected)
            .finish_non_exhaustive()
    }
}

impl Lite {
    /// Nobody is known yet.
    pub fn new(ufrag: &str, pwd: &str, now_us: u64) -> Self {
        Self {
            ufrag: ufrag.to_owned(),
            pwd: pwd.to_owned(),
            proven: Vec::with_capacity(WAYS),
            selected: None,
            heard_us: now_us,
            has_left: false,
            looks: 0,
            second_us: 0,
        }
    }

    /// Whether these are our credentials.
    pub fn is_known_by(&self, ufrag: &str, pwd: &str) -> bool {
        self.ufrag == ufrag && self.pwd == pwd
    }

    /// Our name in the far end's questions.
    pub fn ufrag(&self) -> &str {
        &self.ufrag
    }

    /// Takes a STUN packet; `answer` holds afterwards what is to be sent back, if it proves something.
    pub fn receive(&mut self, packet: &[u8], from: SocketAddr, now_us: u64, answer: &mut Vec<u8>) -> Heard {
        let is_ours = |name: &str| name.split_once(':').is_some_and(|(asked, _)| asked == self.ufrag);
        let request = stun::Request::read(packet).filter(|request| is_ours(request.username));
        let Some(request) = request else { return Heard::Nothing };
        // Only who knows our name, which strangers do not, makes us calculate.
        if !(self.may_send(from) || self.may_look(now_us)) || !request.is_proven_by(&self.pwd) {
            return Heard::Nothing;
        }
        request.answer(from, &self.pwd, answer);
        self.heard_us = now_us;
        self.note(from);
        self.choose(from, request.uses_candidate)
    }

    fn note(&mut self, from: SocketAddr) {
        self.proven.retain(|one| *one != from);
        if self.proven.len() == WAYS {
            // The way that is used stays, however long ago it was proven.
            let oldest = self.proven.iter().position(|one| Some(*one) != self.selected).unwrap_or(0);
            self.proven.remove(oldest);
        }
        self.proven.push(from);
    }

    /// Before the far end has chosen, the first way that works is used: some say nothing of a choice for a while.
    fn choose(&mut self, from: SocketAddr, is_choice: bool) -> Heard {
        if !is_choice && self.selected.is_some() {
            return Heard::Proven;
        }
        match self.selected.replace(from) == Some(from) {
            true => Heard::Proven,
            false => Heard::Selected,
        }
    }

    /// Where another node was told to send: as if it had been proven and chosen now, unless somebody was, or was and has gone.
    pub fn resume(&mut self, to: SocketAddr, now_us: u64) {
        if self.selected.is_none() && !self.has_left {
            (self.selected, self.heard_us) = (Some(to), now_us);
            self.note(to);
        }
    }

    /// Whether what comes from there may be the far end's.
    pub fn may_send(&self, from: SocketAddr) -> bool {
        self.proven.contains(&from)
    }

    /// A packet was the far end's by its keys: it is there.
    pub fn heard(&mut self, now_us: u64) {
        self.heard_us = now_us;
    }

    /// Where to send.
    pub fn destination(&self) -> Option<SocketAddr> {
        self.selected
    }

    /// Whether the far end has said nothing for so long that nothing may be sent to it any more. It is forgotten then, and
    /// known again by its next proof.
    pub fn has_gone(&mut self, now_us: u64) -> bool {
        let is_over = self.selected.is_some() && now_us.saturating_sub(self.heard_us) >= CONSENT_US;
        if is_over {
            self.proven.clear();
            (self.selected, self.has_left) = (None, true);
        }
        is_over
    }

    fn may_look(&mut self, now_us: u64) -> bool {
        if now_us.saturating_sub(self.second_us) >= SECOND_US {
            (self.second_us, self.looks) = (now_us, 0);
        }
        self.looks = self.looks.saturating_add(1);
        self.looks <= PER_SECOND
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const PWD: &str = "VOkJxbRl1RmTxUk/WvJxBt";

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// A question as browsers put it.
    fn question(username: &str, pwd: &str, chooses: bool) -> Vec<u8> {
        let mut packet = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        packet.extend([0, 6, 0, username.len() as u8]);
        packet.extend(username.bytes());
        packet.resize(packet.len().next_multiple_of(4), 0);
        if chooses {
            packet.extend([0, 0x25, 0, 0]);
        }
        stun::seal(&mut packet, pwd);
        packet
    }

    fn ask(lite: &mut Lite, from: &str, chooses: bool, now_us: u64) -> Heard {
        let mut answer = Vec::new();
        let heard = lite.receive(&question("evtj:F7gI", PWD, chooses), address(from), now_us, &mut answer);
        assert_eq!(answer.is_empty(), heard == Heard::Nothing);
        heard
    }

    const A: &str = "192.0.2.1:4000";
    const B: &str = "203.0.113.5:62000";

    #[test]
    fn the_last_choice_counts_and_before_it_the_first_way_that_works() {
        let mut lite = Lite::new("evtj", PWD, 0);
        assert_eq!((lite.destination(), lite.may_send(address(A))), (None, false));
        for (from, chooses, heard, destination) in [
            (A, false, Heard::Selected, A),
            (B, false, Heard::Proven, A),
            (B, true, Heard::Selected, B),
            (B, true, Heard::Proven, B),
            (A, false, Heard::Proven, B),
            (A, true, Heard::Selected, A),
        ] {
            assert_eq!(ask(&mut lite, from, chooses, 0), heard);
            assert_eq!(lite.destination(), Some(address(destination)));
        }
        assert!(lite.may_send(address(A)) && lite.may_send(address(B)));
    }

    #[test]
    fn who_does_not_know_the_password_is_not_answered() {
        let mut lite = Lite::new("evtj", PWD, 0);
        let mut answer = Vec::new();
        for packet in [
            question("evtj:F7gI", "another-password-of-22", true),
            question("evtJ:F7gI", PWD, true),
            question("evtj", PWD, true),
            vec![0; 60],
        ] {
            assert_eq!(lite.receive(&packet, address(A), 0, &mut answer), Heard::Nothing);
        }
        assert!(answer.is_empty() && lite.destination().is_none() && !lite.may_send(address(A)));
    }

    #[test]
    fn a_flood_is_not_looked_at_and_who_is_proven_is_heard_in_it() {
        let mut lite = Lite::new("evtj", PWD, 0);
        assert_eq!(ask(&mut lite, A, true, 0), Heard::Selected);
        let mut answer = Vec::new();
        for _ in 0..10 * PER_SECOND {
            lite.receive(&question("evtj:x", "another-password-of-22", true), address(B), 1, &mut answer);
        }
        assert_eq!(ask(&mut lite, B, true, 2), Heard::Nothing, "nobody looks");
        assert_eq!(ask(&mut lite, A, true, 2), Heard::Proven);
        assert_eq!(ask(&mut lite, B, true, SECOND_US + 2), Heard::Selected, "a second later");
    }

    #[test]
    fn a_flood_of_who_does_not_know_the_name_keeps_nobody_out() {
        let (mut lite, mut answer) = (Lite::new("evtj", PWD, 0), Vec::new());
        for _ in 0..10 * PER_SECOND {
            lite.receive(&question("xxxx:x", PWD, true), address(B), 1, &mut answer);
        }
        assert_eq!(ask(&mut lite, A, true, 2), Heard::Selected);
    }

    #[test]
    fn whoever_says_nothing_is_sent_nothing_after_half_a_minute_and_comes_back_by_a_proof() {
        let mut lite = Lite::new("evtj", PWD, 0);
        assert!(!lite.has_gone(2 * CONSENT_US), "nobody was there");
        ask(&mut lite, A, true, 0);
        lite.heard(5_000_000);
        assert!(!lite.has_gone(CONSENT_US));
        assert!(lite.has_gone(CONSENT_US + 5_000_000) && !lite.has_gone(CONSENT_US + 5_000_000));
        lite.resume(address(A), CONSENT_US + 6_000_000);
        assert_eq!((lite.destination(), lite.may_send(address(A))), (None, false), "control still knows it");
        assert_eq!(ask(&mut lite, A, false, 2 * CONSENT_US), Heard::Selected);
    }

    #[test]
    fn an_heir_sends_where_another_node_did_until_it_hears_otherwise() {
        let mut lite = Lite::new("evtj", PWD, 0);
        lite.resume(address(A), 0);
        assert_eq!((lite.destination(), lite.may_send(address(A))), (Some(address(A)), true));
        lite.resume(address(B), 0);
        assert_eq!(lite.destination(), Some(address(A)));
        assert_eq!(ask(&mut lite, B, true, 0), Heard::Selected);
    }

    #[test]
    fn of_many_ways_the_oldest_that_is_not_used_is_forgotten() {
        let mut lite = Lite::new("evtj", PWD, 0);
        ask(&mut lite, A, true, 0);
        for port in 1..=40 {
            ask(&mut lite, &format!("203.0.113.5:{port}"), false, 0);
        }
        assert_eq!(lite.proven.len(), WAYS);
        assert!(lite.may_send(address(A)) && !lite.may_send(address("203.0.113.5:1")));
        assert_eq!(lite.destination(), Some(address(A)));
    }
}
