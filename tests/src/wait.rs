//! Waiting for a condition with a message, never for a time.

use std::time::{Duration, Instant};

/// How long a condition may take before the test fails, unless it says otherwise.
pub const USUAL: Duration = Duration::from_secs(20);

/// Asks again until the condition gives something, and fails with what was waited for.
pub async fn until<T, F: AsyncFnMut() -> Option<T>>(what: &str, condition: F) -> anyhow::Result<T> {
    within(USUAL, what, condition).await
}

/// As `until`, with a time of its own.
pub async fn within<T, F: AsyncFnMut() -> Option<T>>(
    limit: Duration,
    what: &str,
    mut condition: F,
) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        if let Some(value) = condition().await {
            return Ok(value);
        }
        anyhow::ensure!(started.elapsed() < limit, "waited {limit:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
