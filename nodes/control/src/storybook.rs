//! The stories of live calls: what each command said of them, in order, bounded. A finished call's story goes to the
//! database together with its record and is kept here for a while, so that it can be read at any moment.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use mangrove_domain::StoryLine;
use mangrove_proto::{
    id::{CallId, TenantId},
    story::Entry,
};
use parking_lot::Mutex;

/// Lines kept of one call; the first and the latest are the ones that explain.
const LINES: usize = 240;
/// Calls kept at once; the oldest story goes first.
const CALLS: usize = 20_000;

type Key = (TenantId, CallId);

/// Shared by the shards that write and the console that reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Storybook {
    inner: Arc<Mutex<Book>>,
}

#[derive(Debug, Default)]
struct Book {
    stories: BTreeMap<Key, Vec<Entry>>,
    /// By age of their first line.
    order: VecDeque<Key>,
}

impl Storybook {
    pub(crate) fn add(&self, lines: Vec<StoryLine>) {
        if lines.is_empty() {
            return;
        }
        let mut book = self.inner.lock();
        for line in lines {
            book.add(line);
        }
    }

    /// The story so far; empty where nothing is known.
    pub(crate) fn of(&self, tenant: &TenantId, call: CallId) -> Vec<Entry> {
        self.inner.lock().stories.get(&(tenant.clone(), call)).cloned().unwrap_or_default()
    }
}

impl Book {
    fn add(&mut self, line: StoryLine) {
        let key = (line.tenant, line.call);
        if !self.stories.contains_key(&key) {
            self.make_room();
            self.order.push_back(key.clone());
        }
        let story = self.stories.entry(key).or_default();
        if story.len() >= LINES {
            story.remove(LINES / 2);
        }
        let mut entry = line.entry;
        entry.after_ms = story.first().map_or(0, |first| entry.at.saturating_sub(first.at));
        story.push(entry);
    }

    fn make_room(&mut self) {
        if self.order.len() >= CALLS
            && let Some(oldest) = self.order.pop_front()
        {
            self.stories.remove(&oldest);
        }
    }
}
