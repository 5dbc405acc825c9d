//! A node of which a part has failed stays up: talk goes on, and what can't be kept is not acknowledged. The operator is
//! told again and again.

use std::{convert::Infallible, time::Duration};

use mangrove_membership::Cluster;
use metrics::{describe_gauge, gauge};
use tokio::{sync::watch, time::sleep};

/// Between two tellings.
pub(crate) const PERIOD: Duration = Duration::from_secs(60);
/// Between two looks for the figures.
const LOOK: Duration = Duration::from_secs(1);

const FAILED: &str = "mangrove_node_failed";
const ALARMS: &str = "mangrove_alarms";
const AHEAD: &str = "mangrove_clock_ahead_seconds";

/// Units and sentences for the exporter.
pub(crate) fn describe() {
    describe_gauge!(FAILED, "1 when a part of this node has failed for good, else 0");
    describe_gauge!(ALARMS, "what an operator should see to on this node; `mangrove nodes` says it in words");
    describe_gauge!(
        AHEAD,
        metrics::Unit::Seconds,
        "how far this node's wall clock is ahead of the other nodes'"
    );
}

/// Keeps the figures until the process ends.
pub(crate) async fn measure(cluster: Cluster) -> Infallible {
    let failure = cluster.watch_failure();
    loop {
        gauge!(FAILED).set(if failure.borrow().is_some() { 1.0 } else { 0.0 });
        gauge!(ALARMS).set(cluster.alarms().len() as f64);
        if let Some(ahead_ms) = cluster.clock_ahead_ms() {
            gauge!(AHEAD).set(ahead_ms as f64 / 1_000.0);
        }
        sleep(LOOK).await;
    }
}

/// One line of the log.
pub(crate) fn log(why: &str) {
    tracing::error!(
        why,
        "a part of this node has failed: talk goes on, but nothing of that part is acknowledged any more; start it again"
    );
}

/// Tells of the failure at once and then each period; quiet as long as there is none.
pub(crate) async fn watch(
    mut failure: watch::Receiver<Option<String>>,
    period: Duration,
    tell: impl Fn(&str),
) -> Infallible {
    let failed = failure.wait_for(Option::is_some).await.map(|why| why.clone());
    // The node stops: there is nothing to watch any more.
    let Ok(why) = failed else { return std::future::pending().await };
    loop {
        tell(why.as_deref().unwrap_or_default());
        sleep(period).await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_is_told_again_and_again_and_health_never() {
        let (failed, failure) = watch::channel(None);
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let task = tokio::spawn(watch(failure, Duration::from_millis(1), move |why| {
            // The test may have seen enough.
            let _ = tell.send(why.to_owned());
        }));
        tokio::task::yield_now().await;
        assert!(told.try_recv().is_err(), "nothing has failed");
        failed.send_replace(Some("no space".into()));
        for _ in 0..3 {
            assert_eq!(told.recv().await.unwrap(), "no space");
        }
        task.abort();
    }
}
