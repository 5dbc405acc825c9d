//! Entries of one leadership on their way through the log, in order.

use std::{collections::VecDeque, sync::Arc, time::Instant};

use mangrove_membership::{Fence, Underway};

use super::{
    authors::{Authors, Entered},
    lag::{Lag, Tenure},
    verdict,
};
use crate::entry;

/// A command waits for its own entry, and hardly for the one before it.
const AT_ONCE: usize = 2;

#[derive(Debug)]
struct Flight {
    underway: Underway,
    authors: Authors,
    /// Since when its oldest command waits for this leader.
    since: Option<Instant>,
}

/// The entries on their way.
#[derive(Debug)]
pub(super) struct Flights {
    group: u32,
    /// Oldest first.
    queue: VecDeque<Flight>,
    tenure: Tenure,
    lag: Arc<Lag>,
}

impl Flights {
    pub(super) fn new(group: u32, lag: Arc<Lag>) -> Self {
        Self { group, queue: VecDeque::new(), tenure: Tenure::default(), lag }
    }

    pub(super) fn have_room(&self) -> bool {
        self.queue.len() < AT_ONCE
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether none is on its way, or none that another leadership began.
    pub(super) fn may_follow(&self, fence: Fence) -> bool {
        self.queue.is_empty() || self.tenure.is_of(fence.term)
    }

    pub(super) fn add(&mut self, fence: Fence, underway: Underway, authors: Authors) {
        let since = self.tenure.waits(fence.term, authors.oldest());
        if self.queue.is_empty() {
            self.lag.begin(since);
        }
        self.queue.push_back(Flight { underway, authors, since });
    }

    /// Waits for the oldest and tells its authors; for ever while there is none. May be given up and called again.
    pub(super) async fn land(&mut self) {
        let Some(first) = self.queue.front_mut() else { return std::future::pending().await };
        let outcome = first.underway.reply().await;
        let Some(Flight { authors, since, .. }) = self.queue.pop_front() else { return };
        self.lag.end(since);
        if let Some(next) = self.queue.front() {
            self.lag.begin(next.since);
        }
        let entered = outcome.map(|replies| Entered::here(entry::decode_replies(&replies)));
        authors.tell(entered.map_err(|error| verdict(self.group, &error)));
    }

    pub(super) async fn land_all(&mut self) {
        while !self.queue.is_empty() {
            self.land().await;
        }
    }
}
