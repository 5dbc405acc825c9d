//! Numbers for the wishes of those who don't number them: of two that came in through one desk the later one stands.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mangrove_proto::control::Author;

/// Cheap to clone; one asker.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    id: u64,
    asked: Arc<AtomicU64>,
}

impl Asker {
    pub(super) fn new() -> Self {
        Self { id: rand::random_range(1..=u64::MAX), asked: Arc::default() }
    }

    /// The author with the next number, unless it has one of its own.
    pub(super) fn number(&self, author: Option<Author>) -> Author {
        let author = author.unwrap_or_default();
        if author.asker != 0 {
            return author;
        }
        let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        Author { asker: self.id, number, ..author }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_numbers_keeps_the_numbers_and_others_get_rising_ones() {
        let (one, other) = (Asker::new(), Asker::new());
        let twin = one.clone();
        let own = Author { asker: 7, number: 3, ..Author::default() };
        assert_eq!(one.number(Some(own.clone())), own);
        let numbers = [one.number(None), twin.number(None), other.number(None)];
        assert_eq!(numbers.each_ref().map(|author| author.number), [1, 2, 1]);
        assert_eq!(numbers[0].asker, numbers[1].asker);
        assert!(numbers[0].asker != numbers[2].asker && numbers[0].asker != 0);
    }
}
