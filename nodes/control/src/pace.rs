//! When live events are drawn: at once after a quiet moment, and together, at most ten times a second, in a busy one.
//! Drawing a queue costs as much as its callers, and nobody sees more than ten pictures a second.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use mangrove_domain::ObjectRef;

/// Between two drawings, at least.
const PAUSE: Duration = Duration::from_millis(100);

/// What waits to be drawn, and since when nothing was.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    touched: BTreeSet<ObjectRef>,
    drawn: Option<Instant>,
    scheduled: bool,
}

/// What is to be done about objects that changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Draw these now.
    Draw(BTreeSet<ObjectRef>),
    /// Call [`Pace::due`] after this long.
    Wait(Duration),
    /// Nothing: a wait is under way.
    Rest,
}

impl Pace {
    /// Takes what an entry touched.
    pub(crate) fn take(&mut self, touched: impl IntoIterator<Item = ObjectRef>, now: Instant) -> Turn {
        self.touched.extend(touched);
        let wait = self.drawn.map_or(Duration::ZERO, |at| (at + PAUSE).saturating_duration_since(now));
        if self.scheduled || self.touched.is_empty() {
            return Turn::Rest;
        }
        if wait.is_zero() {
            return self.draw(now);
        }
        self.scheduled = true;
        Turn::Wait(wait)
    }

    /// The wait is over.
    pub(crate) fn due(&mut self, now: Instant) -> Turn {
        self.scheduled = false;
        self.draw(now)
    }

    fn draw(&mut self, now: Instant) -> Turn {
        self.drawn = Some(now);
        Turn::Draw(std::mem::take(&mut self.touched))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(id: &str) -> ObjectRef {
        ObjectRef::Queue("acme".into(), id.into())
    }

    #[test]
    fn the_first_change_is_drawn_at_once_and_a_burst_together() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(pace.take([object("1")], at(0)), Turn::Draw([object("1")].into()));
        assert_eq!(pace.take([object("1")], at(30)), Turn::Wait(Duration::from_millis(70)));
        assert_eq!(pace.take([object("2"), object("1")], at(60)), Turn::Rest);
        assert_eq!(pace.due(at(100)), Turn::Draw([object("1"), object("2")].into()));
        assert_eq!(pace.take([], at(300)), Turn::Rest, "nothing changed");
        assert_eq!(pace.take([object("3")], at(300)), Turn::Draw([object("3")].into()));
    }
}
