//! The sounds of all companies that a node keeps in memory, and which of them go when others need room.

use std::{collections::BTreeMap, sync::Arc};

use mangrove_rtp::prompt::Prompt;

/// They take no more than this together, bytes.
const MOST: usize = 512 << 20;
/// What is remembered of one that is built in: its sound is in memory in any case, once for all.
const ENTRY: usize = 256;
/// After this long a file is looked at again.
pub(super) const FRESH_US: u64 = 60_000_000;

/// Tenant and key.
pub(super) type Place = (String, String);

/// One sound.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) prompt: Arc<Prompt>,
    pub(super) fresh_until_us: u64,
    /// What it takes in memory.
    bytes: usize,
}

impl Entry {
    /// Of one that was looked at now.
    pub(super) fn new(prompt: Arc<Prompt>, is_built_in: bool, now_us: u64) -> Self {
        let bytes = if is_built_in { ENTRY } else { ENTRY + prompt.bytes() };
        Self { prompt, fresh_until_us: now_us + FRESH_US, bytes }
    }

    /// Whether it was to be looked at again, and nobody asked for it in as long a time once more.
    pub(super) fn is_forgotten(&self, now_us: u64) -> bool {
        self.fresh_until_us.saturating_add(FRESH_US) <= now_us
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Kept {
    entries: BTreeMap<Place, Entry>,
}

impl Kept {
    pub(super) fn get_mut(&mut self, place: &Place) -> Option<&mut Entry> {
        self.entries.get_mut(place)
    }

    pub(super) fn remove(&mut self, place: &Place) -> Option<Entry> {
        self.entries.remove(place)
    }

    pub(super) fn put(&mut self, place: Place, entry: Entry) {
        self.entries.remove(&place);
        self.make_room(&place.0, entry.bytes, MOST);
        self.entries.insert(place, entry);
    }

    /// Lets some go until a company's next sound of so many bytes fits: of who takes most at the time, what was looked at longest
    /// ago. So a company of many stations pushes out its own, and never the few sounds of another.
    fn make_room(&mut self, tenant: &str, bytes: usize, most: usize) {
        let mut taken = bytes + self.entries.values().map(|entry| entry.bytes).sum::<usize>();
        if taken <= most {
            return;
        }
        let mut companies = self.companies();
        if let Some(all) = companies.get_mut(tenant) {
            *all += bytes;
        }
        while taken > most
            && let Some((largest, all)) = companies.iter_mut().max_by_key(|(_, all)| **all)
        {
            match self.oldest(largest).and_then(|oldest| self.entries.remove(&oldest)) {
                Some(gone) => {
                    taken -= gone.bytes;
                    *all -= gone.bytes;
                }
                None => {
                    let emptied = largest.clone();
                    companies.remove(&emptied);
                }
            }
        }
    }

    /// What each company takes.
    fn companies(&self) -> BTreeMap<String, usize> {
        let mut companies = BTreeMap::new();
        for ((tenant, _), entry) in &self.entries {
            *companies.entry(tenant.clone()).or_default() += entry.bytes;
        }
        companies
    }

    fn oldest(&self, tenant: &str) -> Option<Place> {
        let own = self.entries.iter().filter(|((of, _), _)| of == tenant);
        own.min_by_key(|(_, entry)| entry.fresh_until_us).map(|(place, _)| place.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(tenant: &str, key: &str) -> Place {
        (tenant.to_owned(), key.to_owned())
    }

    fn entry(frames: usize, now_us: u64) -> Entry {
        Entry::new(Arc::new(Prompt::new(&vec![1; frames * 160])), false, now_us)
    }

    #[test]
    fn what_nobody_has_asked_for_in_a_while_is_read_before_it_is_heard() {
        let kept = Entry { fresh_until_us: 10, ..entry(1, 0) };
        for (now, is_forgotten) in [(0, false), (10, false), (FRESH_US + 9, false), (FRESH_US + 10, true)] {
            assert_eq!(kept.is_forgotten(now), is_forgotten, "{now}");
        }
    }

    #[test]
    fn who_takes_most_makes_room_and_what_was_looked_at_longest_ago_goes_first() {
        let all = [("loud", "a", 2), ("loud", "b", 3), ("loud", "c", 4), ("quiet", "a", 1)];
        let mut full = Kept::default();
        for (tenant, key, at) in all {
            full.put(place(tenant, key), entry(10, at));
        }
        let one = entry(10, 0).bytes;
        for (tenant, fit, wanted) in [
            ("loud", 5, "loud/a loud/b loud/c quiet/a"),
            ("loud", 4, "loud/b loud/c quiet/a"),
            ("quiet", 4, "loud/b loud/c quiet/a"),
            ("new", 4, "loud/b loud/c quiet/a"),
            ("loud", 2, "quiet/a"),
            ("new", 1, ""),
        ] {
            let mut kept = Kept { entries: full.entries.clone() };
            kept.make_room(tenant, one, fit * one);
            let left: Vec<_> = kept.entries.keys().map(|(tenant, key)| format!("{tenant}/{key}")).collect();
            assert_eq!(left.join(" "), wanted, "{tenant} {fit}");
        }
    }

    #[test]
    fn what_is_built_in_is_in_memory_once_whoever_hears_it() {
        let (prompt, mut kept) = (Arc::new(Prompt::new(&[1; 160_000])), Kept::default());
        for tenant in 0..10 {
            kept.put(place(&tenant.to_string(), "music/default"), Entry::new(prompt.clone(), true, 0));
        }
        kept.make_room("new", 0, prompt.bytes());
        assert_eq!(kept.entries.len(), 10);
    }
}
