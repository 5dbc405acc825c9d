//! One SIP dialog of ours as plain data: the caller's or the callee's [`Leg`].
//!
//! A leg is told what arrived ([`Leg::receive`], [`Leg::failed`], [`Leg::timer`]) and what was decided
//! ([`Leg::ring`], [`Leg::answer`], ...); it gives back whole messages to send and facts. It has no clock,
//! no chance and no sockets: the same calls in the same order give the same bytes on every replica, and
//! [`Leg::resume`] gives what is still owed, byte for byte, to whoever takes over. Retransmission and the
//! ACK of failures belong to the transaction layer; the answer to CANCEL itself, too.
//!
//! ```text
//! incoming -> Received -- answer --> Confirmed -- BYE either way --> Closing -> Ended
//! outgoing -> Calling  -- 2xx ----->     |
//!    reject, CANCEL, 3xx-6xx ------------+---------------------------^
//! ```

mod asked;
mod calling;
mod cancel;
mod change;
mod close;
mod confirm;
mod dialog;
mod digits;
mod dispatch;
mod due;
mod fax;
mod hop;
mod incoming;
mod offered;
mod outgoing;
mod output;
mod prack;
mod provisional;
mod received;
mod replaces;
mod resume;
mod session_timer;
#[cfg(test)]
mod tests;
mod transfer;
mod turn;
mod verdict;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sdp::{self, Audio, Codec, Credentials, MediaAddress, Ours, Suite};
use crate::{Destination, Message, NameAddr, Seed, Source};

pub use crate::Local;
pub use cancel::TURNED_AWAY;
pub use incoming::Reject;
pub use outgoing::{Call, Target};
pub use output::{Fact, Failure, Outgoing, Output};
pub use replaces::Replaces;

use asked::Served;
use calling::{Calling, Invitation, Stray};
use change::Change;
use close::Closing;
use confirm::{Acked, Unconfirmed};
use dialog::{Dialog, Peer};
use received::Received;
use session_timer::SessionTimer;
use transfer::Transfer;
use turn::{Sent, Turn};

/// 64 * T1: how long a transaction may live (RFC 3261 17).
const TRANSACTION_MS: u64 = 32_000;

/// What a leg may know about the world at one call.
#[derive(Debug)]
pub struct Ctx<'a> {
    /// Milliseconds of the monotonic clock; never less than at the call before.
    pub now: u64,
    /// Gives tags and branches.
    pub seed: &'a mut Seed,
    /// How we name ourselves to the far end.
    pub local: &'a Local,
}

/// One dialog of ours. See the module for how it is driven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    dialog: Dialog,
    /// The far end of the dialog that counts; None until an outgoing INVITE is answered.
    peer: Option<Peer>,
    phase: Phase,
    sdp: sdp::Session,
    codecs: Arc<[Codec]>,
    /// The INVITE we sent, on an outgoing leg; kept to recognise late 2xx.
    invitation: Option<Invitation>,
    /// Sequence number of the INVITE that made an incoming leg.
    invited: Option<u32>,
    /// Requests in the air, besides INVITE of an outgoing leg.
    requests: Vec<Sent>,
    unconfirmed: Option<Unconfirmed>,
    acked: Option<Acked>,
    strays: Vec<Stray>,
    change: Change,
    timer: SessionTimer,
    transfer: Option<Transfer>,
    transfers: u32,
    served: Option<Served>,
    /// No more facts: we hung up, or the fact that ends the call was given.
    silent: bool,
    /// Our BYE did not reach a far end that may come back by another connection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unheard: bool,
}

/// Where the dialog is; what only one phase needs lives in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Phase {
    Received(Box<Received>),
    Calling(Box<Calling>),
    Confirmed,
    Closing(Box<Closing>),
    Ended,
}

/// The outside view of where a leg is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// An INVITE came in; nothing but 100 was answered.
    Received,
    /// Our INVITE is out; nothing but 100 came back.
    Calling,
    /// It rings, here or there.
    Early,
    /// A 2xx was sent or received.
    Confirmed,
    /// The call is over, but a message is still owed or awaited.
    Ending,
    /// Nothing is owed any more.
    Ended,
}

impl Leg {
    /// Where the leg is.
    pub fn state(&self) -> State {
        match &self.phase {
            Phase::Received(received) if received.rings() => State::Early,
            Phase::Received(_) => State::Received,
            Phase::Calling(calling) if calling.is_cancelled() => State::Ending,
            Phase::Calling(calling) if calling.rings() => State::Early,
            Phase::Calling(_) => State::Calling,
            Phase::Confirmed => State::Confirmed,
            Phase::Closing(_) => State::Ending,
            Phase::Ended => State::Ended,
        }
    }

    /// Whether nothing is owed or awaited: the leg may be dropped. Kept, it goes on answering stragglers.
    pub fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// The Call-ID.
    pub fn call_id(&self) -> &str {
        &self.dialog.call_id
    }

