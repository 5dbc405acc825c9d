//! Two layers over a link that loses, delays and doubles: a call is set up and torn down whatever happens to single
//! datagrams, and each side's user sees each thing once.

use super::*;
use crate::Seed;

/// Set-up and tear-down of one call between a caller (side 0) and an answering side (side 1).
struct Call {
    sides: [Bench; 2],
    /// Datagrams under way: when, in which order, to whom.
    link: BTreeSet<(u64, u64, usize, Vec<u8>)>,
    chance: Seed,
    loss: u64,
    now: u64,
    carried: u64,
    read: [usize; 2],
}

impl Call {
    fn new(seed: u64, loss: u64) -> Self {
        let sides = [Bench::default(), Bench::default()];
        let chance = Seed::new(seed);
        Call { sides, link: BTreeSet::new(), chance, loss, now: 0, carried: 0, read: [0, 0] }
    }

    fn run(&mut self) {
        self.sides[0].send("z9hG4bKinvite", &request(Method::INVITE), Transport::Udp);
        self.settle();
        while let Some(at) = self.next_moment() {
            self.now = at;
            self.sides.iter_mut().for_each(|side| side.run_until(at));
            self.deliver();
            self.settle();
        }
    }

    fn next_moment(&self) -> Option<u64> {
        let arriving = self.link.first().map(|(at, ..)| *at);
        self.sides.iter().filter_map(|side| side.layer.next_timeout()).chain(arriving).min()
    }

    fn deliver(&mut self) {
        while self.link.first().is_some_and(|(at, ..)| *at <= self.now) {
            if let Some((_, _, side, bytes)) = self.link.pop_first() {
                self.sides[side].receive(Message::parse(&bytes).unwrap(), Transport::Udp);
            }
        }
    }

    /// Carries what the layers put out, to the link and to their users, until they are quiet.
    fn settle(&mut self) {
        while let Some(side) = (0..2).find(|&side| self.read[side] < self.sides[side].seen.len()) {
            let (_, output) = self.sides[side].seen[self.read[side]].clone();
            self.read[side] += 1;
            match output {
                Output::Transmit { bytes, .. } => self.carry(1 - side, bytes.to_vec()),
                other if side == 0 => self.calling(other),
                other => self.answering(other),
            }
        }
    }

    fn carry(&mut self, to: usize, bytes: Vec<u8>) {
        let copies = if self.chance.below(100) < 5 { 2 } else { 1 };
        for _ in 0..copies {
            self.carried += 1;
            if self.chance.below(100) >= self.loss {
                let at = self.now + 1 + self.chance.below(300);
                self.link.insert((at, self.carried, to, bytes.clone()));
            }
        }
    }

    fn calling(&mut self, output: Output) {
        let Output::Response { message, .. } = output else { return };
        if message.method() == Method::INVITE && message.status() == Some(200) {
            self.sides[0].send("z9hG4bKack", &request(Method::ACK), Transport::Udp);
            let mut bye = request(Method::BYE);
            bye.set("CSeq", "2 BYE");
            self.sides[0].send("z9hG4bKbye", &bye, Transport::Udp);
        }
    }

    fn answering(&mut self, output: Output) {
        let Output::Request { message, .. } = output else { return };
        if message.is(&Method::INVITE) {
            self.sides[1].respond(&reply(&message, 180), Transport::Udp);
        }
        self.sides[1].respond(&reply(&message, 200), Transport::Udp);
    }

    fn told(&self, side: usize, what: &str) -> usize {
        self.sides[side].seen.iter().filter(|(_, output)| short(output).as_deref() == Some(what)).count()
    }
}

#[test]
fn a_call_survives_a_third_of_its_datagrams_lost() {
    for seed in 0..300 {
        let mut call = Call::new(seed, 33);
        call.run();
        let note = format!("seed {seed}: {:?} {:?}", call.sides[0].told(), call.sides[1].told());
        assert_eq!((call.told(1, "INVITE"), call.told(1, "BYE")), (1, 1), "each request once, {note}");
        assert_eq!(call.told(1, "ACK known=true"), 1, "one ACK, {note}");
        assert!(call.told(0, "200") >= 2, "INVITE and BYE answered, {note}");
        assert!(call.sides.iter().all(|side| side.layer.is_empty()), "nothing is left behind, {note}");
    }
}

#[test]
fn a_dead_link_ends_in_a_time_out_and_leaves_nothing() {
    let mut call = Call::new(1, 100);
    call.run();
    assert_eq!(call.sides[0].told(), ["32000 INVITE timed out"]);
    assert!(call.sides[0].layer.is_empty() && call.sides[1].told().is_empty());
}

#[test]
fn a_perfect_link_repeats_nothing() {
    let mut call = Call::new(3, 0);
    call.run();
    assert_eq!((call.told(0, "180"), call.told(1, "ACK known=true")), (1, 1));
    assert!(call.carried < 14, "{} datagrams for a call", call.carried);
}
