//! How often groups beat, elect and snapshot.

use std::sync::Arc;
use std::time::Duration;

use openraft::{Config, SnapshotPolicy};

use crate::error::Error;

/// Times and sizes of all groups of a node. The defaults fit a local network and a new leader within a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// A leader's heartbeat, and how long one may take to be answered. Smaller finds a dead leader sooner and costs more
    /// messages a group.
    pub heartbeat: Duration,
    /// A follower that hears nothing holds to its leader for this long, and votes for nobody else. At least two and a half
    /// heartbeats. It stands for election when as much again has passed, or up to three sevenths less by chance: a new
    /// leader after a death comes one and a half to two leases later.
    pub lease: Duration,
    /// Entries between snapshots. Smaller restarts faster, larger writes less.
    pub snapshot_every: u64,
    /// Entries kept behind a snapshot, so that a follower shortly away needs no snapshot.
    pub keep_entries: u64,
    /// How long `propose` waits before it gives up with an unknown outcome.
    pub propose_timeout: Duration,
    /// How long a whole snapshot may take to reach another node.
    pub snapshot_timeout: Duration,
}

/// A follower that answered so short a while ago needs no heartbeat.
const SPARED: Duration = Duration::from_millis(100);

impl Default for Tuning {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(80),
            lease: Duration::from_millis(350),
            snapshot_every: 20_000,
            keep_entries: 5_000,
            propose_timeout: Duration::from_secs(5),
            snapshot_timeout: Duration::from_secs(60),
        }
    }
}

impl Tuning {
    /// For nodes up to 150 ms from one another: a vote's two rounds take 0.6 s, so that a new leader comes within 3 s.
    pub fn wan() -> Self {
        Self { heartbeat: Duration::from_millis(400), lease: Duration::from_millis(1_050), ..Self::default() }
    }

    pub(crate) fn config(&self) -> Result<Arc<Config>, Error> {
        let lease = self.lease.as_millis() as u64;
        let config = Config {
            cluster_name: "mangrove".into(),
            heartbeat_interval: self.heartbeat.as_millis() as u64,
            heartbeat_min_interval: Some(self.heartbeat.min(SPARED).as_millis() as u64),
            // openraft takes the maximum for the lease too, and counts the timeout from the lease's end.
            election_timeout_min: lease * 4 / 7,
            election_timeout_max: lease,
            install_snapshot_timeout: self.snapshot_timeout.as_millis() as u64,
            snapshot_policy: SnapshotPolicy::LogsSinceLast(self.snapshot_every),
            max_in_snapshot_log_to_keep: self.keep_entries,
            replication_lag_threshold: self.snapshot_every + self.keep_entries,
            // Deleting in batches costs less; a quarter of what is kept is soon enough.
            purge_batch_size: (self.keep_entries / 4).clamp(1, 256),
            enable_pre_vote: Some(true),
            // A restarted leader must win a new term: a fence then never outlives the process that held it.
            enable_leader_restore: Some(false),
            ..Config::default()
        };
        config.validate().map(Arc::new).map_err(|error| Error::Refused(format!("bad Raft timing: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_timings_hold_together_and_the_slower_one_outlasts_a_round_trip() {
        assert!(Tuning::default().config().is_ok());
        let config = Tuning::wan().config().expect("a timing that openraft takes");
        assert!(config.heartbeat_interval > 300, "two ways of 150 ms");
    }
}
