//! How long far ends are waited for.

use tokio::time::{self, Instant};

use super::end::End;
use crate::options::Limits;

/// How long the far end may take for what it does next.
#[derive(Debug)]
pub(super) struct Patience {
    deadline: Option<Instant>,
    /// Whether the deadline is that of a message, not of silence.
    message: bool,
}

impl Patience {
    /// A stranger's connection begins with a message that has to arrive.
    pub(super) fn new(trusted: bool, limits: &Limits) -> Self {
        Self { deadline: (!trusted).then(|| Instant::now() + limits.message_time), message: true }
    }

    pub(super) async fn until<T>(&self, future: impl Future<Output = T>) -> Result<T, End> {
        let Some(deadline) = self.deadline else { return Ok(future.await) };
        let end = if self.message { End::Slow } else { End::Idle };
        time::timeout_at(deadline, future).await.map_err(|_| end)
    }

    /// A message that has begun keeps its deadline however slowly it trickles in, and a stranger's keep-alives
    /// buy it no time.
    pub(super) fn after_reading(&mut self, messages: bool, partial: bool, trusted: bool, limits: &Limits) {
        let begun = self.message && self.deadline.is_some();
        if partial && (messages || !begun) {
            *self = Self { deadline: Some(Instant::now() + limits.message_time), message: true };
        } else if !partial && trusted {
            *self = Self { deadline: None, message: false };
        } else if !partial && messages {
            *self = Self { deadline: Some(Instant::now() + limits.idle_time), message: false };
        }
    }
}
