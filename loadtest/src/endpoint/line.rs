//! What a phone does about its call.

use std::net::SocketAddr;

use mangrove_sip::{
    sdp::{Audio, Direction, MediaAddress},
    ua::{self, Ctx, Fact, Leg},
};
use tokio::sync::mpsc;

use super::Endpoint;

/// One call of ours: what happens to it, and what we do about it. Dropping it hangs up.
#[derive(Debug)]
pub(crate) struct Line {
    pub(super) endpoint: Endpoint,
    pub(super) number: u64,
    pub facts: mpsc::UnboundedReceiver<Fact>,
}

impl Line {
    /// The address in our Contact.
    pub(crate) fn local(&self) -> SocketAddr {
        self.endpoint.local()
    }

    /// 180.
    pub(crate) fn ring(&self) {
        self.act(|leg, ctx| leg.ring(None, ctx));
    }

    /// 200 with our sound's address.
    pub(crate) fn answer(&self, media: MediaAddress) {
        self.act(|leg, ctx| leg.answer(media, ctx));
    }

    /// A final refusal.
    pub(crate) fn reject(&self, status: u16) {
        self.act(|leg, ctx| leg.reject(status, None, None, ctx));
    }

    /// CANCEL or BYE, whichever the state asks for.
    pub(crate) fn hang_up(&self) {
        self.act(|leg, ctx| leg.hang_up(None, ctx));
    }

    /// Takes what the far end offers in the call (hold, resume, another address).
    pub(crate) fn accept_offer(&self, media: MediaAddress) {
        self.act(|leg, ctx| {
            let direction = leg.audio().map_or(Direction::SendRecv, |audio| audio.direction);
            leg.accept_offer(media, direction, ctx)
        });
    }

    /// What both sides agreed on, or else what the far end offers.
    pub(crate) fn audio(&self) -> Option<Audio> {
        self.endpoint.inner.book.lock().legs.get(&self.number)?.leg.audio().cloned()
    }

    fn act(&self, work: impl FnOnce(&mut Leg, &mut Ctx<'_>) -> Vec<ua::Output>) {
        self.endpoint.with(|book, now| self.endpoint.on_leg(book, self.number, now, work));
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.facts.close();
        self.hang_up();
    }
}
