//! The phone in a person's page: its connection came with a ticket, and so what it begins needs no password. It may begin
//! nothing for anybody else, and in no other company; whether its person's login still stands, control says each time.

use std::net::IpAddr;

use mangrove_proto::{
    edge::{self, Ingress, ingress},
    service::Route,
};
use mangrove_sip::{
    Message, Method, Source,
    ticket::{self, Holder, Tickets},
};

use super::{Signalling, gate::Verdict, invites::Owner};
use crate::{flows::websocket::Refused, metrics::AUTH_FAILURES};

/// As what made-up tickets are counted, beside the passwords that the same address guesses.
const GUESSED: (&str, &str) = ("", "ticket");

impl Signalling {
    /// For whom the ticket speaks that somebody at this address shows. A good one is taken whatever else comes from there:
    /// nobody guesses one, and behind a proxy all pages have one address. Tickets that were never ours are counted as wrong
    /// passwords are; one that is merely old costs nothing, for honest pages come late.
    pub(crate) fn holder(&self, shown: &str, from: IpAddr) -> Result<Holder, Refused> {
        let tickets = Tickets::under(&self.routes.nonce_key()).ok_or(Refused::Unready)?;
        tickets.check(shown, self.clock.wall()).map_err(|why| {
            if why == ticket::Refused::Foreign && !self.may_err(from) {
                return Refused::Guesses;
            }
            metrics::counter!(AUTH_FAILURES).increment(1);
            tracing::info!(address = %from, %why, "a page was refused");
            Refused::Ticket
        })
    }

    /// Notes a ticket that was made up. False: there were too many of late.
    fn may_err(&self, from: IpAddr) -> bool {
        let ((realm, name), now) = (GUESSED, self.clock.now());
        let mut guesses = self.guesses.lock();
        let may = guesses.allow(from, realm, name, now);
        if may {
            guesses.note(from, realm, name, now);
        }
        may
    }

    /// Whose page is at the other end, if it came with a ticket.
    pub(super) fn page(&self, source: &Source) -> Option<Holder> {
        let flow = self.outlet.connections.flows.by_token(source.flow.as_deref()?)?;
        flow.holder().cloned()
    }

    /// The owner of what a page begins.
    pub(super) fn of_page(
        &self,
        request: &Message,
        source: &Source,
        holder: Holder,
    ) -> Result<Owner, Verdict> {
        let Some(route) = self.routes.tenant(&holder.tenant) else {
            return Err(self.unknown(request, source, 403));
        };
        if !is_within(request, &route) {
            return Err(Verdict::answer(request, 403));
        }
        let page = edge::Page { employee: holder.employee, epoch: holder.epoch };
        let ingress = Some(Ingress { from: Some(ingress::From::Page(page)) });
        Ok(Owner { route, leg: String::new(), ingress })
    }
}

/// Whether the address that is registered, or calls, is one of this company's.
fn is_within(request: &Message, route: &Route) -> bool {
    let acting = if request.is(&Method::REGISTER) { request.to() } else { request.from() };
    acting.is_ok_and(|address| address.uri.host.eq_ignore_ascii_case(&route.domain))
}
