//! What a real edge does for a leg: retransmission, matching, the answer to CANCEL, the ACK of failures.

use super::{Callee, Caller, Pair, Repeat, Side, Who, key};
use crate::ua::Failure;
use crate::{Message, Method};

const T1: u64 = 500;
const DELAY: u64 = 10;

impl Pair {
    pub(super) fn transmit(&mut self, from: Who, bytes: Vec<u8>) {
        self.wire.push((self.now + DELAY, from.other(), bytes));
    }

    pub(super) fn repeat(&mut self) {
        for who in [Caller, Callee] {
            let now = self.now;
            let side = self.sides.get_mut(&who).unwrap();
            let due: Vec<String> = side
                .repeats
                .iter()
                .filter(|(_, repeat)| repeat.at <= now)
                .map(|(key, _)| key.clone())
                .collect();
            for key in due {
                let side = self.sides.get_mut(&who).unwrap();
                let repeat = side.repeats.get_mut(&key).unwrap();
                if repeat.until <= now {
                    let failure = side.repeats.remove(&key).and_then(|repeat| repeat.failure);
                    if let Some(failure) = failure {
                        self.act(who, |leg, ctx| leg.failed(failure, ctx));
                    }
                    continue;
                }
                repeat.wait = (repeat.wait * 2).min(4_000);
                repeat.at = now + repeat.wait;
                let bytes = repeat.bytes.clone();
                self.transmit(who, bytes);
            }
        }
    }

    pub(super) fn take_request(&mut self, to: Who, message: Message) {
        let side = self.sides.get_mut(&to).unwrap();
        match message.method() {
            Method::ACK => {
                let cseq = message.cseq().unwrap().0;
                let refused = side.repeats.remove(&key_of_answer(&message, "INVITE")).is_some();
                side.repeats.remove(&format!("2xx {cseq}"));
                if !refused {
                    self.hand(to, message);
                }
            }
            Method::CANCEL => {
                let ok = Message::reply_to(&message, 200).to_bytes();
                self.transmit(to, ok);
                if side_first(self.sides.get_mut(&to).unwrap(), &message) {
                    self.hand(to, message);
                }
            }
            method => {
                if let Some(answer) = side.answers.get(&key(&message)).cloned() {
                    if !answer.is_empty() {
                        self.transmit(to, answer);
                    }
                    return;
                }
                side.answers.insert(key(&message), Vec::new());
                if method == Method::PRACK {
                    let rseq =
                        message.header("RAck").unwrap_or_default().split(' ').next().unwrap_or_default();
                    side.repeats.remove(&format!("1xx {rseq}"));
                }
                self.hand(to, message);
            }
        }
    }

    pub(super) fn take_response(&mut self, to: Who, message: Message) {
        let side = self.sides.get_mut(&to).unwrap();
        let (key, status) = (key(&message), message.status().unwrap());
        let known = side.repeats.contains_key(&key);
        if message.method() != Method::INVITE {
            if status >= 200 {
                side.repeats.remove(&key);
            }
            if known {
                self.hand(to, message);
            }
            return;
        }
        side.repeats.remove(&key);
        if status >= 300 {
            let mut ack = Message::request(Method::ACK, "sip:x@192.0.2.2");
            for name in ["Via", "From", "To", "Call-ID"] {
                ack.push(name, message.header(name).unwrap());
            }
            ack.push("CSeq", format!("{} ACK", message.cseq().unwrap().0));
            self.transmit(to, ack.to_bytes());
        }
        self.hand(to, message);
    }

    pub(super) fn send_request(&mut self, who: Who, branch: &str, method: &Method, message: &[u8]) {
        let text = String::from_utf8(message.to_vec()).unwrap();
        let via = format!("\r\nVia: SIP/2.0/UDP {};branch={branch};rport\r\n", who.address());
        let bytes = text.replacen("\r\n", &via, 1).into_bytes();
        self.transmit(who, bytes.clone());
        let side = self.sides.get_mut(&who).unwrap();
        let key = format!("{branch} {method}");
        if *method == Method::ACK || side.repeats.contains_key(&key) {
            side.note(&bytes);
            return;
        }
        side.note(&bytes);
        let failure = Some(Failure::TimedOut { branch: branch.into(), method: method.clone() });
        side.repeats
            .insert(key, Repeat { bytes, at: self.now + T1, wait: T1, until: self.now + 64 * T1, failure });
    }

    pub(super) fn send_response(&mut self, who: Who, bytes: Vec<u8>) {
        self.transmit(who, bytes.clone());
        let message = Message::parse(&bytes).unwrap();
        let side = self.sides.get_mut(&who).unwrap();
        side.note(&bytes);
        side.answers.insert(key(&message), bytes.clone());
        let (status, cseq) = (message.status().unwrap(), message.cseq().unwrap().0);
        if message.method() != Method::INVITE {
            return;
        }
        let (key, failure) = match (status, message.header("RSeq")) {
            (100..200, Some(rseq)) => (format!("1xx {rseq}"), None),
            (100..200, None) => return,
            (200..300, _) => (format!("2xx {cseq}"), Some(Failure::AckMissing)),
            _ => (key(&message), None),
        };
        side.repeats
            .insert(key, Repeat { bytes, at: self.now + T1, wait: T1, until: self.now + 64 * T1, failure });
    }
}

fn side_first(side: &mut Side, message: &Message) -> bool {
    side.answers.insert(key(message), Vec::new()).is_none()
}

fn key_of_answer(message: &Message, method: &str) -> String {
    format!("{} {method}", message.branch().unwrap_or_default())
}
