//! An INVITE that comes in: checked as far as the dialog goes, and made a leg. What an element refuses
//! without state is refused before this.

use super::asked::Asked;
use super::change::Change;
use super::dialog::{Dialog, Peer, contact_of};
use super::received::Received;
use super::session_timer::{SessionTimer, Terms, TooShort};
use super::turn::{SDP, Turn};
use super::{Ctx, Fact, Leg, Output, Phase};
use crate::sdp::{self, Codec, Security};
use crate::{Message, Method, NameAddr, Replacing, Source, Uri};

/// The INVITE makes no leg: answer it so. ACK and retransmissions are the transaction layer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// 400 to 488.
    pub status: u16,
    /// Headers that explain it.
    pub headers: Vec<(String, String)>,
}

impl Reject {
    fn new(status: u16) -> Self {
        Self { status, headers: Vec::new() }
    }

    fn with(status: u16, name: &str, value: impl Into<String>) -> Self {
        Self { status, headers: vec![(name.to_owned(), value.into())] }
    }

    /// The whole answer.
    pub fn response(&self, invite: &Message, source: &Source, ctx: &mut Ctx<'_>) -> Output {
        let mut response = Message::reply_to(invite, self.status);
        response.set_to_tag(&ctx.seed.token());
        for (name, value) in &self.headers {
            response.push(name, value);
        }
        response.push("Server", &ctx.local.user_agent);
        let destination = invite.response_destination(source);
        Output::Send(super::Outgoing::Response { destination, message: response.to_bytes().into() })
    }
}

/// What a usable INVITE says.
struct Invite {
    call_id: String,
    tag: String,
    contact: Uri,
    from: NameAddr,
    to: NameAddr,
    terms: Terms,
}

impl Leg {
    /// A leg of an INVITE that begins a dialog. It sends nothing by itself: see [`Leg::trying`]. The outputs
    /// hold `OfferReceived` when the INVITE carries an offer; [`Leg::ring`] and [`Leg::answer`] answer it.
    /// `codecs` are what this dialog takes and offers for its whole life, `security` whether as SRTP; see
    /// [`Leg::key_due`].
    ///
    /// # Errors
    /// The answer to give when no dialog can come of it: 400, 415, 420, 422, 481, 488.
    pub fn incoming(
        invite: &Message,
        source: &Source,
        codecs: &[Codec],
        security: Security,
        ctx: &mut Ctx<'_>,
    ) -> Result<(Leg, Vec<Output>), Reject> {
        let said = Invite::read(invite, ctx.local.replaces)?;
        let mut sdp = sdp::Session::new(ctx.seed.below(1 << 31)).secured(security, None);
        let audio = read_offer(&mut sdp, invite, codecs)?;
        let local_tag = format!("{}-{}", ctx.local.contact_user, ctx.seed.token());
        let asked = Asked::of(invite, source, &local_tag).ok_or_else(|| Reject::new(400))?;
        let peer = Peer::of_request(invite, source, &said.tag, &said.contact);
        let dialog = Dialog {
            call_id: said.call_id.into(),
            local: said.to.into(),
            local_tag: local_tag.into(),
            remote: said.from.into(),
            cseq: 0,
            ours: false,
        };
        let invited = Some(asked.cseq);
        let first_rseq = 1 + u32::try_from(ctx.seed.below(1 << 20)).unwrap_or(0);
        let received = Received::new(asked, invite, audio.is_some(), first_rseq, said.terms);
        let leg = Leg {
            dialog,
            peer: Some(peer),
            phase: Phase::Received(Box::new(received)),
            sdp,
            codecs: codecs.into(),
            invitation: None,
            invited,
            requests: Vec::new(),
            unconfirmed: None,
            acked: None,
            strays: Vec::new(),
            change: Change::default(),
            timer: SessionTimer::new(),
            transfer: None,
            transfers: 0,
            served: None,
            silent: false,
            unheard: false,
        };
        let facts = audio.map(|audio| Output::Fact(Fact::OfferReceived { audio }));
        Ok((leg, facts.into_iter().collect()))
    }

