//! What arrived goes to whom it concerns: checks of dialog and sequence (RFC 3261 12.2.2) come first.

use super::asked::Asked;
use super::turn::{ALLOW, Purpose, SDP, Turn};
use super::{Ctx, Fact, Failure, Leg, Output, Phase};
use crate::{Message, Method, Source};

/// RFC 5626 section 11.5.
const FLOW_FAILED: u16 = 430;

impl Leg {
    /// A message for this leg, whatever it is: see [`Leg::matches`]. Requests of another dialog get 481,
    /// responses to nothing are ignored.
    pub fn receive(&mut self, message: &Message, source: &Source, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, turn| {
            if message.is_response() {
                return leg.answered(message, source, turn);
            }
            match message.method() {
                Method::CANCEL => leg.cancelled(message, turn),
                Method::ACK => leg.acknowledged(message, turn),
                Method::INVITE if message.to_tag().is_none() => leg.invited_again(message, source, turn),
                _ => leg.asked(message, source, turn),
            }
        })
    }

    /// What the edge could not do. Failures of requests that are not ours any more are ignored.
    pub fn failed(&mut self, failure: Failure, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, turn| match failure {
            Failure::TimedOut { branch, method } => leg.request_failed(&branch, &method, 408, turn),
            Failure::TransportFailed { branch, method } => leg.request_failed(&branch, &method, 503, turn),
            Failure::AckMissing => leg.ack_missing(turn),
            Failure::PrackMissing => leg.prack_missing(turn),
        })
    }

    /// The only way to the far end is gone: an INVITE of ours that waits for its answer has failed. What was answered
    /// stays; the far end may come back by another way.
    pub fn unreachable(&mut self, ctx: &mut Ctx<'_>) -> Vec<Output> {
        self.turn(ctx, |leg, turn| {
            if let Some(branch) = leg.invitation.as_ref().map(|sent| sent.branch.clone()) {
                leg.request_failed(&branch, &Method::INVITE, FLOW_FAILED, turn);
            }
        })
    }

    fn answered(&mut self, response: &Message, source: &Source, turn: &mut Turn<'_, '_>) {
        let (Some(branch), Some(status)) = (response.branch(), response.status()) else { return };
        let method = response.method();
        if response.call_id() != Some(self.call_id()) {
            return;
        }
        if method == Method::INVITE && self.invitation.as_ref().is_some_and(|sent| sent.branch == branch) {
            return self.invite_answered(response, source, turn);
        }
        let sent = self.requests.iter().position(|sent| sent.branch == branch && sent.method == method);
        match sent {
            Some(index) if status >= 200 => {
                let sent = self.requests.remove(index);
                match sent.purpose {
                    Purpose::Change => self.change_answered(response, source, turn),
                    Purpose::Notify => self.notified(status, turn),
                    Purpose::Bye | Purpose::Cancel | Purpose::Prack => {}
                }
            }
            Some(_) => {}
            None if method == Method::INVITE && (200..300).contains(&status) => {
                self.acknowledge_again(response, turn);
            }
            None => {}
        }
    }

    fn request_failed(&mut self, branch: &str, method: &Method, status: u16, turn: &mut Turn<'_, '_>) {
        if *method == Method::INVITE && self.invitation.as_ref().is_some_and(|sent| sent.branch == branch) {
            if matches!(self.phase, Phase::Calling(_)) {
                self.phase = Phase::Ended;
                let reason = crate::cause::reason_phrase(status).to_owned();
                self.over(turn, Fact::Failed { status, reason, retry_after: None });
            }
            return;
        }
        let sent = self.requests.iter().position(|sent| sent.branch == branch && sent.method == *method);
        let Some(index) = sent else { return };
        let sent = self.requests.remove(index);
        match sent.purpose {
            Purpose::Change => self.change_failed(status, turn),
            Purpose::Notify => self.notified(status, turn),
            Purpose::Bye => self.bye_failed(&sent.destination, turn),
            Purpose::Cancel | Purpose::Prack => {}
        }
    }

    /// A request within a dialog.
    fn asked(&mut self, request: &Message, source: &Source, turn: &mut Turn<'_, '_>) {
        let Some(asked) = Asked::of(request, source, &self.dialog.local_tag) else { return };
        if self.repeat_answer(&asked, turn) {
            return;
        }
        let here = request.to_tag() == Some(self.local_tag()) && request.call_id() == Some(self.call_id());
        let tag = request.from_tag().unwrap_or_default();
        if !here || !self.knows(tag) {
            turn.respond(&asked, asked.response(481));
            return;
        }
        if matches!(self.phase, Phase::Calling(_)) {
            return self.asked_by_fork(request, asked, turn);
        }
        if self.remote_tag() != Some(tag) {
            let status = if asked.method == Method::BYE { 200 } else { 481 };
            return self.reply_status(asked, status, turn);
        }
        if self.in_sequence(&asked, source) {
            self.asked_in_turn(request, asked, source, turn);
        } else {
            turn.respond(&asked, asked.response(500));
        }
    }

    /// Whether the number is higher than the last (RFC 3261 12.2.2); notes it.
    fn in_sequence(&mut self, asked: &Asked, source: &Source) -> bool {
        let Some(peer) = &mut self.peer else { return false };
        if peer.cseq.is_some_and(|last| asked.cseq <= last) {
            return false;
        }
        peer.cseq = Some(asked.cseq);
        peer.seen_at(source);
        true
    }

    /// A request that came before: its answer again, or nothing while it is still open.
    fn repeat_answer(&mut self, asked: &Asked, turn: &mut Turn<'_, '_>) -> bool {
        if self.change.asked.as_ref().is_some_and(|change| change.asked.is_repeated_by(asked))
            || self.transfer.as_ref().is_some_and(|transfer| transfer.is_asked_by(asked))
        {
            return true;
        }
        let served = self.served.as_ref().map(|served| (&served.asked, &served.message));
        let accepted = self.unconfirmed.as_ref().map(|waiting| (&waiting.asked, &waiting.message));
        let mut answers = served.into_iter().chain(accepted);
        let Some((_, message)) = answers.find(|(was, _)| was.is_repeated_by(asked)) else { return false };
        turn.repeat(&asked.destination, message);
        true
    }

    fn asked_in_turn(&mut self, request: &Message, asked: Asked, source: &Source, turn: &mut Turn<'_, '_>) {
        if matches!(self.phase, Phase::Ended) && asked.method != Method::BYE {
            return self.reply_status(asked, 481, turn);
        }
        match asked.method {
            Method::BYE => self.bye_asked(request, asked, turn),
            Method::INVITE | Method::UPDATE => self.change_asked(request, asked, source, turn),
            Method::PRACK => self.provisionally_acknowledged(request, asked, turn),
            Method::INFO => self.informed(request, asked, turn),
            Method::REFER => self.transfer_asked(request, asked, turn),
            Method::OPTIONS => self.queried(asked, turn),
            Method::NOTIFY => self.reply_status(asked, 481, turn),
            ref method => {
                let status = if matches!(method, Method::Other(_)) { 501 } else { 405 };
                let message = asked.response(status).with("Allow", ALLOW);
                self.reply(asked, message, turn);
            }
        }
    }

    /// OPTIONS: what we can do.
    pub(super) fn queried(&mut self, asked: Asked, turn: &mut Turn<'_, '_>) {
        let message = asked.response(200);
        let message = message.with("Allow", ALLOW).with("Supported", turn.supported()).with("Accept", SDP);
        self.reply(asked, message, turn);
    }
}
