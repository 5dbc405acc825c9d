//! Faces that fall: made again after a pause that grows, and not for ever.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use mangrove_domain::ObjectRef;

/// Falls in a row after which a face is not made again.
const MOST: u32 = 5;
/// Who stood for this long begins anew.
const FORGIVEN: Duration = Duration::from_secs(60);

/// What becomes of an object whose face fell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It gets another one after this pause.
    Again(Duration),
    /// It gets none under this leadership.
    GivenUp,
}

/// The falls of one leadership's faces.
#[derive(Debug)]
pub(crate) struct Health {
    /// The first pause; each fall doubles it.
    pause: Duration,
    falls: BTreeMap<ObjectRef, Falls>,
}

#[derive(Debug, Clone, Copy)]
struct Falls {
    count: u32,
    last: Instant,
    /// It has no face now.
    down: bool,
}

impl Health {
    pub(crate) fn new(pause: Duration) -> Self {
        Self { pause, falls: BTreeMap::new() }
    }

    pub(crate) fn fell(&mut self, object: ObjectRef, now: Instant) -> Verdict {
        let falls = self.falls.entry(object).or_insert(Falls { count: 0, last: now, down: true });
        if now.duration_since(falls.last) >= FORGIVEN {
            falls.count = 0;
        }
        *falls = Falls { count: falls.count + 1, last: now, down: true };
        match falls.count {
            MOST.. => Verdict::GivenUp,
            count => Verdict::Again(self.pause * (1 << (count - 1))),
        }
    }

    /// Whether the object must do without a face now.
    pub(crate) fn is_down(&self, object: &ObjectRef) -> bool {
        self.falls.get(object).is_some_and(|falls| falls.down)
    }

    /// The pause is over.
    pub(crate) fn is_up(&mut self, object: &ObjectRef) {
        if let Some(falls) = self.falls.get_mut(object) {
            falls.down = false;
        }
    }

    /// The object is no more.
    pub(crate) fn forget(&mut self, object: &ObjectRef) {
        self.falls.remove(object);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_the_fifth_fall_is_the_last() {
        let tenant = ObjectRef::Tenant("acme".into());
        let (mut health, now) = (Health::new(Duration::from_secs(1)), Instant::now());
        for seconds in [1, 2, 4, 8] {
            assert_eq!(health.fell(tenant.clone(), now), Verdict::Again(Duration::from_secs(seconds)));
            assert!(health.is_down(&tenant));
            health.is_up(&tenant);
            assert!(!health.is_down(&tenant));
        }
        assert_eq!(health.fell(tenant.clone(), now), Verdict::GivenUp);
        assert!(health.is_down(&tenant));
        health.forget(&tenant);
        assert!(!health.is_down(&tenant));
    }

    #[test]
    fn who_stood_for_a_while_begins_anew() {
        let tenant = ObjectRef::Tenant("acme".into());
        let (mut health, now) = (Health::new(Duration::from_secs(1)), Instant::now());
        for at in 0..20 {
            let verdict = health.fell(tenant.clone(), now + FORGIVEN * at);
            assert_eq!(verdict, Verdict::Again(Duration::from_secs(1)));
        }
    }
}
