//! An INVITE of ours: how it is made, cancelled, and what its final answers mean.

use std::sync::Arc;

use super::calling::{Invitation, MAX_FORKS, Stray};
use super::change::Change;
use super::dialog::{Dialog, Peer};
use super::incoming::is_sdp;
use super::session_timer::SessionTimer;
use super::turn::{ALLOW, SDP, Turn};
use super::{Ctx, Fact, Leg, Output, Phase};
use crate::sdp::{self, Codec, Credentials, Direction, MediaAddress, Ours, Security};
use crate::{Destination, Message, Method, NameAddr, Rendered, Source, Uri};

/// Whom to call, on which way.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The Request-URI: a binding's Contact, or the number at a trunk.
    pub uri: Uri,
    /// Route values, in order: a binding's Path.
    pub route: Vec<String>,
    /// Where the INVITE goes.
    pub destination: Destination,
}

/// Everything an INVITE needs to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Whom to call.
    pub target: Target,
    /// Who calls, without tag.
    pub from: NameAddr,
    /// Who is called, without tag.
    pub to: NameAddr,
    /// Where we receive audio; None makes an INVITE without offer.
    pub offer: Option<MediaAddress>,
    /// What this dialog offers and takes for its whole life, preferred first.
    pub codecs: Vec<Codec>,
    /// Whether as SRTP.
    pub security: Security,
    /// Our key, where the offer is to have one.
    pub ours: Option<Ours>,
    /// What a browser is told of our media node; none where the far end is no browser.
    pub webrtc: Option<Arc<Credentials>>,
    /// Further headers, as P-Asserted-Identity or Diversion.
    pub headers: Vec<(String, String)>,
}

