//! How a node's time is over: asked to stop it hands over to others and ends its roles; when a part has failed that only
//! another process can replace, it ends as it is.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};

use super::{Node, Roles};
use crate::{alarm, disk};

/// Between two looks whether others have taken over.
const LOOK: Duration = Duration::from_millis(10);

/// How a node's time is over.
pub(super) enum End {
    Asked,
    /// A part failed that only another process can replace: the reason.
    Failed(String),
}

impl Node {
    /// Returns when a signal asks for the end, or the disk or a media thread has failed. A failure of the node is told each
    /// minute meanwhile.
    pub(super) async fn until_stopped(&self, data_dir: &Path) -> Result<End> {
        let mut terminate = signal(SignalKind::terminate()).context("signals can't be watched")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("signals can't be watched")?;
        tokio::select! {
            _ = terminate.recv() => tracing::info!("asked to stop (SIGTERM)"),
            _ = interrupt.recv() => tracing::info!("asked to stop (SIGINT)"),
            why = disk::failed(&self.cluster, data_dir) => return Ok(End::Failed(why)),
            name = self.roles.carrier.carried.lost_thread() => return Ok(End::Failed(format!(
                "a media thread of {name} has ended, and its calls would stay silent"
            ))),
            never = alarm::watch(self.cluster.watch_failure(), alarm::PERIOD, alarm::log) => match never {},
        }
        Ok(End::Asked)
    }

    /// Has others take over what this node leads and carries, for half of the time limit at most.
    async fn hand_over(&self) {
        let handed = async {
            match self.cluster.stop_node().await {
                Ok(true) => self.is_free().await,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "nobody takes over from this node: it stops as it is"),
            }
        };
        if tokio::time::timeout(self.patience / 2, handed).await.is_err() {
            tracing::warn!("others have not taken over all from this node in time");
        }
    }

    async fn is_free(&self) {
        let carrier = &self.roles.carrier;
        while self.cluster.leads_any() || !carrier.has_handed_over() || carrier.is_still_heard() {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Hands over to others, then ends the roles from the outside in, within the time limit: what is not done then is done
    /// by the next start.
    pub(crate) async fn stop(self) {
        self.hand_over().await;
        let patience = self.patience / 2;
        let in_order = async {
            let Roles { control, carrier } = &self.roles;
            carrier.carried.drain();
            self.console.shutdown().await;
            carrier.carried.stop().await;
            self.grpc.stop();
            if let Some(control) = control {
                control.stop().await;
            }
            self.cluster.shutdown().await;
        };
        match tokio::time::timeout(patience, in_order).await {
            Ok(()) => tracing::info!(node = self.name, "node has stopped"),
            Err(_) => tracing::warn!(node = self.name, ?patience, "node did not stop in time and is cut off"),
        }
    }
}
