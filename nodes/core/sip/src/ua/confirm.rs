//! ACK, both ways: our 2xx until it is acknowledged, and our ACK for when the far end repeats its 2xx.

use serde::{Deserialize, Serialize};

use super::asked::Asked;
use super::dialog::Peer;
use super::incoming::is_sdp;
use super::turn::{SDP, Turn};
use super::{Fact, Leg, Outgoing, Output, Phase, TRANSACTION_MS};
use crate::{Destination, Message, Method, Rendered};

/// A 2xx of ours to INVITE or re-INVITE that waits for its ACK.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Unconfirmed {
    pub(super) asked: Asked,
    pub(super) message: Rendered,
    /// The ACK must bring the answer to our offer.
    expects_answer: bool,
    initial: bool,
    /// The edge tells earlier; this is for when it could not.
    pub(super) until: u64,
}

impl Unconfirmed {
    pub(super) fn new(
        asked: Asked,
        message: Rendered,
        expects_answer: bool,
        initial: bool,
        now: u64,
    ) -> Self {
        Self { asked, message, expects_answer, initial, until: now + 2 * TRANSACTION_MS }
    }

    /// Whether it is the 2xx that made the dialog.
    pub(super) fn is_initial(&self) -> bool {
        self.initial
    }

    /// Whether a new offer must wait for the ACK.
    pub(super) fn carries_offer(&self) -> bool {
        self.expects_answer
    }
}

/// The ACK we sent last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Acked {
    cseq: u32,
    tag: String,
    pub(super) sent: Acknowledgement,
    pub(super) at: u64,
}

/// An ACK for a 2xx as it was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Acknowledgement {
    branch: String,
    destination: Destination,
    message: Rendered,
}

impl Acknowledgement {
    pub(super) fn output(&self) -> Output {
        Output::Send(Outgoing::Request {
            branch: self.branch.clone(),
            method: Method::ACK,
            destination: self.destination.clone(),
            message: self.message.clone(),
        })
    }
}

impl Leg {
    /// The far end's ACK.
    pub(super) fn acknowledged(&mut self, ack: &Message, turn: &mut Turn<'_, '_>) {
        let cseq = ack.cseq().ok().map(|(number, _)| number);
        let Some(unconfirmed) = self.unconfirmed.take_if(|waiting| Some(waiting.asked.cseq) == cseq) else {
            return;
        };
        if unconfirmed.expects_answer && !self.take_answer_of_ack(ack, unconfirmed.initial, turn) {
            return;
        }
        if unconfirmed.initial {
            self.fact(turn, Fact::Confirmed);
        }
        self.bye_after_ack(turn);
    }

    /// False when the call cannot go on for want of an answer.
    fn take_answer_of_ack(&mut self, ack: &Message, initial: bool, turn: &mut Turn<'_, '_>) -> bool {
        let answer = if is_sdp(ack) { ack.body() } else { &[] };
        let answered = match self.sdp.awaits_fax() {
            true => self.sdp.receive_fax_answer(answer).map(|fax| Fact::FaxAccepted { fax }),
            false => self.sdp.receive_answer(answer).map(|audio| Fact::OfferAccepted { audio }),
        };
        match answered {
            Ok(fact) => self.fact(turn, fact),
            Err(_) if !initial => {
                self.sdp.withdraw();
                self.fact(turn, Fact::OfferRefused { status: 488 });
            }
            Err(_) => {
                let reason = "no usable answer in ACK".to_owned();
                self.over(turn, Fact::Failed { status: 488, reason, retry_after: None });
                self.say_bye(Some("SIP;cause=488;text=\"Not Acceptable Here\""), turn);
                return false;
            }
        }
        true
    }

    /// Our 2xx was never acknowledged.
    pub(super) fn ack_missing(&mut self, turn: &mut Turn<'_, '_>) {
        if self.unconfirmed.take().is_none() {
            return;
        }
        self.over(turn, Fact::AckMissing);
        match &self.phase {
            Phase::Confirmed => self.say_bye(Some("SIP;cause=408;text=\"No ACK\""), turn),
            _ => self.bye_after_ack(turn),
        }
    }

    /// Sends the ACK of a 2xx and remembers it.
    pub(super) fn acknowledge(
        &mut self,
        peer: &Peer,
        cseq: u32,
        body: Option<Vec<u8>>,
        turn: &mut Turn<'_, '_>,
    ) {
        let sent = self.acknowledgement(peer, cseq, body, turn);
        self.acked = Some(Acked { cseq, tag: peer.tag.clone(), sent, at: turn.now() });
    }

    /// Sends an ACK.
    pub(super) fn acknowledgement(
        &mut self,
        peer: &Peer,
        cseq: u32,
        body: Option<Vec<u8>>,
        turn: &mut Turn<'_, '_>,
    ) -> Acknowledgement {
        let mut message = self.dialog.request(&Method::ACK, cseq, peer);
        if let Some(body) = body {
            message = message.with_body(SDP, body);
        }
        let ack = Acknowledgement {
            branch: turn.branch(),
            destination: peer.destination.clone(),
            message: message.to_bytes().into(),
        };
        turn.out.push(ack.output());
        ack
    }

    /// A 2xx we acknowledged before: the ACK was lost. False when it is none.
    pub(super) fn acknowledge_again(&mut self, response: &Message, turn: &mut Turn<'_, '_>) -> bool {
        let cseq = response.cseq().ok().map(|(number, _)| number);
        let tag = response.to_tag();
        let acked =
            self.acked.as_ref().filter(|acked| Some(acked.cseq) == cseq && Some(acked.tag.as_str()) == tag);
        if let Some(acked) = acked {
            turn.out.push(acked.sent.output());
        }
        acked.is_some()
    }
}
