//! Writes one snapshot beside the running state machine.

use std::fmt;
use std::io;
use std::sync::Mutex;

use bytes::Bytes;
use mangrove_log::{SnapshotMeta, Snapshots, TypeConfig};
use openraft::RaftSnapshotBuilder;
use openraft::type_config::alias::SnapshotOf;

use crate::machine::{SnapshotError, SnapshotWriter};

/// A captured state and where it goes.
pub struct Builder {
    meta: SnapshotMeta,
    // A mutex only because openraft wants builders to be shareable.
    writer: Mutex<Option<SnapshotWriter>>,
    snapshots: Snapshots,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("meta", &self.meta).finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(meta: SnapshotMeta, writer: SnapshotWriter, snapshots: Snapshots) -> Self {
        Self { meta, writer: Mutex::new(Some(writer)), snapshots }
    }
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    type SnapshotData = Bytes;

    async fn build_snapshot(&mut self) -> Result<SnapshotOf<TypeConfig, Bytes>, io::Error> {
        let writer = self.writer.get_mut().ok().and_then(Option::take);
        let writer = writer.ok_or_else(|| io::Error::other("a builder makes one snapshot only"))?;
        let meta = self.meta.clone();
        let state = self.snapshots.aside(move |snapshots| {
            let state = writer().map_err(unusable)?;
            snapshots.save(&meta, &state)?;
            Ok(state)
        });
        Ok(SnapshotOf::<TypeConfig, _> { meta: self.meta.clone(), snapshot: state.await?.into() })
    }
}

pub(crate) fn unusable(error: SnapshotError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
