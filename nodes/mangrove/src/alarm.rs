//! A node of which a part has failed stays up: talk goes on, and what can't be kept is not acknowledged. The operator is
//! told again and again.

use std::{convert::Infallible, time::Duration};

use tokio::{sync::watch, time::sleep};

/// Between two tellings.
pub(crate) const PERIOD: Duration = Duration::from_secs(60);

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