impl Leg {
    /// A leg that calls; the outputs hold its INVITE.
    pub fn outgoing(call: Call, ctx: &mut Ctx<'_>) -> (Leg, Vec<Output>) {
        let mut sdp = sdp::Session::new(ctx.seed.below(1 << 31)).secured(call.security, call.ours);
        if let Some(credentials) = call.webrtc {
            sdp.introduce(credentials);
        }
        if let Some(local) = call.offer {
            sdp.offer(local, &call.codecs, Direction::SendRecv);
        }
        let dialog = Dialog {
            call_id: format!("{}@{}", ctx.seed.token(), ctx.local.domain).into(),
            local: call.from.into(),
            local_tag: format!("{}-{}", ctx.local.contact_user, ctx.seed.token()).into(),
            remote: call.to.into(),
            cseq: 0,
            ours: true,
        };
        let invitation = Invitation {
            branch: String::new(),
            cseq: 0,
            uri: call.target.uri,
            route: call.target.route,
            destination: call.target.destination,
            headers: call.headers,
            offered: call.offer.is_some(),
            message: Rendered::default(),
            ack_due: false,
        };
        let mut leg = Leg {
            dialog,
            peer: None,
            phase: Phase::Calling(Box::default()),
            sdp,
            codecs: call.codecs.into(),
            invitation: Some(invitation),
            invited: None,
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
        let out = leg.turn(ctx, Leg::invite);
        (leg, out)
    }

    /// Sends the INVITE: the first, or the next after a 422.
    fn invite(&mut self, turn: &mut Turn<'_, '_>) {
        let cseq = self.dialog.next_cseq();
        let Some(invitation) = &mut self.invitation else { return };
        let mut message = Message::request(Method::INVITE, &invitation.uri);
        for route in &invitation.route {
            message.push("Route", route);
        }
        let message = self.dialog.headers(message, &Method::INVITE, cseq, &self.dialog.remote);
        let reliable = if invitation.offered { "100rel, " } else { "" };
        let supported = format!("{reliable}{}", turn.supported());
        let message = message
            .with("Contact", turn.contact(invitation.destination.transport))
            .with("Allow", ALLOW)
            .with("Supported", supported)
            .with("User-Agent", &turn.ctx.local.user_agent);
        let mut message = self.timer.ask(message);
        for (name, value) in &invitation.headers {
            message.push(name, value);
        }
        if let Some(offer) = self.sdp.sent().filter(|_| invitation.offered) {
            message = message.with_body(SDP, offer.to_vec());
        }
        invitation.branch = turn.branch();
        invitation.cseq = cseq;
        invitation.message = message.to_bytes().into();
        turn.out.push(invitation.output());
    }

    /// A response to our INVITE, in whatever phase the leg is by now.
    pub(super) fn invite_answered(&mut self, response: &Message, source: &Source, turn: &mut Turn<'_, '_>) {
        let status = response.status().unwrap_or(0);
        match (&self.phase, status) {
            (Phase::Calling(_), 100..200) => self.progressed(response, source, turn),
            (Phase::Calling(_), 200..300) => self.accepted(response, source, turn),
            (Phase::Calling(_), 300..700) => self.declined(response, turn),
            (_, 200..300) => self.answered_again(response, source, turn),
            _ => {}
        }
    }

    fn accepted(&mut self, response: &Message, source: &Source, turn: &mut Turn<'_, '_>) {
        let Some((tag, mut peer)) = self.answering_peer(response, source) else { return };
        let Phase::Calling(calling) = &mut self.phase else { return };
        let cancel = calling.cancel.take();
        let fork = calling.fork(&tag).map(|fork| (fork.settled, fork.session.take(), fork.peer.cseq));
        let (settled, session, cseq) = fork.unwrap_or_default();
        peer.cseq = cseq;
        self.peer = Some(peer);
        if let Some(invitation) = &mut self.invitation {
            invitation.message = Rendered::default();
        }
        self.phase = Phase::Confirmed;
        self.timer.agreed(response, turn.now());
        if let Some(cancel) = cancel {
            self.confirm_call(None, turn);
            return self.say_bye(cancel.reason.as_deref(), turn);
        }
        if self.invitation.as_ref().is_some_and(|invitation| !invitation.offered) {
            return self.offered_by_answer(response, turn);
        }
        match self.take_first_answer(response, settled, session) {
            Ok(()) => {
                let audio = self.sdp.agreed().cloned();
                self.fact(turn, Fact::Answered { audio });
                self.confirm_call(None, turn);
            }
            Err(status) => self.leave_unagreed(status, turn),
        }
    }

    /// The answer to our offer: from the 2xx, or from the provisional response before it.
    fn take_first_answer(
        &mut self,
        response: &Message,
        settled: bool,
        session: Option<sdp::Session>,
    ) -> Result<(), u16> {
        let described = is_sdp(response) && !response.body().is_empty() && !settled;
        if described {
            return self.sdp.receive_answer(response.body()).map(drop).map_err(|error| error.status());
        }
        let session = session.filter(|session| session.agreed().is_some()).ok_or(488_u16)?;
        self.sdp = session;
        Ok(())
    }

    /// The INVITE had no offer: the 2xx makes one, which the rules accept.
    fn offered_by_answer(&mut self, response: &Message, turn: &mut Turn<'_, '_>) {
        match self.sdp.receive_offer(response.body(), &self.codecs) {
            Ok(audio) => {
                if let Some(invitation) = &mut self.invitation {
                    invitation.ack_due = true;
                }
                self.fact(turn, Fact::OfferReceived { audio });
                self.fact(turn, Fact::Answered { audio: None });
            }
            Err(error) => self.leave_unagreed(error.status(), turn),
        }
    }

    /// Answered, but without media we could agree on: acknowledged and hung up (RFC 3261 13.2.2.4).
    fn leave_unagreed(&mut self, status: u16, turn: &mut Turn<'_, '_>) {
        let reason = "answer is not usable".to_owned();
        self.over(turn, Fact::Failed { status, reason, retry_after: None });
        self.acknowledge_call(None, turn);
        self.say_bye(Some("SIP;cause=488;text=\"Not Acceptable Here\""), turn);
    }

    /// ACK of the first 2xx, with the fact that says so.
    pub(super) fn confirm_call(&mut self, body: Option<Vec<u8>>, turn: &mut Turn<'_, '_>) {
        self.acknowledge_call(body, turn);
        self.fact(turn, Fact::Confirmed);
    }

    pub(super) fn acknowledge_call(&mut self, body: Option<Vec<u8>>, turn: &mut Turn<'_, '_>) {
        let (Some(invitation), Some(peer)) = (&mut self.invitation, self.peer.clone()) else { return };
        invitation.ack_due = false;
        let cseq = invitation.cseq;
        self.acknowledge(&peer, cseq, body, turn);
    }

    /// Who sent this response to our INVITE. None without a tag: such a response makes no dialog.
    pub(super) fn answering_peer(&self, response: &Message, source: &Source) -> Option<(String, Peer)> {
        let invitation = self.invitation.as_ref()?;
        let tag = response.to_tag()?.to_owned();
        let peer = Peer::of_response(response, source, &tag, &invitation.uri, &invitation.destination);
        Some((tag, peer))
    }

    fn declined(&mut self, response: &Message, turn: &mut Turn<'_, '_>) {
        let status = response.status().unwrap_or(500);
        let cancelled = matches!(&self.phase, Phase::Calling(calling) if calling.is_cancelled());
        if status == 422 && !cancelled && self.timer.raise(response) {
            self.phase = Phase::Calling(Box::default());
            return self.invite(turn);
        }
        self.phase = Phase::Ended;
        if (300..400).contains(&status) {
            let contacts = redirected(response);
            return self.over(turn, Fact::Moved { contacts });
        }
        let retry_after = response.u32_of("Retry-After");
        self.over(turn, Fact::Failed { status, reason: response.reason().to_owned(), retry_after });
    }

    /// A further 2xx: the first one again, or another fork's, which gets ACK and BYE (RFC 3261 13.2.2.4).
    fn answered_again(&mut self, response: &Message, source: &Source, turn: &mut Turn<'_, '_>) {
        let Some((tag, peer)) = self.answering_peer(response, source) else { return };
        if let Some(stray) = self.strays.iter().find(|stray| stray.peer.tag == tag) {
            turn.out.push(stray.ack.output());
            return;
        }
        if self.remote_tag() == Some(tag.as_str()) {
            self.acknowledge_again(response, turn);
            return;
        }
        let Ok((cseq, _)) = response.cseq() else { return };
        if self.strays.len() >= MAX_FORKS {
            return;
        }
        let ack = self.acknowledgement(&peer, cseq, None, turn);
        self.bye(&peer, Some("SIP;cause=200;text=\"Call completed elsewhere\""), turn);
        self.strays.push(Stray { peer, ack });
    }
}

/// The contacts of a redirection by their q, best first.
fn redirected(response: &Message) -> Vec<Uri> {
    let mut contacts: Vec<NameAddr> = response.contacts().filter_map(Result::ok).collect();
    contacts.sort_by_key(|contact| std::cmp::Reverse(thousandths(contact.params.get("q"))));
    contacts.into_iter().map(|contact| contact.uri).collect()
}

fn thousandths(q: Option<&str>) -> u32 {
    let Some((whole, part)) = q.map(|q| q.split_once('.').unwrap_or((q, ""))) else { return 1000 };
    let part: String = part.chars().chain("000".chars()).take(3).collect();
    whole.parse::<u32>().unwrap_or(0).min(1) * 1000 + part.parse::<u32>().unwrap_or(0)
}
