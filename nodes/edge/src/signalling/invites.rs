//! The INVITEs of far ends that live here: whose each one is, so that its CANCEL and the lack of an ACK find their
//! way, and whether anything answered it yet.

use std::collections::{BTreeMap, VecDeque};

use mangrove_proto::{edge::Ingress, service::Route};
use mangrove_sip::{Message, Source, transaction::Key};

/// After its final response an INVITE is remembered a little longer than its transaction (64*T1, RFC 6026).
const AFTER_FINAL: u64 = 40_000;
/// Without any response the far end has given up after 64*T1; a little later so have we.
const UNANSWERED: u64 = 40_000;
/// Nothing rings longer than this.
const LONGEST: u64 = 3_600_000;
const SWEEP_PAUSE: u64 = 1_000;

/// An INVITE that begins a call, for as long as nothing answered it.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) owner: Owner,
    pub(crate) message: Message,
    pub(crate) source: Source,
    /// Its place among the events of its group.
    pub(crate) event: u64,
}

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
    /// What it said, as long as that may be needed.
    unanswered: Option<(Message, Source)>,
    event: u64,
    forget_at: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Invites {
    known: BTreeMap<Key, Invite>,
    /// Those that began calls, by when they came; some are answered by now.
    recent: VecDeque<(u64, Key)>,
    swept_at: u64,
}

impl Invites {
    /// Notes an INVITE that is given to control; one whose branch was used before takes the place of that. True: it
    /// begins a call, and one more is unanswered.
    pub(crate) fn begin(&mut self, key: Key, owner: Owner, said: (&Message, &Source), now: u64) -> bool {
        let counted = self.known.get(&key).is_some_and(|old| !old.answered);
        let counts = owner.leg.is_empty() || counted;
        let forget_at = now + UNANSWERED;
        let unanswered = counts.then(|| (said.0.clone(), said.1.clone()));
        if counts {
            self.recent.push_back((now, key.clone()));
        }
        let invite = Invite {
            owner: Some(owner),
            leg: None,
            tag: None,
            answered: !counts,
            unanswered,
            event: 0,
            forget_at,
        };
        self.known.insert(key, invite);
        counts && !counted
    }

    /// The INVITE is queued for control, as this event of its group.
    pub(crate) fn queued(&mut self, key: &Key, event: u64) {
        if let Some(invite) = self.known.get_mut(key) {
            invite.event = event;
        }
    }

    /// Notes a response, of the leg that sends it; the INVITE may have begun before a restart. True: it is the
    /// first answer to an INVITE that began here.
    pub(crate) fn answer(&mut self, key: Key, response: &Message, leg: Option<Owner>, now: u64) -> bool {
        let invite = self.known.entry(key).or_insert(Invite {
            owner: None,
            leg: None,
            tag: None,
            answered: true,
            unanswered: None,
            event: 0,
            forget_at: 0,
        });
        invite.unanswered = None;
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

    /// When the first of those that began calls came.
    pub(crate) fn first(&self) -> Option<u64> {
        self.recent.front().map(|(came_at, _)| *came_at)
    }

    /// Those that came up to this moment and nothing answered. Each is given once.
    pub(crate) fn unanswered(&mut self, until: u64) -> Vec<Unanswered> {
        let mut found = Vec::new();
        while let Some((_, key)) = self.recent.pop_front_if(|(came_at, _)| *came_at <= until) {
            let Some(invite) = self.known.get_mut(&key) else { continue };
            if let (Some((message, source)), Some(owner)) = (invite.unanswered.take(), invite.owner.clone()) {
                found.push(Unanswered { owner, message, source, event: invite.event });
            }
        }
        found
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

    fn begin(invites: &mut Invites, leg: &str, now: u64) -> bool {
        let remote = "192.0.2.1:5060".parse().unwrap();
        let source = Source { transport: mangrove_sip::Transport::Udp, remote, local: remote, flow: None };
        let invite = Message::request(Method::INVITE, "sip:a@b");
        invites.begin(key(), owner(leg), (&invite, &source), now)
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
        begin(&mut invites, "", 0);
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
        begin(&mut invites, "", 0);
        assert_eq!(invites.sweep(UNANSWERED - SWEEP_PAUSE), Some(0));
        assert_eq!(invites.sweep(UNANSWERED - 1), None, "swept a moment ago");
        assert_eq!(invites.sweep(UNANSWERED + SWEEP_PAUSE), Some(1));
    }

    #[test]
    fn a_branch_used_again_begins_anew_and_is_counted_once() {
        let mut invites = Invites::default();
        assert!(begin(&mut invites, "", 0));
        assert!(!begin(&mut invites, "", 1), "already counted");
        assert!(invites.answer(key(), &response(486), Some(owner("leg")), 2));
        assert!(begin(&mut invites, "", 3));
        assert!(invites.leg(&key()).is_none(), "the former call's");
        assert!(invites.answer(key(), &response(486), None, 4));
        begin(&mut invites, "", 5);
        assert_eq!(invites.sweep(5 + UNANSWERED), Some(1));
    }

    #[test]
    fn a_change_of_a_call_is_its_legs_and_never_counted() {
        let mut invites = Invites::default();
        assert!(!begin(&mut invites, "leg", 0));
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

    #[test]
    fn those_that_nothing_answered_are_given_once() {
        let mut invites = Invites::default();
        begin(&mut invites, "", 10);
        invites.queued(&key(), 7);
        assert_eq!((invites.first(), invites.unanswered(9).len()), (Some(10), 0));
        let given: Vec<_> = invites.unanswered(10).into_iter().map(|one| one.event).collect();
        assert_eq!((given, invites.unanswered(99).len()), (vec![7], 0));
        begin(&mut invites, "", 100);
        invites.answer(key(), &Message::response(100), None, 101);
        begin(&mut invites, "leg", 110);
        assert_eq!(
            (invites.unanswered(200).len(), invites.first()),
            (0, None),
            "answered, and a change of a call"
        );
    }
}
