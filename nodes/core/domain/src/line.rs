//! The SIP side of a party: with `line/`, the only place that speaks to `mangrove_sip::ua`. It translates what a
//! dialog says into [`Fact`]s that the rules know, and what it sends into effects.

mod act;
mod effects;
mod fax;
mod take;

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use mangrove_sip::{
    Destination, Message, NameAddr, Source, Transport, Uri,
    sdp::{Audio, Codec, Direction, Fax, Ours, Security, Suite},
    ua::{self, Ctx, Leg, Output, Replaces},
};
use serde::{Deserialize, Serialize};

pub(crate) use act::{
    accept_offer, accept_refer, answer, hang_up, hang_up_again, notify_refer, reached, reached_from,
    refuse_offer, refuse_refer, reject, remind, reoffer, ring, start, trying,
};
pub(crate) use effects::{answer_stranger, local, local_at, refuse, resume, send_all, send_apart, turn_down};
pub(crate) use fax::{accept_fax, offer_audio, offer_fax, offer_g711, withhold_fax};
pub(crate) use take::{failed, receive, timer, unreachable};

use crate::cause::Cause;

/// Our name in SIP messages.
pub(crate) const USER_AGENT: &str = concat!("mangrove/", env!("CARGO_PKG_VERSION"));

/// A dialog of ours, or the plan of one that waits for its media address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The edge that carries it.
    pub(crate) edge: String,
    pub(crate) transport: Transport,
    from: IpAddr,
    wire: Wire,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Wire {
    Planned(Box<Dial>),
    Open(Box<Leg>),
}

/// Whom to invite, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dial {
    pub(crate) uri: Uri,
    /// Route values, topmost first.
    pub(crate) route: Vec<String>,
    pub(crate) destination: Destination,
    /// Whom the far end sees as its caller.
    pub(crate) from: NameAddr,
    /// Who is called.
    pub(crate) to: NameAddr,
    /// Whether as SRTP.
    #[serde(default, skip_serializing_if = "Security::is_off")]
    pub(crate) security: Security,
    /// Our key, once a media node has made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ours: Option<Ours>,
    /// Whether the far end is a browser, whose sound comes as RFC 8827 has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) browser: bool,
}

/// What a dialog tells the rules.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fact {
    /// It rings; with sound of its own or not.
    Ringing { early: bool },
    /// The called party answered.
    Answered,
    /// The far end offers to change the session; it waits for [`accept_offer`].
    OfferReceived,
    /// The session is another one: the far end has answered our offer.
    SessionChanged,
    /// The far end offers T.38 in audio's place; it waits for [`accept_fax`] or [`refuse_offer`].
    FaxOffered,
    /// The far end has answered our offer of T.38 with its own.
    FaxAccepted,
    /// The far end has refused it with this status, or has not answered.
    FaxRefused(u16),
    /// The far end left, refused or vanished.
    Left(Cause),
    /// The far end wants its counterpart to talk to somebody else, who is in the dialog named by `replaces` already.
    TransferAsked { target: Uri, replaces: Option<String> },
    /// A digit came by INFO. Which one is nobody's business yet, and may be part of a PIN.
    Digit,
}

impl Line {
    /// A dialog that the far end begins, and what it may agree on: codecs, and whether SRTP. Nothing is said yet.
    pub(crate) fn incoming(
        invite: &Message,
        source: &Source,
        edge: &str,
        (codecs, security): (&[Codec], Security),
        ctx: &mut Ctx<'_>,
    ) -> Result<(Self, Vec<Output>), ua::Reject> {
        let (leg, outputs) = Leg::incoming(invite, source, codecs, security, ctx)?;
        let wire = Wire::Open(Box::new(leg));
        Ok((Self { edge: edge.into(), transport: source.transport, from: source.remote.ip(), wire }, outputs))
    }

    /// A dialog that we shall begin once its media address is known.
    pub(crate) fn planned(dial: Dial, edge: &str) -> Self {
        let Destination { transport, address, .. } = dial.destination;
        Self { edge: edge.into(), transport, from: address.ip(), wire: Wire::Planned(Box::new(dial)) }
    }

    /// Whether it goes over a WebSocket of its edge's: with the edge its far end is gone.
    pub(crate) fn is_over_websocket(&self) -> bool {
        self.transport.is_websocket()
    }

    /// Whether this connection is the only way to the far end.
    pub(crate) fn hangs_on(&self, flow: &str) -> bool {
        let way = self.leg().and_then(Leg::destination);
        way.is_some_and(|way| way.transport.is_websocket() && way.flow.as_deref() == Some(flow))
    }

