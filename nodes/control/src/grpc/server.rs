//! The serving side.

use futures::{StreamExt, stream::BoxStream};
use mangrove_proto::{
    common::Ack,
    control::{
        ProposeReply, ProposeRequest, SnapshotPart, SnapshotRequest,
        control_server::{Control as ControlRpc, ControlServer},
    },
    edge::EdgeEvents,
    media::MediaEvents,
    service::{Control as _, Error},
};
use tonic::{Request, Response, Status};

use super::answer;
use crate::{Control, backup, entry, forward::LARGEST};

/// Serves this node's control role to edges, media nodes and other control nodes.
#[derive(Debug)]
pub struct Server {
    control: Control,
}

/// The service to add to a node's gRPC router.
pub fn server(control: Control) -> ControlServer<Server> {
    ControlServer::new(Server { control }).max_decoding_message_size(LARGEST)
}

#[async_trait::async_trait]
impl ControlRpc for Server {
    async fn deliver_edge(&self, events: Request<EdgeEvents>) -> Result<Response<Ack>, Status> {
        answer(self.control.deliver_edge(events.into_inner()).await)
    }

    async fn deliver_media(&self, events: Request<MediaEvents>) -> Result<Response<Ack>, Status> {
        answer(self.control.deliver_media(events.into_inner()).await)
    }

    async fn propose(&self, request: Request<ProposeRequest>) -> Result<Response<ProposeReply>, Status> {
        answer(self.propose_here(request.into_inner()).await)
    }

    type SnapshotStream = BoxStream<'static, Result<SnapshotPart, Status>>;

    async fn snapshot(
        &self,
        request: Request<SnapshotRequest>,
    ) -> Result<Response<Self::SnapshotStream>, Status> {
        let parts = backup::serve(&self.control, request.into_inner().group).await;
        answer(parts.map(|parts| parts.map(Ok).boxed()))
    }
}

impl Server {
    /// Only as the group's leader, in the term that is asked: what was sent on once is not sent on again, and who sent it
    /// may have asked the next leader meanwhile.
    async fn propose_here(&self, request: ProposeRequest) -> Result<ProposeReply, Error> {
        let no_leader = || Error::NoLeader { group: request.group.into() };
        let group = self.control.group(request.group).ok_or_else(no_leader)?;
        let asked = |led: &u64| request.term == 0 || request.term == *led;
        let term = group.term_led().filter(asked).ok_or_else(no_leader)?;
        let commands = entry::decode_commands(&request.commands)
            .map_err(|error| Error::Refused { why: format!("the commands can't be read: {error}") })?;
        let outcomes: Vec<_> =
            commands.into_iter().map(|command| group.proposer.submit_under(term, command)).collect();
        let mut replies = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            replies.push(outcome.await.unwrap_or_else(|_| Err(no_leader()))?.reply);
        }
        Ok(ProposeReply { replies: entry::encode_replies(&replies).into(), index: group.shared.index() })
    }
}
