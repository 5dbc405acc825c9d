//! Where group 0's leader is, as far as this node has heard: the one it follows, until another asks whether this node runs.
//! Only leaders ask that, and a new one does so before anything else.

use tokio::sync::watch;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Heard {
    /// Of the last leader that asked; what is found by following has none.
    term: u64,
    at: Option<String>,
}

/// The leader's address (host:port), once it is known.
#[derive(Debug)]
pub(super) struct Lead(watch::Sender<Heard>);

impl Default for Lead {
    fn default() -> Self {
        Self(watch::channel(Heard::default()).0)
    }
}

impl Lead {
    pub(super) fn at(&self) -> Option<String> {
        self.0.borrow().at.clone()
    }

    /// It tells of the directory.
    pub(super) fn found(&self, address: &str) {
        self.moves(None, address);
    }

    /// It asked whether this node runs. One of an earlier term than another is not a leader any more.
    pub(super) fn asks(&self, term: u64, address: &str) {
        if term > self.0.borrow().term {
            self.moves(Some(term), address);
        }
    }

    /// Returns when another than this one turns out to lead, from now on.
    pub(super) async fn moved_from(&self, address: &str) {
        let mut heard = self.0.subscribe();
        // The sender lives as long as `self`.
        while heard.changed().await.is_ok() {
            if heard.borrow_and_update().at.as_deref() != Some(address) {
                return;
            }
        }
    }

    /// Wakes those who wait only where the address is another.
    fn moves(&self, term: Option<u64>, address: &str) {
        self.0.send_if_modified(|heard| {
            heard.term = term.unwrap_or(heard.term);
            let other = heard.at.as_deref() != Some(address);
            if other {
                heard.at = Some(address.to_owned());
            }
            other
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Lead;
    use futures::FutureExt;

    #[test]
    fn a_leader_that_asks_is_followed_unless_a_later_one_has_asked() {
        let lead = Lead::default();
        lead.found("a:1");
        for (term, from, expected) in
            [(3, "b:1", "b:1"), (2, "a:1", "b:1"), (3, "c:1", "b:1"), (4, "c:1", "c:1")]
        {
            lead.asks(term, from);
            assert_eq!(lead.at().as_deref(), Some(expected), "{from} asked in term {term}");
        }
        lead.found("d:1");
        assert_eq!(lead.at().as_deref(), Some("d:1"), "who tells, leads");
    }

    #[tokio::test]
    async fn who_waits_at_one_hears_of_another_and_of_nothing_else() {
        let lead = Lead::default();
        lead.found("a:1");
        let mut moved = Box::pin(lead.moved_from("a:1"));
        assert!((&mut moved).now_or_never().is_none(), "what was before is known");
        lead.asks(1, "a:1");
        assert!((&mut moved).now_or_never().is_none(), "it is the same one");
        lead.asks(2, "b:1");
        assert!(moved.now_or_never().is_some());
    }
}
