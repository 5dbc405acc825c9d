//! Judges requests that belong to no transaction yet: refused without one, or passed with their owner.

use mangrove_sip::{Message, Method, Source, screen};

use super::{Signalling, admission::Overload, invites::Owner, reply};
use crate::{leg_address::LegAddress, metrics::OVERLOADED};

/// What becomes of a new request.
#[derive(Debug)]
pub(super) enum Verdict {
    Pass(Owner),
    Answer(Message),
    /// Silence, and why.
    Drop(&'static str),
}

impl Verdict {
    pub(super) fn answer(request: &Message, status: u16) -> Self {
        Self::Answer(Message::reply_to(request, status))
    }
}

impl Signalling {
    pub(super) fn gate(&self, request: &Message, source: &Source) -> Verdict {
        if !self.is_welcome(source) {
            return Verdict::Drop("rate");
        }
        let screened = screen::screen(request, &self.screen);
        if screened != screen::Verdict::Pass {
            return match reply::refusal(request, &screened) {
                Some(answer) => Verdict::Answer(answer),
                None => Verdict::Drop("malformed"),
            };
        }
        match request.method() {
            Method::OPTIONS if request.to_tag().is_none() => self.options(request),
            _ if request.to_tag().is_some() => self.in_dialog(request, source),
            Method::INVITE | Method::REGISTER => self.beginning(request, source),
            _ => Verdict::answer(request, 481),
        }
    }

    /// A health probe must learn of overload, or the carrier goes on sending calls here.
    fn options(&self, request: &Message) -> Verdict {
        if !self.routes.is_ready() {
            return overloaded(request, Overload::Unready);
        }
        match self.admission.overload(&*self.routes, &self.options.limits) {
            Some(overload) => overloaded(request, overload),
            None => Verdict::Answer(self.capabilities(request)),
        }
    }

    /// Whether there is such a leg is for control to say. Anybody can name one, so what waits for control is
    /// bounded for these too; hanging up is refused last.
    fn in_dialog(&self, request: &Message, source: &Source) -> Verdict {
        let Some(owner) = self.owner_in_dialog(request) else { return self.unknown(request, source, 481) };
        let group = owner.route.group;
        let full = if request.is(&Method::BYE) {
            self.events.is_overfull(group)
        } else {
            self.events.is_full(group)
        };
        if full { overloaded(request, Overload::Events) } else { Verdict::Pass(owner) }
    }

    /// Our Contact comes back as the Request-URI (RFC 3261 section 12.2.1.1); far ends that get that wrong still
    /// send our tag.
    pub(super) fn owner_in_dialog(&self, request: &Message) -> Option<Owner> {
        let uri = request.request_uri().ok();
        let user = uri.as_ref().and_then(|uri| uri.user());
        let by_uri = user.and_then(|user| LegAddress::of_user(&user));
        let address = by_uri.or_else(|| LegAddress::of_tag(request.to_tag()?))?;
        self.owner_of(address)
    }

    /// Nobody known has such a request. Before every tenant is known that is no answer: a datagram is left to come
    /// again, as without a leader; over a connection nothing comes again, so the sender is told to.
    pub(super) fn unknown(&self, request: &Message, source: &Source, status: u16) -> Verdict {
        match (self.routes.is_ready(), source.transport.is_reliable()) {
            (true, _) => Verdict::answer(request, status),
            (false, true) => overloaded(request, Overload::Unready),
            (false, false) => Verdict::Drop("unready"),
        }
    }

    pub(super) fn owner_of(&self, address: LegAddress) -> Option<Owner> {
        let route = self.routes.tenant(&address.tenant)?;
        Some(Owner { route, leg: address.leg, ingress: None })
    }

    fn beginning(&self, request: &Message, source: &Source) -> Verdict {
        if request.is(&Method::INVITE)
            && let Some(overload) = self.admission.overload(&*self.routes, &self.options.limits)
        {
            return overloaded(request, overload);
        }
        match self.identify(request, source) {
            Ok(owner) if self.events.is_full(owner.route.group) => overloaded(request, Overload::Events),
            Ok(owner) if request.is(&Method::INVITE) && self.is_unreached(owner.route.group) => {
                overloaded(request, Overload::Unreached)
            }
            Ok(owner) => Verdict::Pass(owner),
            Err(refused) => refused,
        }
    }
}

fn overloaded(request: &Message, overload: Overload) -> Verdict {
    Verdict::Answer(turned_away(request, overload))
}

/// The answer to something new that is not begun.
pub(super) fn turned_away(request: &Message, overload: Overload) -> Message {
    metrics::counter!(OVERLOADED, "reason" => overload.label()).increment(1);
    Message::reply_to(request, 503).with("Retry-After", overload.retry_after())
}
