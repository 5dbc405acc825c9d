//! A leader's stream of entries: its first message names the group, the rest must be of the same.

use std::pin::Pin;

use futures::{Stream, StreamExt, stream};
use mangrove_proto::cluster as proto;
use mangrove_raft::TypeConfig;
use openraft::raft::AppendEntriesRequest;
use tonic::{Status, Streaming};

use super::{RaftService, stopped};
use crate::convert;

pub(super) type Answers = Pin<Box<dyn Stream<Item = Result<proto::AppendResponse, Status>> + Send>>;

pub(super) async fn answer(
    service: &RaftService,
    mut messages: Streaming<proto::AppendRequest>,
) -> Result<Answers, Status> {
    let Some(first) = messages.message().await? else { return Ok(Box::pin(stream::empty())) };
    let group = first.group;
    let raft = service.group(group)?;
    let first = convert::append::asked(first)?;
    let rest = stream::unfold(messages, move |messages| next(group, messages));
    let answers = raft.stream_append(stream::iter([first]).chain(rest));
    Ok(Box::pin(answers.map(|answer| answer.map(convert::append::answer).map_err(stopped))))
}

/// A message that makes no sense ends the stream as a lost connection would; the leader begins anew.
async fn next(
    group: u32,
    mut messages: Streaming<proto::AppendRequest>,
) -> Option<(AppendEntriesRequest<TypeConfig>, Streaming<proto::AppendRequest>)> {
    let message = messages.message().await.ok()??;
    if message.group != group {
        tracing::warn!(group, other = message.group, "a Raft stream changed its group");
        return None;
    }
    match convert::append::asked(message) {
        Ok(request) => Some((request, messages)),
        Err(error) => {
            tracing::warn!(group, %error, "a Raft message could not be understood");
            None
        }
    }
}
