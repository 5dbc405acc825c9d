//! A leader's snapshot: gathered whole, then installed.

use bytes::Bytes;
use mangrove_proto::cluster as proto;
use mangrove_raft::TypeConfig;
use openraft::type_config::alias::SnapshotOf;
use tonic::{Status, Streaming};

use super::{RaftService, stopped};
use crate::convert;

pub(super) async fn take(
    service: &RaftService,
    mut chunks: Streaming<proto::SnapshotChunk>,
) -> Result<proto::SnapshotResponse, Status> {
    let first = chunks.message().await?.and_then(|chunk| chunk.header);
    let header = first.ok_or_else(|| Status::invalid_argument("a snapshot must begin with its header"))?;
    let raft = service.group(header.group)?;
    let size = header.size;
    if size > service.settings.max_snapshot {
        return Err(Status::resource_exhausted(format!(
            "a snapshot of {size} bytes is too large for this node"
        )));
    }
    let (vote, meta) = convert::snapshot::begun(header)?;
    let snapshot = SnapshotOf::<TypeConfig, Bytes> { meta, snapshot: gather(size, chunks).await? };
    let answer = raft.install_full_snapshot(vote, snapshot).await.map_err(stopped)?;
    Ok(convert::snapshot::answer(answer))
}

async fn gather(size: u64, mut chunks: Streaming<proto::SnapshotChunk>) -> Result<Bytes, Status> {
    let mut state = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        state.extend(chunk.data);
        if state.len() as u64 > size {
            break;
        }
    }
    if state.len() as u64 == size {
        return Ok(state.into());
    }
    Err(Status::data_loss(format!("the snapshot has not the {size} bytes that its header told")))
}
