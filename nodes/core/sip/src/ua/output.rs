//! What comes out of a leg: messages to send and facts, in order; and what the edge may report as failed.

use serde::{Deserialize, Serialize};

use crate::sdp::{Audio, Fax};
use crate::{Destination, Method, Rendered, Uri};

/// One result of a step. Sends are to be carried out in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Output {
    /// A message for the edge.
    Send(Outgoing),
    /// Something the rules should know.
    Fact(Fact),
}

/// A message as it leaves, byte for byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outgoing {
    /// A request without its top Via, which the edge adds with this branch. ACK makes no transaction.
    Request {
        /// Names the transaction; a CANCEL has that of its INVITE.
        branch: String,
        /// The method.
        method: Method,
        /// Where to.
        destination: Destination,
        /// From the request line on, without the top Via.
        message: Rendered,
    },
    /// A whole response.
    Response {
        /// Where to.
        destination: Destination,
        /// From the status line on.
        message: Rendered,
    },
}

/// What the edge could not do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Failure {
    /// No final response in time (timer B or F).
    TimedOut {
        /// The request's branch.
        branch: String,
        /// Its method: a CANCEL shares its branch with the INVITE.
        method: Method,
    },
    /// The request could not be sent.
    TransportFailed {
        /// The request's branch.
        branch: String,
        /// Its method.
        method: Method,
    },
    /// A 2xx of ours was never acknowledged (RFC 3261 13.3.1.4).
    AckMissing,
    /// A reliable provisional response of ours was never acknowledged (RFC 3262 3).
    PrackMissing,
}

/// What happened, for the rules. After `Cancelled`, `HungUp`, `Failed`, `Moved`, `AckMissing`,
/// `SessionExpired` and `Vanished` no fact follows: the call is over on this leg.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Fact {
    /// A provisional response above 100; `audio` when it carries early media.
    Ringing {
        /// 101 to 199.
        status: u16,
        /// Where early media is exchanged.
        audio: Option<Audio>,
    },
    /// The far end answered our INVITE.
    Answered {
        /// What was agreed; None when our INVITE had no offer and the far end's waits for `accept_offer`.
        audio: Option<Audio>,
    },
    /// The INVITE is acknowledged: by the far end, or by us.
    Confirmed,
    /// The far end offers media: with its INVITE (answered by `ring` or `answer`), or later (answered by
    /// `accept_offer` or `refuse_offer`).
    OfferReceived {
        /// What it offers.
        audio: Audio,
    },
    /// The session is now this: our offer was accepted, or the leg answered one that needed no decision.
    OfferAccepted {
        /// What is agreed.
        audio: Audio,
    },
    /// Our offer was refused or not answered; the former agreement goes on.
    OfferRefused {
        /// The far end's status; 408 for no answer, 503 when it could not be reached.
        status: u16,
    },
    /// The far end offers T.38 in place of audio: answered by `accept_fax` or `refuse_offer`.
    FaxOffered {
        /// What it offers.
        fax: Fax,
    },
    /// T.38 has taken the place of audio: our offer of it was accepted, at first or again.
    FaxAccepted {
        /// What is agreed.
        fax: Fax,
    },
    /// Our offer of T.38 was refused or not answered; the former agreement goes on.
    FaxRefused {
        /// As that of `OfferRefused`.
        status: u16,
    },
    /// The caller gave up before the answer; the INVITE is already answered with 487.
    Cancelled {
        /// The Reason header, when the call was completed elsewhere.
        reason: Option<String>,
    },
    /// The far end hung up.
    HungUp {
        /// Its Reason header.
        reason: Option<String>,
    },
    /// Our INVITE failed, or the incoming one could not be completed.
    Failed {
        /// 400 to 699; 408 for no answer at all, 503 when it could not be sent.
        status: u16,
        /// The reason phrase.
        reason: String,
        /// Seconds, as the far end asks.
        retry_after: Option<u32>,
    },
    /// Our INVITE was redirected (3xx).
    Moved {
        /// Where to, best first.
        contacts: Vec<Uri>,
    },
    /// The far end wants its counterpart to call somebody else (RFC 3515): `accept_refer` or `refuse_refer`.
    TransferAsked {
        /// Whom to call.
        target: Uri,
        /// The dialog to take the place of, in an attended transfer: the value of a Replaces header (RFC 3891).
        replaces: Option<String>,
    },
    /// A digit by INFO.
    Digit {
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        digit: char,
        /// How long it was pressed.
        duration_ms: u32,
    },
    /// Our 2xx, or a reliable 1xx, was never acknowledged; the leg sends BYE, or 504, itself.
    AckMissing,
    /// No refresh in time (RFC 4028 10); the leg sends BYE itself.
    SessionExpired,
    /// The far end knows the dialog no more (481).
    Vanished,
}
