//! What control needs of the history: a place for its outbox, and the stories of past calls.

use std::fmt::Debug;

use async_trait::async_trait;
use mangrove_proto::{
    id::{CallId, TenantId},
    story::Entry,
};

use crate::{Batch, Error, History};

/// Keeps what control's outbox holds.
#[async_trait]
pub trait Ledger: Debug + Send + Sync {
    /// Writes a batch whole or not at all. One that comes twice changes nothing the second time: records are kept by
    /// their keys.
    async fn write(&self, batch: &Batch) -> Result<(), Error>;

    /// The story of a past call; None also when it is another tenant's.
    async fn story(&self, tenant: &TenantId, call: CallId) -> Result<Option<Vec<Entry>>, Error>;
}

#[async_trait]
impl Ledger for History {
    async fn write(&self, batch: &Batch) -> Result<(), Error> {
        Self::write(self, batch).await
    }

    async fn story(&self, tenant: &TenantId, call: CallId) -> Result<Option<Vec<Entry>>, Error> {
        Self::story(self, tenant, call).await
    }
}
