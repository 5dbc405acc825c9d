//! A whole snapshot to one replica, in chunks, over the lane for bulk.

use std::time::Duration;

use bytes::Bytes;
use mangrove_raft::TypeConfig;
use mangrove_raft::types::Vote;
use openraft::raft::SnapshotResponse;
use openraft::type_config::alias::SnapshotOf;

use super::{Link, Rpc, malformed, unreachable};
use crate::convert;

pub(super) async fn send(
    link: &Link,
    vote: Vote,
    snapshot: SnapshotOf<TypeConfig, Bytes>,
    limit: Duration,
) -> Rpc<SnapshotResponse<TypeConfig>> {
    let chunks = convert::snapshot::chunks(link.group, vote, &snapshot.meta, snapshot.snapshot);
    let mut client = link.client(&link.lanes()?.bulk);
    let answer = tokio::time::timeout(limit, client.snapshot(futures::stream::iter(chunks))).await;
    let answer = answer.map_err(|_| unreachable(format!("the snapshot was not taken in {limit:?}")))?;
    let answer = answer.map_err(|status| unreachable(status.to_string()))?;
    convert::snapshot::answered(answer.into_inner()).map_err(malformed)
}
