//! Who of this node works on which recording: its writer, or the sweep that puts it together. Never both, or one would
//! join parts while the other still writes them.

use std::{collections::BTreeSet, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::open::Ticket;

/// The claims of one node; clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Claims {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Tenant and recording.
    taken: Mutex<BTreeSet<(String, String)>>,
    released: Notify,
}

/// The right to work on one recording; given back when dropped.
#[derive(Debug)]
pub(super) struct Claim {
    inner: Arc<Inner>,
    key: (String, String),
}

impl Claims {
    /// The claim, unless somebody has it.
    pub(super) fn try_claim(&self, ticket: &Ticket) -> Option<Claim> {
        let key = (ticket.tenant.clone(), ticket.recording.clone());
        let is_free = self.inner.taken.lock().insert(key.clone());
        is_free.then(|| Claim { inner: self.inner.clone(), key })
    }

    /// The claim, as soon as nobody has it.
    pub(super) async fn claim(&self, ticket: &Ticket) -> Claim {
        loop {
            let released = self.inner.released.notified();
            if let Some(claim) = self.try_claim(ticket) {
                return claim;
            }
            released.await;
        }
    }

    /// Waits until nobody works on anything.
    pub(super) async fn all_released(&self) {
        loop {
            let released = self.inner.released.notified();
            if self.inner.taken.lock().is_empty() {
                return;
            }
            released.await;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.inner.taken.lock().remove(&self.key);
        self.inner.released.notify_waiters();
    }
}
