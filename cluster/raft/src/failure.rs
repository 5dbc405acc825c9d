//! What makes a node unfit until it is started again: a failed disk, a group that has ended, a part that says so.

use tokio::sync::watch;

/// The first reason, once there is one. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Failure(watch::Sender<Option<String>>);

impl Failure {
    /// Takes over the disk's failure when it comes.
    pub(crate) fn of_disk(mut disk: watch::Receiver<Option<String>>) -> Self {
        let failure = Self(watch::channel(None).0);
        let told = failure.clone();
        tokio::spawn(async move {
            let reason = disk.wait_for(Option::is_some).await.ok().and_then(|reason| reason.clone());
            // None: the disk was closed whole.
            if let Some(reason) = reason {
                told.raise(reason);
            }
        });
        failure
    }

    /// Later reasons follow from the first, or are for the log only.
    pub(crate) fn raise(&self, reason: String) {
        tracing::error!(reason, "a part of this node has failed");
        self.0.send_if_modified(|known| {
            let first = known.is_none();
            if first {
                *known = Some(reason);
            }
            first
        });
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Option<String>> {
        self.0.subscribe()
    }
}
