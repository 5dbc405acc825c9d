//! Whether this node's wall clock shows what the others' show. Nothing is decided by wall clocks; they are labels, and what
//! tokens and certificates end by. So a difference is an alarm for operators, and no more than that.

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mangrove_proto::cluster::PingRequest;
use mangrove_proto::cluster::membership_client::MembershipClient;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::Cluster;
use crate::directory::Member;

/// Between two comparisons.
const EVERY: Duration = Duration::from_secs(3);
/// An answer that takes longer says too little.
const PATIENCE: Duration = Duration::from_millis(500);
/// Control nodes that are asked at most: there may be many nodes, and a few clocks tell.
const ASKED: usize = 5;
/// What a clock may differ without harm to anybody.
const TOLERANCE_MS: u64 = 2_000;

/// How this node's clock differs from the others', as last seen.
#[derive(Debug, Default)]
pub(super) struct Clocks(Mutex<Option<i64>>);

impl Clocks {
    /// Milliseconds that this node's clock is ahead; negative when it is behind. None while there is nobody to compare it with.
    fn ahead_ms(&self) -> Option<i64> {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn set(&self, ahead_ms: Option<i64>) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = ahead_ms;
    }

    /// A sentence when the difference is more than it may be.
    pub(super) fn alarm(&self) -> Option<String> {
        let ahead = self.ahead_ms().filter(|ahead| ahead.unsigned_abs() > TOLERANCE_MS)?;
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        let seconds = ahead.unsigned_abs() / 1_000;
        Some(format!(
            "this node's clock is {seconds} s {side} the other nodes' clocks; set it right (NTP): times in records are \
             wrong where this node leads, and it takes others' tokens and certificates for ended or not yet begun"
        ))
    }
}

impl Cluster {
    /// Milliseconds that this node's wall clock is ahead of the others'; none while there is nobody to compare it with.
    pub fn clock_ahead_ms(&self) -> Option<i64> {
        self.node.clocks.ahead_ms()
    }

    /// Compares until the node stops.
    pub(super) fn compare_clocks(&self) {
        let cluster = self.clone();
        self.spawn(async move {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                cluster.compare_once().await;
            }
        });
    }

    async fn compare_once(&self) {
        let directory = self.directory();
        let others = directory.members.values().filter(|one| one.id != self.node() && one.is_control());
        let mut asked = JoinSet::new();
        for Member { address, .. } in others.take(ASKED) {
            let (cluster, address) = (self.clone(), address.clone());
            asked.spawn(async move { cluster.ahead_of(&address).await });
        }
        let told = asked.join_all().await.into_iter().flatten().collect();
        let before = self.node.clocks.alarm();
        self.node.clocks.set(typical(told));
        let now = self.node.clocks.alarm();
        match (&before, &now) {
            (None, Some(alarm)) => tracing::error!(alarm, "the wall clock differs"),
            (Some(_), None) => tracing::info!("the wall clock agrees with the other nodes' again"),
            _ => {}
        }
    }

    /// How far this node's clock is ahead of the one there, which was read about halfway between question and answer.
    async fn ahead_of(&self, address: &str) -> Option<i64> {
        let channel = self.node.network.channel(address).ok()?;
        let request = PingRequest { incarnation: self.incarnation(), ..PingRequest::default() };
        let asked = Instant::now();
        let answer = timeout(PATIENCE, MembershipClient::new(channel).ping(request)).await.ok()?.ok()?;
        let wall_ms = Some(answer.into_inner().wall_ms).filter(|wall| *wall > 0)?;
        let read = wall_ms_before(asked.elapsed() / 2);
        Some(read as i64 - wall_ms as i64)
    }
}

/// The difference that most others agree on: with one of two of them it is that one's clock which is wrong.
fn typical(mut differences: Vec<i64>) -> Option<i64> {
    differences.sort_unstable_by_key(|difference| difference.unsigned_abs());
    differences.get(differences.len().checked_sub(1)? / 2).copied()
}

/// Milliseconds since 1970, as this node's wall clock has it.
pub(crate) fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn wall_ms_before(ago: Duration) -> u64 {
    wall_ms().saturating_sub(ago.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn the_clock_that_most_others_disagree_with_is_the_wrong_one() {
        let table: [(&[i64], Option<i64>); 7] = [
            (&[], None),
            (&[HOUR], Some(HOUR)),
            (&[3, -HOUR], Some(3)),
            (&[HOUR, HOUR + 9], Some(HOUR)),
            (&[-HOUR, -HOUR, -HOUR, 5], Some(-HOUR)),
            (&[7, -4, HOUR], Some(7)),
            (&[7, -4, HOUR, HOUR], Some(7)),
        ];
        for (differences, expected) in table {
            assert_eq!(typical(differences.to_vec()), expected, "{differences:?}");
        }
    }

    #[test]
    fn an_alarm_says_which_way_and_how_far() {
        let clocks = Clocks::default();
        for (ahead, words) in [
            (None, None),
            (Some(TOLERANCE_MS as i64), None),
            (Some(HOUR), Some("3600 s ahead of")),
            (Some(-HOUR), Some("3600 s behind")),
        ] {
            clocks.set(ahead);
            let alarm = clocks.alarm();
            assert_eq!(alarm.is_some(), words.is_some(), "{ahead:?}");
            assert!(words.is_none_or(|words| alarm.is_some_and(|alarm| alarm.contains(words))), "{ahead:?}");
        }
    }
}