    /// Whether the far end gives itself this address, and is reached by another connection than this one.
    pub(crate) fn is_elsewhere(&self, contact: &Uri, way: &Destination) -> bool {
        let Some(leg) = self.leg() else { return false };
        let is_theirs = || {
            let target = leg.remote_target().and_then(|target| Uri::parse(target).ok());
            target.is_some_and(|target| target.equivalent(contact))
        };
        let before = leg.destination().filter(|before| before.transport.is_reliable());
        before.is_some_and(|before| before.flow != way.flow) && is_theirs()
    }

    /// Whether these are the names of the dialog.
    pub(crate) fn is_named_by(&self, names: &Replaces) -> bool {
        self.leg().is_some_and(|leg| leg.is_named_by(names))
    }

    /// The host that signals is the one which the dialog is reached at.
    pub(crate) fn follow_way(&mut self) {
        if let Some(way) = self.leg().and_then(Leg::destination) {
            (self.transport, self.from) = (way.transport, way.address.ip());
        }
    }

    /// What the far end said about its audio, before a fax took its place where one has.
    pub fn audio(&self) -> Option<&Audio> {
        self.leg().and_then(Leg::audio)
    }

    /// The fax that has taken audio's place.
    pub fn fax(&self) -> Option<&Fax> {
        self.leg().and_then(Leg::fax)
    }

    /// What the far end offers in audio's place and waits for.
    pub(crate) fn offered_fax(&self) -> Option<&Fax> {
        self.leg().and_then(Leg::offered_fax)
    }

    /// What we have said of the fax that is agreed on.
    pub(crate) fn said_of_fax(&self) -> Option<&[String]> {
        self.leg().and_then(Leg::said_of_fax)
    }

    /// Whether T.38 may be offered to the far end.
    pub(crate) fn takes_fax(&self) -> bool {
        self.leg().is_some_and(Leg::takes_fax)
    }

    /// Where the far end wants what we send, of whichever kind, and who sends.
    pub(crate) fn stream(&self) -> Option<(SocketAddr, Direction)> {
        let fax = self.fax().map(|fax| (fax.remote, fax.direction));
        fax.or_else(|| self.audio().map(|audio| (audio.remote, audio.direction)))
    }

    /// The suite of SRTP that a key of ours is needed for, while there is none: it can't be begun or answered before.
    pub(crate) fn key_due(&self) -> Option<Suite> {
        match &self.wire {
            Wire::Planned(dial) => {
                let is_due = dial.security.offers() && dial.ours.is_none() && !dial.browser;
                is_due.then_some(Suite::OFFERED)
            }
            Wire::Open(leg) => leg.key_due(),
        }
    }

    /// Takes our key for the suite that is due. One of another length, or a second one, changes nothing.
    pub(crate) fn equip(&mut self, key: Bytes) {
        let Some(ours) = self.key_due().and_then(|suite| Ours::new(suite, key)) else { return };
        match &mut self.wire {
            Wire::Planned(dial) => dial.ours = Some(ours),
            Wire::Open(leg) => leg.equip(ours),
        }
    }

    /// Our key, once there is one.
    pub(crate) fn ours(&self) -> Option<&Ours> {
        match &self.wire {
            Wire::Planned(dial) => dial.ours.as_ref(),
            Wire::Open(leg) => leg.ours(),
        }
    }

    /// Whether the far end is a browser.
    pub(crate) fn is_with_browser(&self) -> bool {
        match &self.wire {
            Wire::Planned(dial) => dial.browser,
            Wire::Open(leg) => leg.is_with_browser(),
        }
    }

    /// The host that signals for the far end.
    pub(crate) fn signalled_from(&self) -> IpAddr {
        self.from
    }

    pub(crate) fn is_planned(&self) -> bool {
        matches!(self.wire, Wire::Planned(_))
    }

    /// Whether nothing is owed to the far end any more.
    pub fn is_done(&self) -> bool {
        self.leg().is_none_or(Leg::is_ended)
    }

    /// Whether the dialog has ended and its far end may not know.
    pub(crate) fn is_unheard(&self) -> bool {
        self.leg().is_some_and(Leg::is_unheard)
    }

    /// Whether the far end is still to be offered something, or to answer it.
    pub(crate) fn is_offering(&self) -> bool {
        self.leg().is_some_and(Leg::is_offering)
    }

    /// The dialog's own next timer.
    pub(crate) fn due(&self) -> Option<u64> {
        self.leg().and_then(Leg::next_due)
    }

    /// Lets the session live longer without a refresh.
    pub(crate) fn extend(&mut self, by_ms: u64) {
        if let Some(leg) = self.leg_mut() {
            leg.extend(by_ms);
        }
    }

    fn leg(&self) -> Option<&Leg> {
        match &self.wire {
            Wire::Planned(_) => None,
            Wire::Open(leg) => Some(leg),
        }
    }

    fn leg_mut(&mut self) -> Option<&mut Leg> {
        match &mut self.wire {
            Wire::Planned(_) => None,
            Wire::Open(leg) => Some(leg),
        }
    }
}
