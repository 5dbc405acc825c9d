//! Directory commands, taken to whoever leads group 0.

use std::time::Duration;

use mangrove_proto::cluster::ProposeRequest;
use mangrove_proto::cluster::membership_client::MembershipClient;
use mangrove_raft::NodeId;
use tokio::time::{Instant, sleep, timeout};

use super::Cluster;
use crate::DIRECTORY;
use crate::directory::{Command, Reply};
use crate::error::Error;
use crate::machine::{self, Answer};

const PATIENCE: Duration = Duration::from_secs(5);
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

impl Cluster {
    /// Commits a directory command and returns once this node's copy has it too. Without a leader it is tried again for
    /// five seconds. `Raft(Timeout)` leaves the outcome unknown.
    pub async fn propose_directory(&self, command: Command) -> Result<Reply, Error> {
        let bytes = machine::encode(&command);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.propose_once(&bytes).await {
                Err(Error::Raft(mangrove_raft::Error::NotLeader { .. })) if Instant::now() < deadline => {
                    sleep(BETWEEN_TRIES).await;
                }
                Err(error) => return Err(error),
                Ok((index, outcome)) => {
                    self.caught_up(index).await?;
                    return Ok(outcome?);
                }
            }
        }
    }

    async fn propose_once(&self, command: &[u8]) -> Result<Answer, Error> {
        let group = self.group(DIRECTORY).ok_or(mangrove_raft::Error::Stopped)?;
        let answer = match group.propose(command.to_vec()).await {
            Err(mangrove_raft::Error::NotLeader { leader: Some(leader) }) if leader != self.node() => {
                self.forward(leader, command).await?
            }
            answer => answer?,
        };
        machine::decode(&answer)
    }

    async fn forward(&self, leader: NodeId, command: &[u8]) -> Result<Vec<u8>, Error> {
        let nobody = || Error::Raft(mangrove_raft::Error::NotLeader { leader: None });
        let directory = self.directory();
        let member = directory.member(leader).ok_or_else(nobody)?;
        let channel = self.node.network.channel(&member.address).map_err(|_| nobody())?;
        let request = ProposeRequest { incarnation: self.incarnation(), command: command.to_vec().into() };
        let mut client = MembershipClient::new(channel);
        let answer =
            timeout(PATIENCE, client.propose(request)).await.map_err(|_| mangrove_raft::Error::Timeout)?;
        match answer {
            Ok(answer) => Ok(answer.into_inner().reply.to_vec()),
            // It could not be reached, or it leads no more: nothing is known to be committed, so another try may
            // repeat the command, which the directory's commands bear.
            Err(status) if status.code() == tonic::Code::Unavailable => Err(nobody()),
            Err(status) => Err(Error::Malformed(status.to_string())),
        }
    }

    async fn caught_up(&self, index: u64) -> Result<(), Error> {
        let mut directory = self.watch_directory();
        let reached = timeout(PATIENCE, directory.wait_for(|known| known.version >= index)).await;
        reached.map_err(|_| mangrove_raft::Error::Timeout)?.map_err(|_| mangrove_raft::Error::Stopped)?;
        Ok(())
    }
}
