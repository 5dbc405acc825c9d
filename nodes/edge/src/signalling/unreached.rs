//! New calls while control takes nothing: cut off from it, or nobody leads. A caller is told to try again instead of hearing
//! nothing, for a carrier has other routes. Whoever waits for control already gets the same answer, and control is told
//! afterwards that this caller has gone.

use mangrove_sip::{
    Message, Method,
    transaction::{Input, Key},
    ua::TURNED_AWAY,
};

use super::{
    Signalling, admission::Overload, gate::turned_away, invites::Unanswered, reply::tag_for,
    report::NEW_REQUEST, shard::Shard,
};

impl Signalling {
    /// Whether control has taken nothing of the group for longer than a caller is left without an answer.
    pub(super) fn is_unreached(&self, group: u64) -> bool {
        let since = self.events.stalled_since(group);
        since.is_some_and(|since| self.clock.now() >= since + self.answer_ms())
    }

    /// Answers the INVITEs of which control knows nothing yet, and that have waited long enough.
    pub(super) fn give_up(&self, shard: &Shard, now: u64) {
        for invite in shard.unanswered(now.saturating_sub(self.answer_ms())) {
            // Those that control has taken it will answer.
            if !self.events.is_over(invite.owner.route.group, invite.event) {
                self.turn_away(shard, invite, now);
            }
        }
    }

    fn turn_away(&self, shard: &Shard, invite: Unanswered, now: u64) {
        let Unanswered { owner, message, source, .. } = invite;
        let mut answer = turned_away(&message, Overload::Unreached);
        answer.set_to_tag(&tag_for(&message));
        answer.push("Server", &self.user_agent);
        if let Some(key) = Key::of(&answer)
            && shard.answer(key, &answer, None, now)
        {
            self.admission.answered(1);
        }
        let destination = message.response_destination(&source);
        let bytes = answer.to_bytes().into();
        let outputs = shard.handle(Input::Respond { destination, message: answer, bytes, now });
        self.perform(shard, outputs, None);
        // Behind the INVITE, which may have reached control or will.
        self.report_received(cancel(&message), &source, Some(owner), Some(now + NEW_REQUEST));
    }

    fn answer_ms(&self) -> u64 {
        self.options.limits.answer_time.as_millis() as u64
    }
}

/// What the caller would send to give up this INVITE (RFC 3261 section 9.1), and why it will not acknowledge a 2xx.
fn cancel(invite: &Message) -> Message {
    let uri = invite.request_uri().map(|uri| uri.to_string()).unwrap_or_default();
    let cseq = invite.cseq().map_or(0, |(number, _)| number);
    let cancel = Message::request(Method::CANCEL, uri)
        .with("CSeq", format!("{cseq} CANCEL"))
        .with("Reason", TURNED_AWAY);
    ["Via", "From", "To", "Call-ID"].into_iter().fold(cancel.with("Max-Forwards", 70), |cancel, name| {
        cancel.with(name, invite.header(name).unwrap_or_default())
    })
}
