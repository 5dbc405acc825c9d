//! Which payload types our descriptions of one session have used, and for what: a number that stood for one encoding
//! stands for no other later (RFC 3264 section 8.3.2). Ours of the table are never given to another encoding, so only
//! those are kept that differ: a far end's, which our answers repeat (section 6.1), and what replaced ours.

use serde::{Deserialize, Serialize};

use super::Codec;
use super::codecs;
use super::formats::Formats;

/// The numbers used, the last ones behind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Numbers(Vec<Used>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Used {
    payload_type: u8,
    name: String,
    clock: u32,
}

impl Used {
    fn is_for(&self, name: &str, clock: u32) -> bool {
        self.name == name && self.clock == clock
    }
}

impl Numbers {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether nothing but G.711 is taken in the session, and was. It says what earlier builds say: what is not agreed on
    /// has its own number, even where the far end uses that for something else.
    pub(super) fn are_plain(&self, taken: &[Codec]) -> bool {
        self.is_empty() && codecs::is_g711(taken)
    }

    /// Notes what a description says. A plain session needs no notes: what it used is in its agreement, where earlier
    /// builds look for it.
    pub(super) fn note(&mut self, formats: &Formats, taken: &[Codec]) {
        if self.are_plain(taken) {
            return;
        }
        for (name, clock, payload_type) in formats.said() {
            self.0.retain(|used| used.payload_type != payload_type);
            if codecs::number(name, clock) != Some(payload_type) {
                self.0.push(Used { payload_type, name: name.to_owned(), clock });
            }
        }
    }

    /// A number for an encoding that `formats` lacks: the one that it had, else `own`, else one that is free.
    pub(super) fn find(&self, name: &str, clock: u32, own: u8, formats: &Formats) -> u8 {
        let is_unused = |number: &u8| formats.numbers().all(|used| used != *number);
        let is_anothers = |used: &Used, number: u8| used.payload_type == number && !used.is_for(name, clock);
        let is_free =
            |number: &u8| is_unused(number) && !self.0.iter().any(|used| is_anothers(used, *number));
        let had = self.0.iter().rev().find(|used| used.is_for(name, clock)).map(|used| used.payload_type);
        let dynamic = || (96..128).filter(|number| !codecs::is_in_table(*number));
        let best = had.into_iter().chain([own]).chain(dynamic()).find(is_free);
        best.or_else(|| dynamic().find(is_unused)).unwrap_or(own)
    }
}
