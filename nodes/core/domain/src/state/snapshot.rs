//! The state as bytes: one version byte, then MessagePack with field names, so that fields may be added.

use std::sync::Arc;

use super::State;
use crate::{ready, rules::NEWEST};

/// The format that this build writes.
const VERSION: u8 = 1;

/// Why bytes are no state of ours.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Another format.
    #[error("snapshot has format {0}, this build reads {VERSION}; start the build that wrote it")]
    Version(u8),
    /// Of a build with newer rules: it would go on otherwise than the other replicas.
    #[error("state follows rules {0}, this build knows {NEWEST} at most; start the build that wrote it")]
    Rules(u32),
    /// Nothing at all.
    #[error("snapshot is empty")]
    Empty,
    /// Broken on its way.
    #[error("snapshot can't be read: {0}")]
    Unreadable(#[from] rmp_serde::decode::Error),
    /// Broken here.
    #[error("state can't be written: {0}")]
    Unwritable(#[from] rmp_serde::encode::Error),
}

impl State {
    /// Everything, for a snapshot.
    pub fn snapshot(&self) -> Result<Vec<u8>, RestoreError> {
        let mut bytes = vec![VERSION];
        rmp_serde::encode::write_named(&mut bytes, self)?;
        Ok(bytes)
    }

    /// The state that [`State::snapshot`] wrote.
    pub fn restore(bytes: &[u8]) -> Result<Self, RestoreError> {
        match bytes.split_first() {
            None => Err(RestoreError::Empty),
            Some((&VERSION, body)) => Ok(rmp_serde::from_slice::<Self>(body)?.known()?.lined_up()),
            Some((&other, _)) => Err(RestoreError::Version(other)),
        }
    }

    /// Itself, unless things are decided in it, or are to be, by rules that this build does not know.
    fn known(self) -> Result<Self, RestoreError> {
        let coming = self.arrivals.values().map(|arrival| arrival.rules);
        let newest = coming.fold(self.rules, u32::max);
        if newest > NEWEST { Err(RestoreError::Rules(newest)) } else { Ok(self) }
    }

    /// With what is worked out instead of written.
    fn lined_up(mut self) -> Self {
        for id in self.tenants.keys().cloned().collect::<Vec<_>>() {
            if let Some(tenant) = self.tenants.get_mut(&id) {
                ready::line_up(Arc::make_mut(tenant));
            }
        }
        self
    }
}
