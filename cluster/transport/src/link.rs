//! One group's link to one replica: openraft's RPCs as gRPC calls.

mod append;
mod beat;
mod snapshot;

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use mangrove_proto::cluster::raft_client::RaftClient;
use mangrove_raft::types::Vote;
use mangrove_raft::{GroupId, NodeId, TypeConfig};
use openraft::OptionalSend;
use openraft::base::{BoxFuture, BoxStream};
use openraft::error::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::network::v2::RaftNetworkV2;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, StreamAppendResult, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::type_config::alias::SnapshotOf;
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::convert;
use crate::network::Network;
use crate::peers::Lanes;

type Rpc<T> = Result<T, RPCError<TypeConfig>>;

/// A client bound to a group and a replica.
#[derive(Debug)]
pub struct Link {
    group: GroupId,
    target: NodeId,
    /// Of the membership, for want of a newer one.
    address: String,
    network: Network,
    heartbeats: bool,
}

impl Link {
    pub(crate) fn new(group: GroupId, target: NodeId, address: &str, network: &Network) -> Self {
        Self { group, target, address: address.into(), network: network.clone(), heartbeats: false }
    }

    pub(crate) fn for_heartbeats(self) -> Self {
        Self { heartbeats: true, ..self }
    }

    /// An address that cannot be one is an error of each call, as a node that is down is.
    fn lanes(&self) -> Rpc<Lanes> {
        let address = self.network.addresses.of(self.target, &self.address);
        let lanes = self.network.peers.lanes(&address);
        lanes.map_err(|error| unreachable(format!("bad address {address:?}: {error}")).into())
    }

    fn client(&self, lane: &Channel) -> RaftClient<Channel> {
        RaftClient::new(lane.clone()).max_decoding_message_size(self.network.peers.settings.max_message)
    }

    fn appender(&self) -> Rpc<RaftClient<Channel>> {
        let lanes = self.lanes()?;
        Ok(self.client(if self.heartbeats { &lanes.beat } else { &lanes.log }))
    }

    /// A short call, with its deadline told to the other side.
    async fn ask<Q, A, F>(
        &self,
        request: Q,
        limit: Duration,
        call: impl FnOnce(RaftClient<Channel>, Request<Q>) -> F,
    ) -> Rpc<A>
    where
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let mut request = Request::new(request);
        request.set_timeout(limit);
        let answer = tokio::time::timeout(limit, call(self.client(&self.lanes()?.beat), request)).await;
        let answer =
            answer.map_err(|_| unreachable(format!("node {} did not answer in {limit:?}", self.target)))?;
        Ok(answer.map_err(|status| unreachable(status.to_string()))?.into_inner())
    }
}

impl RaftNetworkV2<TypeConfig> for Link {
    type SnapshotData = Bytes;

    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Rpc<AppendEntriesResponse<TypeConfig>> {
        Ok(append::one(self, request, option).await?.into())
    }

    fn stream_append<'s, S>(
        &'s mut self,
        input: S,
        option: RPCOption,
    ) -> BoxFuture<'s, Rpc<BoxStream<'s, Rpc<StreamAppendResult<TypeConfig>>>>>
    where
        S: Stream<Item = AppendEntriesRequest<TypeConfig>> + OptionalSend + Unpin + 'static,
    {
        if self.heartbeats {
            return Box::pin(std::future::ready(Ok(beat::each(self, input, option))));
        }
        Box::pin(append::open(self, input, option))
    }

    async fn vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Rpc<VoteResponse<TypeConfig>> {
        let asked = convert::vote::request(self.group, &request);
        let call = async |mut client: RaftClient<_>, asked| client.vote(asked).await;
        let answer = self.ask(asked, option.soft_ttl(), call).await?;
        let answer = convert::vote::answered(answer).map_err(malformed)?;
        self.network.ends.voted(self.group, self.target, &request, &answer);
        Ok(answer)
    }

    async fn pre_vote(
        &mut self,
        request: VoteRequest<TypeConfig>,
        option: RPCOption,
    ) -> Rpc<VoteResponse<TypeConfig>> {
        self.network.candidacies.ask(self.group, &request, Instant::now(), option.soft_ttl());
        let request = convert::vote::request(self.group, &request);
        let call = async |mut client: RaftClient<_>, request| client.pre_vote(request).await;
        convert::vote::answered(self.ask(request, option.soft_ttl(), call).await?).map_err(malformed)
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: SnapshotOf<TypeConfig, Bytes>,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        self.network.ends.forget(self.group, self.target, &vote);
        tokio::select! {
            answer = snapshot::send(self, vote, snapshot, option.soft_ttl()) => Ok(answer?),
            closed = cancel => Err(closed.into()),
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        option: RPCOption,
    ) -> Rpc<TransferLeaderResponse<TypeConfig>> {
        let request = convert::transfer::request(self.group, &request);
        let call = async |mut client: RaftClient<_>, request| client.transfer_leader(request).await;
        convert::transfer::answered(self.ask(request, option.soft_ttl(), call).await?).map_err(malformed)
    }
}

/// Every failure to talk is answered with backoff: a peer that is down must not be asked in a tight loop.
fn unreachable(reason: impl ToString) -> Unreachable<TypeConfig> {
    Unreachable::from_string(reason)
}

fn malformed(error: convert::Error) -> RPCError<TypeConfig> {
    unreachable(error).into()
}
