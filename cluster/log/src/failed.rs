//! Whether a write has failed. After the first one nothing is written any more: what the disk holds is unknown, and a
//! later success of the same file would say nothing about what was lost before it.

use std::fmt::Display;
use std::io;
use std::sync::Arc;

use tokio::sync::watch;

/// The first failure, once there is one. Clones share it.
#[derive(Clone)]
pub(crate) struct Failed {
    first: Arc<watch::Sender<Option<String>>>,
    on_failure: Arc<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Failed").field(&self.first.borrow()).finish()
    }
}

impl Failed {
    /// None yet. `on_failure` runs once, before anybody is told.
    pub(crate) fn new(on_failure: impl Fn() + Send + Sync + 'static) -> Self {
        Self { first: Arc::new(watch::channel(None).0), on_failure: Arc::new(on_failure) }
    }

    /// Follows it.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<String>> {
        self.first.subscribe()
    }

    /// An error once anything has failed.
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.first.borrow().as_ref() {
            Some(reason) => Err(io::Error::other(format!("the log failed earlier: {reason}"))),
            None => Ok(()),
        }
    }

    /// Notes a failure; later ones follow from the first.
    pub(crate) fn raise(&self, error: &dyn Display) {
        if self.first.borrow().is_none() {
            tracing::error!(%error, "the Raft log cannot be written; this node acknowledges nothing more");
            (self.on_failure)();
            self.first.send_replace(Some(error.to_string()));
        }
    }
}
