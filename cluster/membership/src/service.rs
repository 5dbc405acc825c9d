//! The directory for nodes that do not lead it, and the door for new ones.

use mangrove_proto::cluster as proto;
use proto::membership_server::Membership;
use tonic::{Request, Response, Status};

use crate::cluster::Cluster;
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
}

#[tonic::async_trait]
impl Membership for MembershipService {
    async fn propose(
        &self,
        request: Request<proto::ProposeRequest>,
    ) -> Result<Response<proto::ProposeResponse>, Status> {
        let request = request.into_inner();
        if request.incarnation != self.cluster.incarnation() {
            return Err(Status::failed_precondition("this is another cluster"));
        }
        let group =
            self.cluster.group(DIRECTORY).ok_or_else(|| Status::unavailable("the directory has stopped"))?;
        let answer = group.propose(request.command.to_vec()).await;
        let reply = answer.map_err(|error| Status::unavailable(error.to_string()))?.into();
        Ok(Response::new(proto::ProposeResponse { reply }))
    }

    async fn join(
        &self,
        request: Request<proto::JoinRequest>,
    ) -> Result<Response<proto::JoinResponse>, Status> {
        let member: Member = machine::decode(&request.into_inner().member)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let command = Command::JoinMember { member: Member { id: 0, ..member } };
        match self.cluster.propose_directory(command).await {
            Ok(Reply::Joined { id: node }) => {
                Ok(Response::new(proto::JoinResponse { incarnation: self.cluster.incarnation(), node }))
            }
            Ok(other) => Err(Status::internal(format!("the directory answered {other:?}"))),
            Err(Error::Refused(refusal)) => Err(Status::failed_precondition(refusal.to_string())),
            Err(error) => Err(Status::unavailable(error.to_string())),
        }
    }
}
