//! openraft's own storage suite over the real log, snapshots and applier.

use mangrove_log::{GroupLog, TypeConfig};
use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};

use super::{Book, OWNER};
use crate::Store;
use crate::applier::{Applier, Progress};

struct OnDisk;

impl StoreBuilder<TypeConfig, GroupLog, Applier, (Store, tempfile::TempDir)> for OnDisk {
    async fn build(
        &self,
    ) -> Result<((Store, tempfile::TempDir), GroupLog, Applier), StorageError<TypeConfig>> {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), OWNER).unwrap();
        let log = store.group(1).unwrap();
        let applier =
            Applier::new(Box::new(Book::default()), store.snapshots(1).unwrap(), Progress::default());
        Ok(((store, folder), log, applier))
    }
}

#[tokio::test]
async fn openrafts_storage_suite_passes() {
    Suite::test_all(OnDisk).await.unwrap();
}
