//! Raft's messages from other nodes, handed to the group they name.

mod append;
mod beat;
mod snapshot;

use mangrove_proto::cluster as proto;
use mangrove_raft::{GroupHost, GroupId, Raft};
use proto::raft_server::{Raft as RaftRpc, RaftServer};
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use crate::convert;
use crate::settings::Settings;

/// The gRPC service over one node's groups.
#[derive(Debug, Clone)]
pub struct RaftService {
    host: GroupHost,
    settings: Settings,
}

/// Raft's service, to be served beside others or alone.
pub fn routes(host: GroupHost, settings: &Settings) -> Routes {
    Routes::new(
        RaftServer::new(RaftService::over(host, settings)).max_decoding_message_size(settings.max_message),
    )
}

impl RaftService {
    pub(crate) fn over(host: GroupHost, settings: &Settings) -> Self {
        Self { host, settings: settings.clone() }
    }

    fn group(&self, group: GroupId) -> Result<Raft, Status> {
        self.host
            .raft(group)
            .ok_or_else(|| Status::not_found(format!("group {group} does not run on this node")))
    }
}

#[tonic::async_trait]
impl RaftRpc for RaftService {
    type AppendStream = append::Answers;

    async fn append(
        &self,
        request: Request<Streaming<proto::AppendRequest>>,
    ) -> Result<Response<Self::AppendStream>, Status> {
        append::answer(self, request.into_inner()).await.map(Response::new)
    }

    type BeatStream = beat::Answers;

    async fn beat(
        &self,
        request: Request<Streaming<proto::Beats>>,
    ) -> Result<Response<Self::BeatStream>, Status> {
        Ok(Response::new(beat::answer(self, request.into_inner())))
    }

    async fn vote(
        &self,
        request: Request<proto::VoteRequest>,
    ) -> Result<Response<proto::VoteResponse>, Status> {
        let request = request.into_inner();
        let raft = self.group(request.group)?;
        let answer = raft.vote(convert::vote::asked(request)?).await.map_err(stopped)?;
        Ok(Response::new(convert::vote::answer(answer)))
    }

    async fn pre_vote(
        &self,
        request: Request<proto::VoteRequest>,
    ) -> Result<Response<proto::VoteResponse>, Status> {
        let request = request.into_inner();
        let raft = self.group(request.group)?;
        let answer = raft.pre_vote(convert::vote::asked(request)?).await.map_err(stopped)?;
        Ok(Response::new(convert::vote::answer(answer)))
    }

    async fn snapshot(
        &self,
        request: Request<Streaming<proto::SnapshotChunk>>,
    ) -> Result<Response<proto::SnapshotResponse>, Status> {
        snapshot::take(self, request.into_inner()).await.map(Response::new)
    }

    async fn transfer_leader(
        &self,
        request: Request<proto::TransferLeaderRequest>,
    ) -> Result<Response<proto::TransferLeaderResponse>, Status> {
        let request = request.into_inner();
        let raft = self.group(request.group)?;
        let answer =
            raft.handle_transfer_leader(convert::transfer::asked(request)?).await.map_err(stopped)?;
        Ok(Response::new(convert::transfer::answer(answer)))
    }
}

/// The group stopped or its disk failed; the sender backs off.
fn stopped(error: impl std::fmt::Display) -> Status {
    Status::unavailable(error.to_string())
}
