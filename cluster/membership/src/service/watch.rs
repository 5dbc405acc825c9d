//! The directory, told to a node that follows it: whole, now and at each change, for as long as this node leads group 0;
//! or where to ask instead.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, stream};
use mangrove_proto::cluster::WatchResponse;
use mangrove_raft::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::Status;

use crate::cluster::Cluster;
use crate::directory::Directory;
use crate::{DIRECTORY, machine};

pub(super) type Told = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

/// Changes that come closer together are told at once.
const PACE: Duration = Duration::from_millis(20);
/// How often the leader makes sure that it still leads: one cut off from the majority must not keep its followers.
const ASSURANCE: Duration = Duration::from_secs(1);

struct Teller {
    group: Handle,
    directory: watch::Receiver<Arc<Directory>>,
    assured: Instant,
}

pub(super) fn tell(cluster: &Cluster) -> Told {
    let group = cluster.group(DIRECTORY).filter(|group| group.leadership().is_leader());
    let Some(group) = group else {
        let ask = cluster.sources();
        return Box::pin(stream::iter([Ok(WatchResponse { ask, ..WatchResponse::default() })]));
    };
    let mut directory = cluster.watch_directory();
    directory.mark_changed();
    let teller = Teller { group, directory, assured: Instant::now() };
    Box::pin(stream::unfold(Some(teller), |teller| async {
        let mut teller = teller?;
        match teller.next().await {
            Ok(message) => Some((Ok(message), Some(teller))),
            Err(status) => Some((Err(status), None)),
        }
    }))
}

impl Teller {
    async fn next(&mut self) -> Result<WatchResponse, Status> {
        loop {
            let changed = timeout_at(self.assured + ASSURANCE, self.directory.changed()).await;
            if !self.group.leadership().is_leader() {
                return Err(gone());
            }
            match changed {
                Ok(Ok(())) => break,
                Ok(Err(_)) => return Err(gone()),
                Err(_) => self.assure().await?,
            }
        }
        sleep(PACE).await;
        let directory = self.directory.borrow_and_update().clone();
        Ok(WatchResponse { directory: machine::encode(directory.as_ref()).into(), ask: Vec::new() })
    }

    async fn assure(&mut self) -> Result<(), Status> {
        self.group.linearizable().await.map_err(|_| gone())?;
        self.assured = Instant::now();
        Ok(())
    }
}

fn gone() -> Status {
    Status::unavailable("this node does not lead group 0")
}
