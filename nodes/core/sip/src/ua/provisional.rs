//! Provisional responses to our INVITE: early dialogs, early media, PRACK (RFC 3262 4), and the requests
//! of far ends that have not answered yet.

use super::asked::Asked;
use super::calling::{Fork, MAX_FORKS};
use super::incoming::{Body, body_of, is_sdp};
use super::turn::{Purpose, SDP, Turn};
use super::{Fact, Leg, Phase};
use crate::sdp::{Audio, Session};
use crate::{Message, Method, Source};

impl Leg {
    /// 100 to 199.
    pub(super) fn progressed(&mut self, response: &Message, source: &Source, turn: &mut Turn<'_, '_>) {
        let Phase::Calling(calling) = &mut self.phase else { return };
        calling.provisional = true;
        self.send_cancel(turn);
        let status = response.status().unwrap_or(100);
        if status == 100 || !self.note_fork(response, source) {
            return;
        }
        let tag = response.to_tag().unwrap_or_default();
        let reliable = response.has_token("Require", "100rel");
        if reliable && !self.acknowledge_provisional(tag, response, turn) {
            return;
        }
        let audio = self.take_early_answer(tag, response, reliable);
        self.fact(turn, Fact::Ringing { status, audio });
    }

    /// Finds or makes the early dialog; false without a tag or with too many of them.
    fn note_fork(&mut self, response: &Message, source: &Source) -> bool {
        let Some((tag, peer)) = self.answering_peer(response, source) else { return false };
        let Phase::Calling(calling) = &mut self.phase else { return false };
        if let Some(fork) = calling.fork(&tag) {
            fork.peer.hears(response);
            return true;
        }
        if calling.forks.len() >= MAX_FORKS {
            return false;
        }
        calling.forks.push(Fork { peer, rseq: None, session: None, settled: false });
        true
    }

    /// PRACK for the next reliable response; false for one seen before or out of order.
    fn acknowledge_provisional(&mut self, tag: &str, response: &Message, turn: &mut Turn<'_, '_>) -> bool {
        let Some(rseq) = response.u32_of("RSeq") else { return false };
        let (Phase::Calling(calling), Some(invitation)) = (&mut self.phase, &self.invitation) else {
            return false;
        };
        let Some(fork) = calling.fork(tag) else { return false };
        if fork.rseq.is_some_and(|last| last.checked_add(1) != Some(rseq)) {
            return false;
        }
        fork.rseq = Some(rseq);
        let cseq = self.dialog.next_cseq();
        let message = self.dialog.request(&Method::PRACK, cseq, &fork.peer);
        let message = message.with("RAck", format!("{rseq} {} INVITE", invitation.cseq));
        let sent = turn.send(Purpose::Prack, &message, &fork.peer.destination);
        self.requests.push(sent);
        true
    }

    /// An answer in a provisional response: binding when reliable, else a preview of the one in the 2xx.
    fn take_early_answer(&mut self, tag: &str, response: &Message, reliable: bool) -> Option<Audio> {
        let offered = self.sdp.clone();
        let Phase::Calling(calling) = &mut self.phase else { return None };
        let fork = calling.fork(tag)?;
        if is_sdp(response) && !response.body().is_empty() && !fork.settled {
            let mut session = offered;
            if session.receive_answer(response.body()).is_ok() {
                fork.session = Some(session);
                fork.settled = reliable;
            }
        }
        fork.session.as_ref().and_then(Session::agreed).cloned()
    }

    /// A request in an early dialog.
    pub(super) fn asked_by_fork(&mut self, request: &Message, asked: Asked, turn: &mut Turn<'_, '_>) {
        let tag = request.from_tag().unwrap_or_default();
        let Phase::Calling(calling) = &mut self.phase else { return };
        let Some(fork) = calling.fork(tag) else { return self.reply_status(asked, 481, turn) };
        if fork.peer.cseq.is_some_and(|last| last >= asked.cseq) {
            return self.reply_status(asked, 500, turn);
        }
        fork.peer.cseq = Some(asked.cseq);
        match asked.method {
            Method::BYE => {
                calling.forks.retain(|fork| fork.peer.tag != tag);
                self.reply_status(asked, 200, turn);
            }
            Method::UPDATE => self.updated_by_fork(tag, request, asked, turn),
            Method::INFO => self.informed(request, asked, turn),
            Method::OPTIONS => self.queried(asked, turn),
            _ => self.reply_status(asked, 481, turn),
        }
    }

    /// UPDATE before the answer: early media moves; answered with what we said before.
    fn updated_by_fork(&mut self, tag: &str, request: &Message, asked: Asked, turn: &mut Turn<'_, '_>) {
        let Phase::Calling(calling) = &mut self.phase else { return };
        let Some(fork) = calling.fork(tag) else { return };
        let offer = match body_of(request) {
            Body::Nothing => return self.reply_status(asked, 200, turn),
            Body::Strange => {
                let message = asked.response(415).with("Accept", SDP);
                return self.reply(asked, message, turn);
            }
            Body::Description(text) => text,
        };
        let settled = fork.settled;
        let Some(session) = fork.session.as_mut().filter(|_| settled) else {
            return self.reply_status(asked, 491, turn);
        };
        let Some((local, direction)) = session.local() else { return self.reply_status(asked, 491, turn) };
        let codecs = &self.codecs;
        let answer =
            session.receive_offer(offer, codecs).and_then(|_| session.answer(local, codecs, direction));
        let audio = session.agreed().cloned();
        match answer {
            Ok(answer) => {
                let transport = asked.destination.transport;
                let message = turn.described(asked.response(200), transport).with_body(SDP, answer);
                self.reply(asked, message, turn);
                self.fact(turn, Fact::Ringing { status: 183, audio });
            }
            Err(error) => self.reply_status(asked, error.status(), turn),
        }
    }
}
