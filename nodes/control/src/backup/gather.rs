//! A backup of the running cluster: consistent, because nothing that concerns more than one group changed while it was
//! gathered; if something did, it is gathered again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::stream;
use mangrove_membership::{Directory, Move, PROTOCOL, Seed};
use mangrove_proto::service::{BackupBytes, Error};
use tokio::time::sleep;

use super::{
    archive::{Header, Writer},
    of_leader,
};
use crate::{clock, control::Control};

const TRIES: usize = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(300);

/// The whole cluster, ready to be read.
pub(crate) async fn backup(control: &Control) -> Result<BackupBytes, Error> {
    for _ in 0..TRIES {
        if let Some((directory, groups)) = gather(control).await? {
            return Ok(Box::pin(stream::iter(write(&directory, groups))));
        }
        sleep(BETWEEN_TRIES).await;
    }
    Err(Error::Unavailable {
        what: "a backup".into(),
        why: "tenants were made, changed or moved all the time it was gathered".into(),
    })
}

/// None: something that concerns several groups changed meanwhile.
async fn gather(control: &Control) -> Result<Option<(Arc<Directory>, BTreeMap<u32, Seed>)>, Error> {
    let before = newest(control).await?;
    if before.moves.values().any(Move::is_under_way) {
        return Ok(None);
    }
    let shard_groups = before.founding.as_ref().map_or(0, |founding| founding.shard_groups);
    let mut groups = BTreeMap::new();
    for group in 1..=shard_groups {
        groups.insert(group, of_leader(control, group).await?);
    }
    let after = newest(control).await?;
    let same =
        (&before.tenants, &before.claims, &before.moves) == (&after.tenants, &after.claims, &after.moves);
    Ok(same.then_some((after, groups)))
}

async fn newest(control: &Control) -> Result<Arc<Directory>, Error> {
    let unknown = |error: mangrove_membership::Error| Error::Unavailable {
        what: "the directory".into(),
        why: error.to_string(),
    };
    control.cluster().newest_directory().await.map_err(unknown)
}

/// Each part is made when it is read.
fn write(
    directory: &Directory,
    groups: BTreeMap<u32, Seed>,
) -> impl Iterator<Item = Result<bytes::Bytes, Error>> + Send + use<> {
    let founding = directory.founding.as_ref();
    let header = Header {
        cluster: format!("{:016x}", founding.map_or(0, |founding| founding.incarnation)),
        version: env!("CARGO_PKG_VERSION").into(),
        protocol: PROTOCOL,
        made_at: clock::wall(),
        shard_groups: founding.map_or(0, |founding| founding.shard_groups),
    };
    let (mut writer, start) = Writer::begin(&header);
    let directory = writer.directory(&directory.to_bytes());
    let (mut groups, mut writer) = (groups.into_iter(), Some(writer));
    let rest = std::iter::from_fn(move || match groups.next() {
        Some((group, seed)) => writer.as_mut().map(|writer| writer.group(group, &seed)),
        None => writer.take().map(Writer::end),
    });
    [start, directory].into_iter().chain(rest).map(Ok)
}
