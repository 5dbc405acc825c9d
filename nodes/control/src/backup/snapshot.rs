//! A shard group's state from the node that leads it, wherever that is.

use futures::{Stream, StreamExt, TryStreamExt, stream};
use mangrove_membership::Seed;
use mangrove_proto::{
    control::{SnapshotPart, SnapshotRequest},
    service::Error,
};

use crate::{control::Control, machine};

/// Bytes in one message.
const PART: usize = 1 << 20;

/// The state with all that was committed before, if this node leads the group.
async fn own(control: &Control, group: u32) -> Result<Seed, Error> {
    let no_leader = || Error::NoLeader { group: group.into() };
    let shared = control.group(group).filter(|group| group.is_led()).ok_or_else(no_leader)?.shared.clone();
    let log = control.cluster().group(group).ok_or_else(no_leader)?;
    log.linearizable().await.map_err(|_| no_leader())?;
    let current = shared.get();
    let index = current.index;
    let written = tokio::task::spawn_blocking(move || machine::to_bytes(&current));
    let failed = |why: String| Error::Unavailable { what: format!("group {group}'s state"), why };
    let state = written.await.map_err(|error| failed(error.to_string()))?;
    Ok(Seed { index, state: state.map_err(|error| failed(error.to_string()))? })
}

/// For another node's backup.
pub(crate) async fn serve(
    control: &Control,
    group: u32,
) -> Result<impl Stream<Item = SnapshotPart> + Send + use<>, Error> {
    let Seed { index, state } = own(control, group).await?;
    let state = bytes::Bytes::from(state);
    let parts: Vec<_> =
        (0..state.len().max(1)).step_by(PART).map(|at| at..state.len().min(at + PART)).collect();
    Ok(stream::iter(parts).map(move |part| SnapshotPart { index, state: state.slice(part) }))
}

/// The group's state, from whoever leads it.
pub(crate) async fn of_leader(control: &Control, group: u32) -> Result<Seed, Error> {
    match own(control, group).await {
        Err(Error::NoLeader { .. }) => {}
        done => return done,
    }
    let parts = control.forward().snapshot(SnapshotRequest { group }).await?;
    let broken = |status| Error::from_status(&status, &format!("group {group}'s leader"));
    let collect = |mut seed: Seed, part: SnapshotPart| async move {
        seed.index = part.index;
        seed.state.extend_from_slice(&part.state);
        Ok(seed)
    };
    parts.map_err(broken).try_fold(Seed { index: 0, state: Vec::new() }, collect).await
}
