//! Paging by key: the next page starts after the last row seen, however many rows came meanwhile.

use serde::Serialize;

use crate::Error;

/// Which part of a list is wanted.
#[derive(Debug, Clone)]
pub struct Page {
    /// `Listed::next` of the page before; None for the first.
    pub after: Option<String>,
    /// Rows on it, 1 to 500.
    pub limit: u32,
}

impl Default for Page {
    fn default() -> Self {
        Self { after: None, limit: 50 }
    }
}

impl Page {
    pub(crate) fn rows(&self) -> usize {
        self.limit.clamp(1, 500) as usize
    }

    /// Time and key of the last row seen.
    pub(crate) fn start(&self) -> Result<Option<(u64, &str)>, Error> {
        let Some(after) = &self.after else { return Ok(None) };
        after.split_once('.').and_then(|(time, key)| Some((time.parse().ok()?, key))).map(Some).ok_or_else(
            || Error::Refused { what: "page", why: "take `after` from `next` of the page before".into() },
        )
    }
}

/// One page of a list, newest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page starts; None on the last.
    pub next: Option<String>,
}

impl<T> Listed<T> {
    /// `items` may hold one row more than wanted: the sign that there is a next page.
    pub(crate) fn cut(mut items: Vec<T>, rows: usize, key: impl Fn(&T) -> (u64, String)) -> Self {
        let more = items.len() > rows;
        items.truncate(rows);
        let next = items.last().filter(|_| more).map(|last| {
            let (time, key) = key(last);
            format!("{time}.{key}")
        });
        Self { items, next }
    }
}
