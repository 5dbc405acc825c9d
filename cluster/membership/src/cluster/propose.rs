//! Directory commands, taken to whoever leads group 0.

use std::sync::Arc;
use std::time::Duration;

use mangrove_proto::cluster::ProposeRequest;
use mangrove_proto::cluster::membership_client::MembershipClient;
use tokio::time::{Instant, sleep, timeout};

use super::Cluster;
use crate::DIRECTORY;
use crate::directory::{Command, Directory, Reply};
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

    /// The directory as it is now: all that was committed before is in it.
    pub async fn newest_directory(&self) -> Result<Arc<Directory>, Error> {
        self.beat().await?;
        Ok(self.directory())
    }

    /// Here if this node leads group 0, else at the first of the others that does.
    async fn propose_once(&self, command: &[u8]) -> Result<Answer, Error> {
        if let Some(group) = self.group(DIRECTORY).filter(|group| !group.has_ended()) {
            match group.propose(command.to_vec()).await {
                Err(mangrove_raft::Error::NotLeader { .. }) => {}
                answer => return machine::decode(&answer?),
            }
        }
        for address in self.sources() {
            match self.forward(&address, command).await {
                Err(Error::Raft(mangrove_raft::Error::NotLeader { .. })) => {}
                answer => return machine::decode(&answer?),
            }
        }
        Err(nobody())
    }

    async fn forward(&self, address: &str, command: &[u8]) -> Result<Vec<u8>, Error> {
        let channel = self.node.network.channel(address).map_err(|_| nobody())?;
        let request = ProposeRequest { incarnation: self.incarnation(), command: command.to_vec().into() };
        let mut client = MembershipClient::new(channel);
        let answer = tokio::select! {
            answer = timeout(PATIENCE, client.propose(request)) => answer,
            // It may be stopped or cut off: the other one is asked.
            () = self.node.lead.moved_from(address) => return Err(nobody()),
        };
        match answer.map_err(|_| mangrove_raft::Error::Timeout)? {
            Ok(answer) => Ok(answer.into_inner().reply.to_vec()),
            // It could not be reached, or does not lead: nothing is known to be committed, so another try may repeat
            // the command, which the directory's commands bear.
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

fn nobody() -> Error {
    Error::Raft(mangrove_raft::Error::NotLeader { leader: None })
}
