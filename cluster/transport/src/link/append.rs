//! The stream of entries to one replica: requests are pipelined, answers come in their order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use mangrove_proto::cluster as proto;
use mangrove_raft::TypeConfig;
use openraft::base::BoxStream;
use openraft::network::RPCOption;
use openraft::raft::{AppendEntriesRequest, StreamAppendResult};
use tonic::Streaming;

use super::{Link, Rpc, malformed, unreachable};
use crate::convert;

// openraft's limit is a heartbeat. A follower's disk may take longer over a batch without being gone.
const PATIENCE: u32 = 10;

/// A request and its answer, on a stream of their own.
pub(super) async fn one(
    link: &Link,
    request: AppendEntriesRequest<TypeConfig>,
    option: RPCOption,
) -> Rpc<StreamAppendResult<TypeConfig>> {
    let mut output = open(link, stream::iter([request]), option).await?;
    output.next().await.ok_or_else(|| unreachable("the stream ended without an answer"))?
}

/// Opens the stream with the first request: the other side answers the call once it knows the group. What it would answer
/// to a first request may be known (`Ends`): then that is the stream, and the caller opens another for what comes next.
pub(super) async fn open<'s, S>(
    link: &'s Link,
    mut input: S,
    option: RPCOption,
) -> Rpc<BoxStream<'s, Rpc<StreamAppendResult<TypeConfig>>>>
where
    S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + Unpin + 'static,
{
    let Some(first) = input.next().await else { return Ok(Box::pin(stream::empty())) };
    if let Some(known) = link.network.ends.answer(link.group, link.target, &first) {
        return Ok(Box::pin(stream::iter([Ok(known)])));
    }
    let (group, sent) = (link.group, Arc::new(AtomicU64::new(0)));
    let counter = sent.clone();
    let requests = stream::iter([first]).chain(input).map(move |request| {
        counter.fetch_add(1, Ordering::Relaxed);
        convert::append::request(group, request)
    });
    let patience = option.hard_ttl() * PATIENCE;
    let mut client = link.appender()?;
    let opened = tokio::time::timeout(patience, client.append(requests)).await;
    let opened =
        opened.map_err(|_| unreachable(format!("node {} did not answer in {patience:?}", link.target)))?;
    let answers = opened.map_err(|status| unreachable(status.to_string()))?.into_inner();
    let answers = Answers { answers, sent, received: 0, patience };
    Ok(Box::pin(stream::unfold(Some(answers), |answers| async move { answers?.next().await })))
}

struct Answers {
    answers: Streaming<proto::AppendResponse>,
    sent: Arc<AtomicU64>,
    received: u64,
    patience: Duration,
}

impl Answers {
    /// The next answer, and this for the one after it; after an error there is none.
    async fn next(mut self) -> Option<(Rpc<StreamAppendResult<TypeConfig>>, Option<Self>)> {
        match self.receive().await {
            Ok(None) => None,
            Ok(Some(answer)) => Some((Ok(answer), Some(self))),
            Err(error) => Some((Err(error), None)),
        }
    }

    async fn receive(&mut self) -> Rpc<Option<StreamAppendResult<TypeConfig>>> {
        loop {
            match tokio::time::timeout(self.patience, self.answers.message()).await {
                Ok(Ok(None)) => return Ok(None),
                Ok(Ok(Some(answer))) => {
                    self.received += 1;
                    return convert::append::answered(answer).map(Some).map_err(malformed);
                }
                Ok(Err(status)) => return Err(unreachable(status.to_string()).into()),
                // Nothing was asked: the leader has nothing to say.
                Err(_) if self.sent.load(Ordering::Relaxed) == self.received => {}
                Err(_) => return Err(unreachable(format!("no answer in {:?}", self.patience)).into()),
            }
        }
    }
}
