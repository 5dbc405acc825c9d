//! What a leg still owes to the far end, byte for byte: for whoever takes over. Repeats are harmless, since
//! the far end and the transaction layer know them by branch, tag and sequence number.

use super::{Ctx, Leg, Outgoing, Output, Phase, TRANSACTION_MS};
use crate::Rendered;

impl Leg {
    /// Everything unanswered or unacknowledged, and the last answer and ACK of the past 32 s, in the order
    /// in which it was first sent within each kind. Only sends.
    pub fn resume(&self, ctx: &Ctx<'_>) -> Vec<Output> {
        let recent = |at: u64| ctx.now.saturating_sub(at) < TRANSACTION_MS;
        let mut out = Vec::new();
        out.extend(self.owed_answer());
        if let Some(unconfirmed) = &self.unconfirmed {
            out.push(response(&unconfirmed.asked.destination, &unconfirmed.message));
        }
        if let Some(served) = self.served.as_ref().filter(|served| recent(served.at)) {
            out.push(response(&served.asked.destination, &served.message));
        }
        if let Some(acked) = self.acked.as_ref().filter(|acked| recent(acked.at)) {
            out.push(acked.sent.output());
        }
        if let (Phase::Calling(_), Some(invitation)) = (&self.phase, &self.invitation) {
            out.push(invitation.output());
        }
        out.extend(self.requests.iter().map(super::Sent::output));
        out
    }

    /// The INVITE's last response, provisional or refusing.
    fn owed_answer(&self) -> Option<Output> {
        match &self.phase {
            Phase::Received(received) => {
                received.last.as_ref().map(|message| response(&received.asked.destination, message))
            }
            Phase::Closing(closing) => closing
                .rejected
                .as_ref()
                .map(|rejected| response(&rejected.asked.destination, &rejected.message)),
            _ => None,
        }
    }
}

fn response(destination: &crate::Destination, message: &Rendered) -> Output {
    Output::Send(Outgoing::Response { destination: destination.clone(), message: message.clone() })
}
