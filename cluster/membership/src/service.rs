//! The directory for nodes that do not lead it, and the door for new ones.

mod watch;

use mangrove_proto::cluster as proto;
use proto::membership_server::Membership;
use tonic::{Request, Response, Status};

use crate::cluster::{Cluster, clocks};
use crate::directory::{Command, Member, Reply};
use crate::error::Error;
use crate::{DIRECTORY, machine};

/// The gRPC service over one node's copy of the directory.
#[derive(Debug, Clone)]
pub(crate) struct MembershipService {
    cluster: Cluster,
}

impl MembershipService {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self { cluster }
    }

    fn check(&self, incarnation: u64) -> Result<(), Status> {
        let own = self.cluster.incarnation();
        if incarnation == own {
            return Ok(());
        }
        Err(Status::failed_precondition(format!(
            "this is cluster {own:016x}, the request is of cluster {incarnation:016x}; join addresses and data \
                 folder must be of the same cluster"
        )))
    }
}

#[tonic::async_trait]
impl Membership for MembershipService {
    async fn propose(
        &self,
        request: Request<proto::ProposeRequest>,
    ) -> Result<Response<proto::ProposeResponse>, Status> {
        let request = request.into_inner();
        self.check(request.incarnation)?;
        let group =
            self.cluster.group(DIRECTORY).ok_or_else(|| Status::unavailable("group 0 does not run here"))?;
        let answer = group.propose(request.command.to_vec()).await;
        let reply = answer.map_err(|error| Status::unavailable(error.to_string()))?.into();
        Ok(Response::new(proto::ProposeResponse { reply }))
    }

    async fn join(
        &self,
        request: Request<proto::JoinRequest>,
    ) -> Result<Response<proto::JoinResponse>, Status> {
        let request = request.into_inner();
        let member: Member =
            machine::decode(&request.member).map_err(|error| Status::invalid_argument(error.to_string()))?;
        if request.incarnation != 0 || member.id != 0 {
            self.check(request.incarnation)?;
        }
        if member.id == 0 {
            // A newcomer is compared with this node, which may have started with another database just now.
            self.cluster.describe().await.map_err(|error| Status::unavailable(error.to_string()))?;
        }
        let command = Command::JoinMember { member };
        match self.cluster.propose_directory(command).await {
            Ok(Reply::Joined { id: node }) => {
                Ok(Response::new(proto::JoinResponse { incarnation: self.cluster.incarnation(), node }))
            }
            Ok(other) => Err(Status::internal(format!("the directory answered {other:?}"))),
            Err(Error::Refused(refusal)) => Err(Status::failed_precondition(refusal.to_string())),
            Err(error) => Err(Status::unavailable(error.to_string())),
        }
    }

    type WatchStream = watch::Told;

    async fn watch(
        &self,
        request: Request<proto::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        self.check(request.into_inner().incarnation)?;
        Ok(Response::new(watch::tell(&self.cluster)))
    }

    async fn ping(
        &self,
        request: Request<proto::PingRequest>,
    ) -> Result<Response<proto::PingResponse>, Status> {
        let proto::PingRequest { incarnation, leader, term } = request.into_inner();
        self.check(incarnation)?;
        if leader != 0 {
            self.cluster.is_asked_by(leader, term);
        }
        if self.cluster.is_stopping() {
            return Err(Status::unavailable("this node stops"));
        }
        Ok(Response::new(proto::PingResponse { node: self.cluster.node(), wall_ms: clocks::wall_ms() }))
    }

    async fn report(
        &self,
        request: Request<proto::ReportRequest>,
    ) -> Result<Response<proto::ReportResponse>, Status> {
        self.check(request.into_inner().incarnation)?;
        Ok(Response::new(self.cluster.own_report()))
    }
}
