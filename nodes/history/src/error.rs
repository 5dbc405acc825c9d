//! Why history could not be read or written, with the verdict whether to try again.

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away, locked, full or too slow. Nothing was written; the same call may succeed later.
    #[error("history database is not available for {what}")]
    Unavailable {
        /// What was tried: "cdr query".
        what: &'static str,
        #[source]
        source: sqlx::Error,
    },
    /// The database took longer than it is given.
    #[error("history database took more than {seconds} s for {what}")]
    Slow {
        /// What was tried.
        what: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A stored row can't be read.
    #[error("history row of {what} {key} is damaged: {why}")]
    Damaged {
        /// The table.
        what: &'static str,
        /// The row.
        key: String,
        /// What the reader says.
        why: String,
    },
    /// The address or the question makes no sense.
    #[error("{what} is refused: {why}")]
    Refused {
        /// "database url", "page".
        what: &'static str,
        /// What is allowed.
        why: String,
    },
    /// The tables could not be brought to this version.
    #[error("history tables can't be migrated, look at the database and its rights")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

impl Error {
    /// Whether the same request may succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Slow { .. })
    }
}
