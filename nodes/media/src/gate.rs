//! Holds back what this node must not say or write while another one still carries the same addresses.

use tokio::sync::watch;

/// Opens once; clones are the same gate.
#[derive(Debug, Clone)]
pub(crate) struct Gate(watch::Sender<bool>);

impl Gate {
    pub(crate) fn new(is_open: bool) -> Self {
        Self(watch::channel(is_open).0)
    }

    pub(crate) fn open(&self) {
        self.0.send_replace(true);
    }

    /// Returns when it is open.
    pub(crate) async fn opened(&self) {
        // The sender is this gate's own: it can't be gone.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}
