//! The way to other control nodes: commands for a group go to whoever leads it, wherever that is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use mangrove_domain::{Command, Reply};
use mangrove_membership::{Cluster, Leadership, NodeId};
use mangrove_proto::{
    control::{ProposeRequest, SnapshotPart, SnapshotRequest, control_client::ControlClient},
    service::Error,
};
use parking_lot::Mutex;
use tokio::time::timeout;
use tonic::{Request, Streaming, transport::Channel};

use crate::{entry, slow::Slow, turns::first_answer};

/// One node may take this long to answer. Longer than a commit takes on a slow disk, shorter than an election and a
/// half: a node that is gone must not keep commands from the next leader.
const DEADLINE: Duration = Duration::from_secs(2);

/// A node may take this long to write a group's state.
const SNAPSHOT: Duration = Duration::from_secs(30);

/// Greatest batch taken from another node, bytes.
pub(crate) const LARGEST: usize = 64 << 20;

pub(crate) type Client = ControlClient<Channel>;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Forward {
    cluster: Cluster,
    clients: Arc<Mutex<BTreeMap<String, Client>>>,
    slow: Slow,
}

/// What the leader answered.
#[derive(Debug)]
pub(crate) struct Committed {
    /// One a command, in their order.
    pub replies: Vec<Reply>,
    /// The log position by which all of them are applied.
    pub index: u64,
}

impl Forward {
    pub(crate) fn new(cluster: Cluster) -> Self {
        Self { cluster, clients: Arc::default(), slow: Slow::default() }
    }

    /// Commits commands at the group's leader. Repeating them at once is harmless, so a node that did not answer is followed
    /// by the next one that may lead. What is still on its way to the last one then is void: a wish that arrives late must
    /// not undo a newer one.
    pub(crate) async fn propose(&self, group: u32, commands: &[&Command]) -> Result<Committed, Error> {
        let bytes = entry::encode_commands(commands)
            .map_err(|error| Error::Refused { why: format!("the commands can't be written: {error}") })?;
        let request = ProposeRequest { group, commands: bytes.into(), term: self.term(group) };
        let ask = |mut client: Client| {
            let request = within(request.clone());
            async move { client.propose(request).await }
        };
        let reply = self.ask(group, ask).await?;
        Ok(Committed { replies: entry::decode_replies(&reply.replies), index: reply.index })
    }

    /// Asks the nodes that may lead the group, the likeliest first, until one does not send us on.
    pub(crate) async fn ask<T, F>(&self, group: u32, question: impl Fn(Client) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    {
        let put = |node| {
            let (name, client) = self.client(node)?;
            let answer = question(client);
            Some(async move {
                let failed = |status| Error::from_status(&status, &format!("node {name}"));
                self.slow.watch(node, answer).await.map(tonic::Response::into_inner).map_err(failed)
            })
        };
        let questions = self.slow.spare(self.candidates(group)).into_iter().filter_map(put);
        first_answer(questions, Error::NoLeader { group: group.into() }).await
    }

    /// The state of a group from the node that leads it, in parts.
    pub(crate) async fn snapshot(&self, request: SnapshotRequest) -> Result<Streaming<SnapshotPart>, Error> {
        let mut last = Error::NoLeader { group: request.group.into() };
        for node in self.candidates(request.group) {
            let directory = self.cluster.directory();
            let Some(member) = directory.member(node) else { continue };
            let Ok(channel) = self.cluster.bulk_channel(&member.address) else { continue };
            match timeout(SNAPSHOT, ControlClient::new(channel).snapshot(request)).await {
                Ok(Ok(parts)) => return Ok(parts.into_inner()),
                Ok(Err(status)) => last = Error::from_status(&status, &format!("node {}", member.name)),
                Err(_) => last = Error::NoLeader { group: request.group.into() },
            }
        }
        Err(last)
    }

    /// Other nodes that may lead a group. Who follows a leader knows it, and only it is asked.
    fn candidates(&self, group: u32) -> Vec<NodeId> {
        let own = self.cluster.node();
        match self.leadership(group) {
            Some(Leadership::Follower { leader, .. }) => vec![leader],
            Some(_) => Vec::new(),
            None => {
                let directory = self.cluster.directory();
                let place = directory.plan.groups.get(&group);
                let replicas =
                    place.into_iter().flat_map(|place| [&[place.leader], &place.replicas[..]].concat());
                let mut seen = BTreeSet::from([own]);
                replicas.filter(|node| seen.insert(*node)).collect()
            }
        }
    }

    /// As the replica on this node knows it; none without one.
    fn leadership(&self, group: u32) -> Option<Leadership> {
        // What has ended here, after a failure of the disk say, knows nothing of the others.
        let replica = self.cluster.group(group).filter(|group| !group.has_ended());
        replica.map(|group| group.leadership())
    }

    /// The term of the leader that is followed here; 0: it is not known.
    fn term(&self, group: u32) -> u64 {
        match self.leadership(group) {
            Some(Leadership::Follower { term, .. }) => term,
            _ => 0,
        }
    }

    fn client(&self, node: NodeId) -> Option<(String, Client)> {
        let directory = self.cluster.directory();
        let member = directory.member(node)?;
        let mut clients = self.clients.lock();
        if let Some(client) = clients.get(&member.address) {
            return Some((member.name.clone(), client.clone()));
        }
        let channel = self.cluster.channel(&member.address).inspect_err(|error| {
            tracing::warn!(node = member.name, address = member.address, %error, "a node can't be reached there");
        });
        let client = ControlClient::new(channel.ok()?).max_encoding_message_size(LARGEST);
        clients.insert(member.address.clone(), client.clone());
        Some((member.name.clone(), client))
    }
}

/// With the deadline, for the other side too.
pub(crate) fn within<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}
