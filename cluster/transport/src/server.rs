//! Raft's messages from other nodes, handed to the group they name.

mod append;
mod beat;
mod snapshot;

use mangrove_proto::cluster as proto;
use mangrove_raft::{GroupHost, GroupId, Raft};
use proto::raft_server::Raft as RaftRpc;
use tokio::time::Instant;
use tonic::{Request, Response, Status, Streaming};

use crate::candidacy::{self, Candidacies};
use crate::convert;
use crate::network::Network;
use crate::settings::Settings;

/// The gRPC service over one node's groups.
#[derive(Debug, Clone)]
pub struct RaftService {
    host: GroupHost,
    settings: Settings,
    candidacies: Candidacies,
}

impl RaftService {
    /// `network` is the node's own: it knows when the node stands for election itself.
    pub(crate) fn over(host: GroupHost, network: &Network) -> Self {
        let (settings, candidacies) = (network.peers.settings.clone(), network.candidacies.clone());
        Self { host, settings, candidacies }
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
        let (group, asked) = (request.group, convert::vote::asked(request)?);
        let mut answer = raft.pre_vote(asked.clone()).await.map_err(stopped)?;
        if answer.vote_granted {
            let limit = candidacy::limit(&raft);
            answer.vote_granted = self.candidacies.grants(group, &asked, Instant::now(), limit);
        }
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
        let asked = convert::transfer::asked(request)?;
        // Goes on if the caller waits no longer: it gives up the lead all the same, and between nodes far apart the end of
        // its log comes as late as its patience ends.
        let taken = tokio::spawn(async move { raft.handle_transfer_leader(asked).await });
        let answer = taken.await.map_err(stopped)?.map_err(stopped)?;
        Ok(Response::new(convert::transfer::answer(answer)))
    }
}

/// The group stopped or its disk failed; the sender backs off.
fn stopped(error: impl std::fmt::Display) -> Status {
    Status::unavailable(error.to_string())
}
