//! Those who wait for an entry, and what they are told of it.

use std::time::Instant;

use mangrove_domain::{Command, Reply};
use mangrove_proto::service::Error;
use tokio::sync::oneshot;

use super::{Done, Outcome, Pending};
use crate::{forward::Committed, metrics};

/// Those who wait for one entry.
#[derive(Debug)]
pub(super) struct Authors {
    replies: Vec<Option<oneshot::Sender<Outcome>>>,
    oldest: Option<Instant>,
}

/// What came of an entry.
pub(super) struct Entered {
    replies: Vec<Reply>,
    elsewhere: Option<u64>,
}

impl Entered {
    /// Applied on this node.
    pub(super) fn here(replies: Vec<Reply>) -> Self {
        Self { replies, elsewhere: None }
    }
}

impl From<Committed> for Entered {
    fn from(Committed { replies, index }: Committed) -> Self {
        Self { replies, elsewhere: Some(index) }
    }
}

impl Authors {
    /// Parts what has been gathered into commands and those who wait for them.
    pub(super) fn of(batch: Vec<Pending>) -> (Vec<Command>, Self) {
        let oldest = batch.first().map(|pending| pending.since);
        let (commands, replies) = batch.into_iter().map(|pending| (pending.command, pending.reply)).unzip();
        (commands, Self { replies, oldest })
    }

    /// Since when the first of them waits.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.oldest
    }

    /// To each its own reply.
    pub(super) fn tell(self, outcome: Result<Entered, Error>) {
        if let Some(since) = self.oldest {
            metrics::committed(since.elapsed().as_secs_f64());
        }
        metrics::proposed(self.replies.len());
        let mut entered = outcome.map(|entered| (entered.replies.into_iter(), entered.elsewhere));
        for author in self.replies {
            let done = match &mut entered {
                Ok((replies, elsewhere)) => match replies.next() {
                    Some(reply) => Ok(Done { reply, elsewhere: *elsewhere }),
                    None => Err(Error::Refused { why: "the entry could not be read".into() }),
                },
                Err(error) => Err(error.clone()),
            };
            if let Some(author) = author {
                // Nobody may be waiting any more.
                let _ = author.send(done);
            }
        }
    }
}
