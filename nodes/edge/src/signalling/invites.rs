//! The INVITEs of far ends that live here: whose each one is, so that its CANCEL and the lack of an ACK find their
//! way, and whether anything answered it yet.

use std::collections::BTreeMap;

use mangrove_proto::{edge::Ingress, service::Route};
use mangrove_sip::{Message, transaction::Key};

/// After its final response an INVITE is remembered a little longer than its transaction (64*T1, RFC 6026).
const AFTER_FINAL: u64 = 40_000;
/// Without any response the far end has given up after 64*T1; a little later so have we.
const UNANSWERED: u64 = 40_000;
/// Nothing rings longer than this.
const LONGEST: u64 = 3_600_000;
const SWEEP_PAUSE: u64 = 1_000;

/// Whose a request is.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) route: Route,
    /// Empty for what starts something new.
    pub(crate) leg: String,
    pub(crate) ingress: Option<Ingress>,
}

#[derive(Debug)]
struct Invite {
    /// Who sent it; its leg is control's to know until the first answer tells.
    owner: Option<Owner>,
    leg: Option<Owner>,
    tag: Option<String>,
    /// Whether it is not (or no more) among the unanswered: changes of calls that stand never are.
    answered: bool,
    forget_at: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Invites {
    known: BTreeMap<Key, Invite>,
    swept_at: u64,
}

impl Invites {
    /// Notes an INVITE that is given to control; one whose branch was used before takes the place of that. True: it
    /// begins a call, and one more is unanswered.
    pub(crate) fn begin(&mut self, key: Key, owner: Owner, now: u64) -> bool {
        let counted = self.known.get(&key).is_some_and(|old| !old.answered);
        let counts = owner.leg.is_empty() || counted;
        let forget_at = now + UNANSWERED;
        let invite = Invite { owner: Some(owner), leg: None, tag: None, answered: !counts, forget_at };
        self.known.insert(key, invite);
        counts && !counted
    }

    /// Notes a response, of the leg that sends it; the INVITE may have begun before a restart. True: it is the
    /// first answer to an INVITE that began here.
    pub(crate) fn answer(&mut self, key: Key, response: &Message, leg: Option<Owner>, now: u64) -> bool {
        let invite = self.known.entry(key).or_insert(Invite {
            owner: None,
            leg: None,
            tag: None,
            answered: true,
            forget_at: 0,
        });
        let is_final = response.status().is_some_and(|status| status >= 200);
        invite.forget_at = now + if is_final { AFTER_FINAL } else { LONGEST };
        invite.tag = response.to_tag().map(str::to_owned).or(invite.tag.take());
        invite.leg = leg.or(invite.leg.take());
        !std::mem::replace(&mut invite.answered, true)
    }

    /// Who cancels when this INVITE is cancelled, and the To tag of its answers.
    pub(crate) fn canceller(&self, key: &Key) -> Option<(Owner, Option<String>)> {
        let invite = self.known.get(key)?;
        let owner = invite.owner.as_ref().or(invite.leg.as_ref())?;
        Some((owner.clone(), invite.tag.clone()))
    }

    /// The leg that answered this INVITE.
    pub(crate) fn leg(&self, key: &Key) -> Option<Owner> {
        self.known.get(key)?.leg.clone()
    }

    /// Forgets what is over, once a second at most (None: not now). Gives how many of these were never answered.
    pub(crate) fn sweep(&mut self, now: u64) -> Option<usize> {
        if now < self.swept_at + SWEEP_PAUSE {
            return None;
        }
        self.swept_at = now;
        let mut unanswered = 0;
        self.known.retain(|_, invite| {
            let kept = invite.forget_at > now;
            unanswered += usize::from(!kept && !invite.answered);
            kept
        });
        Some(unanswered)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_sip::Method;

    use super::*;

    fn key() -> Key {
        let invite = Message::request(Method::INVITE, "sip:a@b")
            .with("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1")
            .with("CSeq", "1 INVITE");
        Key::of(&invite).unwrap()
    }

    fn owner(leg: &str) -> Owner {
        let route = Route { tenant: "acme".into(), group: 1, domain: "acme.example".into() };
        Owner { route, leg: leg.into(), ingress: None }
    }

    fn response(status: u16) -> Message {
        Message::response(status).with("To", "<sip:a@b>;tag=ours")
    }

    #[test]
    fn the_first_answer_counts_and_the_final_one_ends_it() {
        let mut invites = Invites::default();
        invites.begin(key(), owner(""), 0);
        assert!(invites.answer(key(), &Message::response(100), Some(owner("leg")), 10));
        assert!(!invites.answer(key(), &response(180), None, 20));
        assert_eq!(invites.leg(&key()).unwrap().leg, "leg");
        let (canceller, tag) = invites.canceller(&key()).unwrap();
        assert_eq!((canceller.leg.as_str(), tag.as_deref()), ("", Some("ours")));
        assert_eq!(invites.sweep(100_000), Some(0));
        assert!(!invites.answer(key(), &response(200), None, 100_000));
        assert_eq!(invites.sweep(100_000 + AFTER_FINAL), Some(0));
        assert!(invites.leg(&key()).is_none());
    }

    #[test]
    fn an_invite_that_nobody_answered_is_counted_when_forgotten() {
        let mut invites = Invites::default();
        invites.begin(key(), owner(""), 0);
        assert_eq!(invites.sweep(UNANSWERED - SWEEP_PAUSE), Some(0));
        assert_eq!(invites.sweep(UNANSWERED - 1), None, "swept a moment ago");
        assert_eq!(invites.sweep(UNANSWERED + SWEEP_PAUSE), Some(1));
    }

    #[test]
    fn a_branch_used_again_begins_anew_and_is_counted_once() {
        let mut invites = Invites::default();
        assert!(invites.begin(key(), owner(""), 0));
        assert!(!invites.begin(key(), owner(""), 1), "already counted");
        assert!(invites.answer(key(), &response(486), Some(owner("leg")), 2));
        assert!(invites.begin(key(), owner(""), 3));
        assert!(invites.leg(&key()).is_none(), "the former call's");
        assert!(invites.answer(key(), &response(486), None, 4));
        invites.begin(key(), owner(""), 5);
        assert_eq!(invites.sweep(5 + UNANSWERED), Some(1));
    }

    #[test]
    fn a_change_of_a_call_is_its_legs_and_never_counted() {
        let mut invites = Invites::default();
        assert!(!invites.begin(key(), owner("leg"), 0));
        assert_eq!(invites.canceller(&key()).unwrap().0.leg, "leg");
        assert!(!invites.answer(key(), &response(200), Some(owner("leg")), 1));
        assert_eq!(invites.sweep(1 + AFTER_FINAL), Some(0));
    }

    #[test]
    fn an_invite_from_before_a_restart_is_its_legs() {
        let mut invites = Invites::default();
        assert!(!invites.answer(key(), &response(180), Some(owner("leg")), 0));
        assert_eq!(invites.canceller(&key()).unwrap().0.leg, "leg");
    }
}
