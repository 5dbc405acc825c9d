//! Connections are made by tasks of their own. tonic moves an attempt on only while a request waits for it: one that was
//! begun for a request which gave up would stand still, and its end of long ago would be the answer to the next request.

use std::io;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout};
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::{Channel, Endpoint, Uri};
use tower::service_fn;

/// A failure that is older when somebody asks says nothing of now.
const STALE: Duration = Duration::from_millis(100);

/// A channel that connects when first used, and whose attempts give up after `limit`.
pub(crate) fn channel<W, F>(
    endpoint: &Endpoint,
    limit: Duration,
    dial: impl Fn(Uri) -> F + Clone + Send + 'static,
) -> Channel
where
    W: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = io::Result<W>> + Send + 'static,
{
    endpoint.connect_with_connector_lazy(service_fn(move |uri: Uri| {
        let dial = dial.clone();
        async move { fresh(limit, move || dial(uri.clone())).await.map(TokioIo::new) }
    }))
}

/// Tries until an attempt succeeds, or fails while somebody waits for it.
async fn fresh<T, F>(limit: Duration, dial: impl Fn() -> F) -> io::Result<T>
where
    T: Send + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    loop {
        let attempt = AbortOnDropHandle::new(tokio::spawn(ended(limit, dial())));
        let (made, at) = attempt.await.map_err(io::Error::other)?;
        if made.is_ok() || at.elapsed() < STALE {
            return made;
        }
    }
}

/// How the attempt ended, and when.
async fn ended<T>(limit: Duration, dial: impl Future<Output = io::Result<T>>) -> (io::Result<T>, Instant) {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {limit:?}"));
    let made = timeout(limit, dial).await.map_err(late).flatten();
    (made, Instant::now())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::cell::Cell;
    use std::pin::pin;

    use futures::FutureExt;
    use tokio::time::sleep;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);

    async fn made_after(time: Duration, made: io::Result<u32>) -> io::Result<u32> {
        sleep(time).await;
        made
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_goes_on_while_nobody_waits_for_it() {
        let mut attempt = pin!(fresh(LIMIT, || made_after(Duration::from_secs(1), Ok(1))));
        assert!(attempt.as_mut().now_or_never().is_none());
        sleep(Duration::from_mins(1)).await;
        assert_eq!(attempt.now_or_never().unwrap().unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_later_does_not_get_an_old_attempts_failure() {
        let tries = Cell::new(0);
        let mut attempt = pin!(fresh(LIMIT, || {
            tries.set(tries.get() + 1);
            let first = tries.get() == 1;
            async move { if first { std::future::pending().await } else { Ok(2) } }
        }));
        assert!(attempt.as_mut().now_or_never().is_none());
        sleep(LIMIT * 2).await;
        assert_eq!(attempt.await.unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_told_when_the_limit_is_over() {
        let began = Instant::now();
        let error = fresh(LIMIT, std::future::pending::<io::Result<()>>).await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed()), (io::ErrorKind::TimedOut, LIMIT));
    }
}
