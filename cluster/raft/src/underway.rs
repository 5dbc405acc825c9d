//! A command that a group has taken in, and its reply to come.

use std::time::Duration;

use mangrove_log::Payload;
use openraft::impls::ProgressResponder;
use openraft::raft::ClientWriteResult;
use openraft::type_config::alias::OneshotReceiverOf;
use tokio::time::{Instant, timeout_at};

use crate::{Error, Fence, Raft, TypeConfig};

/// A command on its way through the log. Dropped, it goes on all the same.
pub struct Underway {
    raft: Raft,
    reply: OneshotReceiverOf<TypeConfig, ClientWriteResult<TypeConfig>>,
    deadline: Instant,
    /// The group ended before it answered.
    is_lost: bool,
}

impl std::fmt::Debug for Underway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Underway").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl Underway {
    /// Hands a command over; under a fence, for that leadership alone. When this returns it has its place behind all that
    /// was handed over before.
    pub(crate) async fn begin(
        raft: &Raft,
        fence: Option<Fence>,
        payload: Vec<u8>,
        patience: Duration,
    ) -> Result<Self, Error> {
        let deadline = Instant::now() + patience;
        let (responder, reply) = ProgressResponder::complete_only();
        let request = raft.write(Payload(payload.into())).responder(responder);
        let request = match fence {
            Some(fence) => request.with_leader(fence.term),
            None => request,
        };
        timeout_at(deadline, request.into_future()).await.map_err(|_| Error::Timeout)??;
        Ok(Self { raft: raft.clone(), reply, deadline, is_lost: false })
    }

    /// What the state machine says, once the command is on a majority's disks and applied here. May be given up and called
    /// again until it has answered.
    pub async fn reply(&mut self) -> Result<Vec<u8>, Error> {
        if !self.is_lost {
            match timeout_at(self.deadline, &mut self.reply).await.map_err(|_| Error::Timeout)? {
                Ok(written) => return Ok(written?.data.0),
                // Asked once more it would panic.
                Err(_) => self.is_lost = true,
            }
        }
        Err(self.raft.is_initialized().await.map_or_else(Error::from, |_| Error::Stopped))
    }
}
