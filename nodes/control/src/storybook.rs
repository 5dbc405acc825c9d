//! The stories of live calls: what each command said of them, in order, bounded. A call's story goes to the database
//! with its record, once more when the call is forgotten, and is dropped then; until that it can be read here.

use std::{
    collections::{BTreeMap, BTreeSet},
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
/// Calls kept at once.
const CALLS: usize = 20_000;
/// Bytes kept at once, about.
const BYTES: usize = 64 << 20;
/// What a line costs besides its texts, about.
const LINE: usize = size_of::<Entry>();

/// Whose story.
pub(crate) type Key = (TenantId, CallId);

/// Shared by the shards that write and the console that reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Storybook {
    inner: Arc<Mutex<Book>>,
}

#[derive(Debug, Default)]
struct Book {
    stories: BTreeMap<Key, Story>,
    /// By age of their first line: those of forgotten calls, which leave first when room is needed, and the others.
    finished: BTreeMap<u64, Key>,
    live: BTreeMap<u64, Key>,
    bytes: usize,
    last: u64,
}

/// A story as it stood.
#[derive(Debug)]
pub(crate) struct Draft {
    pub entries: Vec<Entry>,
    /// Lines added so far, those dropped included.
    pub added: u64,
}

#[derive(Debug)]
struct Story {
    /// Its place by age.
    number: u64,
    added: u64,
    /// How much of it the database has.
    written: u64,
    entries: Vec<Entry>,
    bytes: usize,
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
        self.draft(&(tenant.clone(), call)).map(|draft| draft.entries).unwrap_or_default()
    }

    /// The story so far, to be written.
    pub(crate) fn draft(&self, key: &Key) -> Option<Draft> {
        let book = self.inner.lock();
        book.stories.get(key).map(|story| Draft { entries: story.entries.clone(), added: story.added })
    }

    /// As [`Storybook::draft`], if there is more than the database has.
    pub(crate) fn unwritten(&self, key: &Key) -> Option<Draft> {
        let more = self.inner.lock().stories.get(key).is_some_and(|story| story.added > story.written);
        if more { self.draft(key) } else { None }
    }

    /// The database has this much of it.
    pub(crate) fn wrote(&self, key: &Key, added: u64) {
        if let Some(story) = self.inner.lock().stories.get_mut(key) {
            story.written = story.written.max(added);
        }
    }

    /// Nothing more comes of this call: its story is the first to leave when room is needed.
    pub(crate) fn finish(&self, key: &Key) {
        self.inner.lock().finish(key);
    }

    /// The database has it.
    pub(crate) fn drop_story(&self, key: &Key) {
        self.inner.lock().remove(key);
    }

    /// The calls known here of which `lives` says no.
    pub(crate) fn left_over(&self, lives: impl Fn(&Key) -> bool) -> BTreeSet<Key> {
        self.inner.lock().stories.keys().filter(|key| !lives(key)).cloned().collect()
    }
}

impl Book {
    fn add(&mut self, line: StoryLine) {
        let key = (line.tenant, line.call);
        let story = self.stories.entry(key.clone()).or_insert_with(|| {
            self.last += 1;
            self.live.insert(self.last, key);
            Story { number: self.last, added: 0, written: 0, entries: Vec::new(), bytes: 0 }
        });
        let before = story.bytes;
        story.add(line.entry);
        self.bytes = self.bytes + story.bytes - before;
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.bytes > BYTES || self.stories.len() > CALLS {
            let oldest = self.finished.first_key_value().or_else(|| self.live.first_key_value());
            let Some(key) = oldest.map(|(_, key)| key.clone()) else { return };
            self.remove(&key);
        }
    }

    fn finish(&mut self, key: &Key) {
        if let Some(story) = self.stories.get(key)
            && let Some(key) = self.live.remove(&story.number)
        {
            self.finished.insert(story.number, key);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(story) = self.stories.remove(key) {
            self.bytes -= story.bytes;
            self.live.remove(&story.number);
            self.finished.remove(&story.number);
        }
    }
}

impl Story {
    fn add(&mut self, entry: Entry) {
        if self.entries.len() >= LINES {
            self.bytes -= size(&self.entries.remove(LINES / 2));
        }
        self.bytes += size(&entry);
        self.added += 1;
        self.entries.push(entry);
    }
}

fn size(entry: &Entry) -> usize {
    LINE + entry.party.len() + entry.title.len() + entry.detail.len()
}

#[cfg(test)]
mod tests {
    use mangrove_proto::story::Kind;

    use super::*;

    fn line(call: u128, after_ms: u64, detail: usize) -> StoryLine {
        let entry = Entry {
            at: 7,
            after_ms,
            kind: Kind::Decision,
            party: String::new(),
            title: "decided".into(),
            detail: "x".repeat(detail),
        };
        StoryLine { tenant: "acme".into(), call: CallId(call), entry }
    }

    fn key(call: u128) -> Key {
        ("acme".into(), CallId(call))
    }

    fn known(book: &Storybook, call: u128) -> bool {
        !book.of(&"acme".into(), CallId(call)).is_empty()
    }

    #[test]
    fn lines_keep_the_time_that_the_rules_gave_them() {
        let book = Storybook::default();
        // The wall clock stood still or went back meanwhile.
        book.add(vec![line(1, 0, 0), line(1, 4_000, 0)]);
        let after: Vec<_> = book.of(&"acme".into(), CallId(1)).iter().map(|entry| entry.after_ms).collect();
        assert_eq!(after, [0, 4_000]);
    }

    #[test]
    fn a_full_book_drops_finished_calls_before_older_live_ones() {
        let book = Storybook::default();
        let mega = 1 << 20;
        book.add((1..=60).map(|call| line(call, 0, mega)).collect());
        book.finish(&key(30));
        book.add((61..=64).map(|call| line(call, 0, mega)).collect());
        assert!(!known(&book, 30), "a finished call makes room");
        assert!(known(&book, 1) && known(&book, 64), "a live one stays though it is older");
        book.add(vec![line(65, 0, mega)]);
        assert!(!known(&book, 1), "then the oldest goes");
        assert!(book.inner.lock().bytes <= BYTES);
    }

    #[test]
    fn what_the_database_has_is_not_written_again() {
        let book = Storybook::default();
        book.add(vec![line(1, 0, 0), line(1, 1, 0)]);
        let draft = book.unwritten(&key(1)).expect("two lines");
        book.wrote(&key(1), draft.added);
        assert!(book.unwritten(&key(1)).is_none());
        book.add(vec![line(1, 2, 0)]);
        assert_eq!(book.unwritten(&key(1)).expect("one more").entries.len(), 3, "stories are written whole");
    }

    #[test]
    fn what_is_dropped_leaves_nothing() {
        let book = Storybook::default();
        book.add((0..300).map(|at| line(1, at, 10)).chain([line(2, 0, 10)]).collect());
        assert_eq!(book.of(&"acme".into(), CallId(1)).len(), LINES);
        assert_eq!(book.left_over(|key| key.1 == CallId(2)), [key(1)].into());
        book.finish(&key(2));
        [1, 2].iter().for_each(|call| book.drop_story(&key(*call)));
        let book = book.inner.lock();
        assert_eq!((book.bytes, book.stories.len(), book.live.len(), book.finished.len()), (0, 0, 0, 0));
    }
}
