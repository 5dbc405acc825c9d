//! Heartbeats of many groups on one stream: each is answered as soon as its group has, none waits for another's.

use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use mangrove_proto::cluster as proto;
use proto::beat_answer::Outcome;
use tonic::{Status, Streaming};

use super::RaftService;
use crate::convert;

pub(super) type Answers = Pin<Box<dyn Stream<Item = Result<proto::Beaten, Status>> + Send>>;

/// Longer than any leader waits. A group that stands still is asked again and again, and must not fill the stream.
const PATIENCE: Duration = Duration::from_secs(1);
/// Heartbeats that wait for their groups: more than all groups send within the patience.
const AT_ONCE: usize = 1 << 16;
/// Answers in one message.
const TOGETHER: usize = 256;

pub(super) fn answer(service: &RaftService, messages: Streaming<proto::Beats>) -> Answers {
    let service = service.clone();
    let messages = messages.take_while(|message| std::future::ready(message.is_ok()));
    let beats = messages.flat_map(|message| stream::iter(message.unwrap_or_default().beats));
    let answers = beats.map(move |beat| one(service.clone(), beat)).buffer_unordered(AT_ONCE);
    Box::pin(answers.ready_chunks(TOGETHER).map(|answers| Ok(proto::Beaten { answers })))
}

async fn one(service: RaftService, beat: proto::Beat) -> proto::BeatAnswer {
    let asked = tokio::time::timeout(PATIENCE, ask(&service, beat.request));
    let outcome = asked.await.unwrap_or_else(|_| Err(Status::deadline_exceeded("the group stands still")));
    let outcome = match outcome {
        Ok(answer) => Outcome::Answered(answer),
        Err(status) => Outcome::Failed(status.message().to_owned()),
    };
    proto::BeatAnswer { number: beat.number, outcome: Some(outcome) }
}

async fn ask(
    service: &RaftService,
    request: Option<proto::AppendRequest>,
) -> Result<proto::AppendResponse, Status> {
    let request = request.ok_or(convert::Error::Missing("request"))?;
    let raft = service.group(request.group)?;
    let request = convert::append::asked(request)?;
    let (previous, last) = (request.prev_log_id, request.entries.last().map(|entry| entry.log_id));
    let answer = raft.append_entries(request).await.map_err(super::stopped)?;
    Ok(convert::append::answer(convert::append::of_one(answer, previous, last)?))
}
