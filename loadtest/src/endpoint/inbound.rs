//! What comes in: calls for us, messages within calls, answers, and the failure of what was sent.

use mangrove_sip::{
    Message, Method, Source,
    sdp::{Security, g711},
    transaction::Input,
    ua::{Ctx, Failure, Leg},
};

use super::{Book, Endpoint, Invite, Owner};

impl Endpoint {
    pub(super) fn request_in(&self, book: &mut Book, message: Message, source: &Source, now: u64) {
        if message.to_tag().is_some() {
            self.to_leg(book, &message, source, now);
        } else if message.method() == Method::INVITE {
            self.invited(book, message, source, now);
        } else {
            let status = if message.method() == Method::OPTIONS { 200 } else { 405 };
            self.respond(book, &message, source, status, now);
        }
    }

    fn invited(&self, book: &mut Book, message: Message, source: &Source, now: u64) {
        let (number, local) = self.seat(book);
        let mut ctx = Ctx { now, seed: &mut book.seed, local: &local };
        match Leg::incoming(&message, source, &g711(), Security::Off, &mut ctx) {
            Ok((leg, outputs)) => {
                let line = self.sit(book, number, leg, local, outputs, now);
                self.on_leg(book, number, now, |leg, ctx| leg.trying(ctx));
                // The receiver is gone only when the run ends.
                let _ = self.inner.invites.send(Invite { message, line });
            }
            Err(reject) => self.respond(book, &message, source, reject.status, now),
        }
    }

    pub(super) fn respond(&self, book: &mut Book, request: &Message, source: &Source, status: u16, now: u64) {
        let mut response = Message::reply_to(request, status);
        response.set_to_tag(&book.seed.token());
        let destination = request.response_destination(source);
        let bytes = response.to_bytes().into();
        self.drive(book, Input::Respond { destination, message: response, bytes, now }, now);
    }

    pub(super) fn to_leg(&self, book: &mut Book, message: &Message, source: &Source, now: u64) {
        let named =
            message.request_uri().ok().and_then(|uri| uri.user()?.strip_prefix('u')?.parse::<u64>().ok());
        let known =
            named.filter(|number| book.legs.get(number).is_some_and(|seat| seat.leg.matches(message)));
        let number =
            known.or_else(|| book.legs.iter().find(|(_, seat)| seat.leg.matches(message)).map(|(n, _)| *n));
        match number {
            Some(number) => self.on_leg(book, number, now, |leg, ctx| leg.receive(message, source, ctx)),
            None if message.method() == Method::ACK => {}
            None => self.respond(book, message, source, 481, now),
        }
    }

    pub(super) fn response_in(
        &self,
        book: &mut Book,
        branch: &str,
        message: Message,
        source: &Source,
        now: u64,
    ) {
        match book.branches.get(branch) {
            Some(Owner::Leg(number)) => {
                let number = *number;
                self.on_leg(book, number, now, |leg, ctx| leg.receive(&message, source, ctx));
            }
            Some(Owner::Waits(_)) if message.status().is_some_and(|status| status >= 200) => {
                if let Some(Owner::Waits(waits)) = book.branches.remove(branch) {
                    // Whoever asked may have given up.
                    let _ = waits.send(message);
                }
            }
            _ => {}
        }
    }

    pub(super) fn fail(&self, book: &mut Book, failure: Failure, now: u64) {
        let branch = match &failure {
            Failure::TimedOut { branch, .. } | Failure::TransportFailed { branch, .. } => branch.clone(),
            Failure::AckMissing | Failure::PrackMissing => return,
        };
        // A plain request's waiter learns it by the dropped sender.
        if let Some(Owner::Leg(number)) = book.branches.remove(&branch) {
            self.on_leg(book, number, now, |leg, ctx| leg.failed(failure, ctx));
        }
    }
}
