//! What a test does by hand on a standing pair: requests no leg would send, far ends that behave oddly.

use super::{Pair, Who, key, reborn};
use crate::{Message, Method};

impl Pair {
    /// A request as the far end of `to` would send it next, with the headers and body of `like`.
    pub(in crate::ua::tests) fn inject(&mut self, to: Who, like: &Message) {
        let mut far = reborn(self.leg(to.other()));
        let (cseq, peer) = (far.dialog.next_cseq(), far.peer.clone().unwrap());
        let mut message = far.dialog.request(&like.method(), cseq, &peer);
        message.push_front("Via", format!("SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKinjected{cseq}"));
        message.headers.extend(like.headers.clone());
        message.body.clone_from(&like.body);
        self.sides.get_mut(&to.other()).unwrap().leg = Some(far);
        let bytes = message.to_bytes();
        self.transmit(to.other(), bytes);
    }

    /// What is under way arrives in the opposite order.
    pub(in crate::ua::tests) fn reverse_wire(&mut self) {
        self.wire.reverse();
    }

    /// The far end of `who` takes no UPDATE.
    pub(in crate::ua::tests) fn forbid_update(&mut self, who: Who) {
        let leg = self.sides.get_mut(&who).unwrap().leg.as_mut().unwrap();
        leg.peer.as_mut().unwrap().updates = false;
    }

    /// From now on `who` is under rules that know no T.38.
    pub(in crate::ua::tests) fn take_no_fax(&mut self, who: Who) {
        self.sides.get_mut(&who).unwrap().local.fax = false;
    }

    /// From now on `who` answers NOTIFY with 200, as a phone that transfers does.
    pub(in crate::ua::tests) fn answer_notify(&mut self, who: Who) {
        for _ in 0..4 {
            let asked: Vec<Message> = self.sides[&who.other()].sent.clone();
            for notify in asked.iter().filter(|message| message.is(&Method::NOTIFY)) {
                let answer = Message::reply_to(notify, 200).to_bytes();
                self.sides.get_mut(&who).unwrap().answers.insert(key(notify), answer);
            }
            self.run(600);
        }
    }
}