    /// Our tag.
    pub fn local_tag(&self) -> &str {
        &self.dialog.local_tag
    }

    /// The far end's tag; None until an outgoing INVITE is answered.
    pub fn remote_tag(&self) -> Option<&str> {
        self.peer.as_ref().map(|peer| peer.tag.as_str())
    }

    /// Who the far end is: its From, or the To we called; without tag.
    pub fn remote_identity(&self) -> &NameAddr {
        &self.dialog.remote
    }

    /// The audio agreed, or that was before a fax took its place; before that, what the far end offers or announces.
    pub fn audio(&self) -> Option<&Audio> {
        let early = || match &self.phase {
            Phase::Calling(calling) => calling.audio(),
            _ => None,
        };
        self.sdp.agreed().or_else(|| self.sdp.offered()).or_else(early)
    }

    /// Our media address in the present agreement: what the far end is known to have heard.
    pub fn told_address(&self) -> Option<MediaAddress> {
        self.sdp.local().map(|(address, _)| address)
    }

    /// The suite that a key of ours is needed for, while there is none. Nothing is answered or offered as SRTP before
    /// [`Leg::equip`].
    pub fn key_due(&self) -> Option<Suite> {
        self.sdp.key_due()
    }

    /// Takes our key for the suite that is due; any other changes nothing.
    pub fn equip(&mut self, ours: Ours) {
        self.sdp.equip(ours);
    }

    /// Our key, once there is one.
    pub fn ours(&self) -> Option<&Ours> {
        self.sdp.ours()
    }

    /// Whether the far end is a browser: its sound comes as RFC 8827 has it.
    pub fn is_with_browser(&self) -> bool {
        self.sdp.is_with_browser()
    }

    /// Our media node, as our next description to a browser has it. It goes with the address of the act that says it.
    pub fn introduce(&mut self, credentials: Arc<Credentials>) {
        self.sdp.introduce(credentials);
    }

    /// What a browser was told of our media node last.
    pub fn credentials(&self) -> Option<&Arc<Credentials>> {
        self.sdp.credentials()
    }

    /// Where the next request goes.
    pub fn destination(&self) -> Option<&Destination> {
        let called = || self.invitation.as_ref().map(|invitation| &invitation.destination);
        self.peer.as_ref().map(|peer| &peer.destination).or_else(called)
    }

    /// The far end's Contact; None until an outgoing INVITE is answered.
    pub fn remote_target(&self) -> Option<&str> {
        self.peer.as_ref().map(|peer| peer.target.as_str())
    }

    /// The far end's connection came back elsewhere (RFC 5626): the next requests go there.
    pub fn reached_at(&mut self, destination: Destination) {
        match (&mut self.peer, &mut self.invitation) {
            (Some(peer), _) => peer.destination = destination,
            (None, Some(invitation)) => invitation.destination = destination,
            (None, None) => {}
        }
    }

    /// The far end says, outside of the dialog, that it is reached by this connection now: as if a request of the dialog
    /// had come by it.
    pub fn reached_from(&mut self, source: &Source) {
        if let Some(peer) = &mut self.peer {
            peer.seen_at(source);
        }
    }

    /// Lengthens the session's life by the time nobody could take a refresh: after a change of leader.
    pub fn extend(&mut self, gap_ms: u64) {
        self.timer.extend(gap_ms);
    }

    /// Whether the message belongs to this leg: same dialog, any of its forks, or its INVITE.
    pub fn matches(&self, message: &Message) -> bool {
        if message.call_id() != Some(self.call_id()) {
            return false;
        }
        let (from, to) = (message.from_tag(), message.to_tag());
        if message.is_response() {
            return from == Some(self.local_tag());
        }
        match to {
            Some(to) => to == self.local_tag() && from.is_some_and(|tag| self.knows(tag)),
            None => {
                from == self.remote_tag() && message.cseq().ok().map(|(number, _)| number) == self.invited
            }
        }
    }

    fn knows(&self, tag: &str) -> bool {
        self.remote_tag() == Some(tag)
            || self.strays.iter().any(|stray| stray.peer.tag == tag)
            || matches!(&self.phase, Phase::Calling(calling) if calling.knows(tag))
    }

    /// Runs one step and whatever became possible by it.
    fn turn<'c>(
        &mut self,
        ctx: &mut Ctx<'c>,
        step: impl FnOnce(&mut Self, &mut Turn<'_, 'c>),
    ) -> Vec<Output> {
        let mut turn = Turn { ctx, out: Vec::new() };
        step(self, &mut turn);
        self.pump(&mut turn);
        self.settle();
        turn.out
    }

    fn fact(&self, turn: &mut Turn<'_, '_>, fact: Fact) {
        if !self.silent {
            turn.out.push(Output::Fact(fact));
        }
    }

    /// The fact that ends the call; none follows it.
    fn over(&mut self, turn: &mut Turn<'_, '_>, fact: Fact) {
        self.fact(turn, fact);
        self.silent = true;
    }
}
