//! Heartbeats, over the stream that all groups share.

use std::time::Duration;

use futures::{Stream, StreamExt};
use mangrove_raft::TypeConfig;
use openraft::base::BoxStream;
use openraft::network::RPCOption;
use openraft::raft::{AppendEntriesRequest, StreamAppendResult};
use tonic::Code;

use super::{Link, Rpc, append, malformed, unreachable};
use crate::convert;

type Answer = Rpc<StreamAppendResult<TypeConfig>>;

/// One answer for each request, in their order.
pub(super) fn each<'s, S>(link: &'s Link, input: S, option: RPCOption) -> BoxStream<'s, Answer>
where
    S: Stream<Item = AppendEntriesRequest<TypeConfig>> + Send + 'static,
{
    Box::pin(input.then(move |request| one(link, request, option.clone())))
}

async fn one(link: &Link, request: AppendEntriesRequest<TypeConfig>, option: RPCOption) -> Answer {
    let limit: Duration = option.hard_ttl();
    let beats = link.lanes()?.beats;
    let asked = beats.ask(convert::append::request(link.group, request.clone()));
    let answer = tokio::time::timeout(limit, asked).await;
    match answer.map_err(|_| unreachable(format!("node {} did not answer in {limit:?}", link.target)))? {
        Ok(answer) => convert::append::answered(answer).map_err(malformed),
        // A node of an earlier build.
        Err(status) if status.code() == Code::Unimplemented => append::one(link, request, option).await,
        Err(status) => Err(unreachable(status.to_string()).into()),
    }
}
