//! What a leg does when time passes: one table of its timers.

use super::{Ctx, Leg, Output, Phase};

impl Leg {
    /// When [`Leg::timer`] is to be called. Ask again after every other call.
    pub fn next_due(&self) -> Option<u64> {
        let phase = match &self.phase {
            Phase::Received(received) => {
                earliest([received.unacked.as_ref().map(|unacked| unacked.until), received.refresh_at])
            }
            Phase::Calling(calling) => calling.cancel.as_ref().map(|cancel| cancel.until),
            Phase::Closing(closing) => Some(closing.until),
            Phase::Confirmed | Phase::Ended => None,
        };
        let missing = self.unconfirmed.as_ref().map(|unconfirmed| unconfirmed.until);
        earliest([phase, missing, self.timer.due(), self.change.retry_at, self.change.gone_at])
    }

    /// Does what is due by now; nothing when it is called early.
    pub fn timer(&mut self, ctx: &mut Ctx<'_>) -> Vec<Output> {
        let now = ctx.now;
        let due = |at: Option<u64>| at.is_some_and(|at| at <= now);
        self.turn(ctx, |leg, turn| {
            match &leg.phase {
                Phase::Received(received) if due(received.unacked.as_ref().map(|unacked| unacked.until)) => {
                    leg.prack_missing(turn);
                }
                Phase::Received(received) if due(received.refresh_at) => leg.ring_again(turn),
                Phase::Calling(calling) if due(calling.cancel.as_ref().map(|cancel| cancel.until)) => {
                    leg.end()
                }
                Phase::Closing(closing) if due(Some(closing.until)) => leg.end(),
                _ => {}
            }
            if due(leg.unconfirmed.as_ref().map(|unconfirmed| unconfirmed.until)) {
                leg.ack_missing(turn);
            }
            if due(leg.change.retry_at) {
                leg.change.retry_at = None;
            }
            if due(leg.change.gone_at) {
                leg.change.gone_at = None;
                if matches!(leg.phase, Phase::Confirmed | Phase::Received(_)) {
                    leg.vanished(turn);
                }
            }
            leg.session_due(turn);
        })
    }
}

fn earliest<const N: usize>(times: [Option<u64>; N]) -> Option<u64> {
    times.into_iter().flatten().min()
}