    /// The INVITE again, without its transaction: an edge was lost. Says again what was said last.
    pub(super) fn invited_again(&mut self, invite: &Message, source: &Source, turn: &mut Turn<'_, '_>) {
        let Some(again) = Asked::of(invite, source, &self.dialog.local_tag) else { return };
        let (first, message) = match (&self.phase, &self.unconfirmed) {
            (Phase::Received(received), _) => (&received.asked, received.last.clone()),
            (Phase::Closing(closing), _) if closing.rejected.is_some() => {
                let Some(rejected) = &closing.rejected else { return };
                (&rejected.asked, Some(rejected.message.clone()))
            }
            (_, Some(unconfirmed)) => (&unconfirmed.asked, Some(unconfirmed.message.clone())),
            _ => return,
        };
        if !first.is_repeated_by(&again) {
            let merged = again.response(482);
            turn.respond(&again, merged);
        } else if let Some(message) = message {
            turn.repeat(&again.destination, &message);
        }
    }
}

impl Invite {
    fn read(invite: &Message, replaces: Replacing) -> Result<Self, Reject> {
        if !invite.is(&Method::INVITE) || invite.to_tag().is_some() {
            return Err(Reject::new(481));
        }
        let knows_replaces = replaces != Replacing::Unknown;
        let is_known =
            |tag: &str| ["100rel", "timer"].contains(&tag) || (knows_replaces && tag == "replaces");
        if let Some(unknown) = invite.headers("Require").find(|tag| !is_known(tag)) {
            return Err(Reject::with(420, "Unsupported", unknown));
        }
        let contact = contact_of(invite).filter(|uri| uri.is_sip() || uri.is_sips());
        let bad = || Reject::new(400);
        let terms = Terms::of(invite).map_err(|TooShort| {
            let (name, value) = TooShort::headers();
            Reject::with(422, name, value)
        })?;
        Ok(Self {
            call_id: invite.call_id().ok_or_else(bad)?.to_owned(),
            tag: invite.from_tag().ok_or_else(bad)?.to_owned(),
            contact: contact.ok_or_else(bad)?,
            from: bare(invite.from().map_err(|_| bad())?),
            to: bare(invite.to().map_err(|_| bad())?),
            terms,
        })
    }
}

fn bare(mut address: NameAddr) -> NameAddr {
    address.params = crate::Params::default();
    address
}

fn read_offer(
    sdp: &mut sdp::Session,
    invite: &Message,
    codecs: &[Codec],
) -> Result<Option<sdp::Audio>, Reject> {
    match body_of(invite) {
        Body::Nothing => Ok(None),
        Body::Strange => Err(Reject::with(415, "Accept", SDP)),
        Body::Description(text) => {
            sdp.receive_offer(text, codecs).map(Some).map_err(|error| Reject::new(error.status()))
        }
    }
}

/// What a request's body is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body<'a> {
    /// None, or one that may be passed over (RFC 3261 section 20.11).
    Nothing,
    Description(&'a [u8]),
    /// Neither understood nor optional.
    Strange,
}

/// Looks at the body of a request that may carry an offer.
pub(super) fn body_of(request: &Message) -> Body<'_> {
    let handling = request.param_of("Content-Disposition", "handling");
    let optional = handling.is_some_and(|handling| handling.eq_ignore_ascii_case("optional"));
    match request.body() {
        [] => Body::Nothing,
        text if is_sdp(request) => Body::Description(text),
        _ if optional => Body::Nothing,
        _ => Body::Strange,
    }
}

/// Whether the body is a session description.
pub(super) fn is_sdp(message: &Message) -> bool {
    message.content_type().is_some_and(|kind| kind.eq_ignore_ascii_case(SDP))
}
