//! What the role is told when it starts.

use std::{sync::Arc, time::Duration};

use mangrove_history::Ledger;

/// What the role needs besides the cluster.
#[derive(Debug)]
pub struct Options {
    pub history: Arc<dyn Ledger>,
    pub(crate) pace: Pace,
}

impl Options {
    /// With the usual pauses.
    pub fn new(history: impl Ledger + 'static) -> Self {
        Self { history: Arc::new(history), pace: Pace::default() }
    }
}

/// The role's pauses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The oldest that the stamp of a group with calls becomes.
    pub fresh: Duration,
    /// Before an effect that was not taken goes out again.
    pub retry: Duration,
    /// Before a face that fell is made again, the first time.
    pub respawn: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        let ms = Duration::from_millis;
        Self { fresh: ms(20_000), retry: ms(1_000), respawn: ms(200) }
    }
}
