//! Control nodes that can answer for this one, asked one after the other.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mangrove_membership::{Cluster, Directory, Member, NodeId};
use mangrove_proto::{control::console_client::ConsoleClient, service::Error};
use parking_lot::Mutex;
use tokio::time::timeout;
use tonic::transport::Channel;

use crate::forward::LARGEST;

pub(super) type Client = ConsoleClient<Channel>;

/// Whom to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    /// Any node with the control role.
    Control,
    /// One with a replica of this group, first the one that leads it by the plan.
    Replicas(u32),
}

/// Ways to other control nodes; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Far {
    cluster: Cluster,
    /// How long one node may take to answer.
    patience: Duration,
    clients: Arc<Mutex<BTreeMap<String, Client>>>,
}

impl Far {
    pub(super) fn new(cluster: Cluster, patience: Duration) -> Self {
        Self { cluster, patience, clients: Arc::default() }
    }

    /// The first answer of those that may know, but for failures that another one may not have. One at a time: what is asked
    /// for may change something.
    pub(super) async fn ask<Q: Clone, T, F>(
        &self,
        whom: Whom,
        request: Q,
        question: impl Fn(Client, Q) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    {
        let directory = self.cluster.directory();
        let mut last = nobody(whom);
        for member in candidates(&directory, self.cluster.node(), whom) {
            let Some(client) = self.client(member) else { continue };
            last = match timeout(self.patience, question(client, request.clone())).await {
                Ok(Ok(answer)) => return Ok(answer.into_inner()),
                Ok(Err(status)) => Error::from_status(&status, &format!("node {}", member.name)),
                Err(_) => Error::Unavailable {
                    what: format!("node {}", member.name),
                    why: format!("it did not answer within {:?}", self.patience),
                },
            };
            if !last.is_retryable() {
                break;
            }
        }
        Err(last)
    }

    fn client(&self, member: &Member) -> Option<Client> {
        let mut clients = self.clients.lock();
        if let Some(client) = clients.get(&member.address) {
            return Some(client.clone());
        }
        // A picture or a backup may be long: heartbeats must not wait behind it.
        let channel = self.cluster.bulk_channel(&member.address).inspect_err(|error| {
            tracing::warn!(node = member.name, address = member.address, %error, "a node can't be reached there");
        });
        let client = ConsoleClient::new(channel.ok()?)
            .max_encoding_message_size(LARGEST)
            .max_decoding_message_size(LARGEST);
        clients.insert(member.address.clone(), client.clone());
        Some(client)
    }
}

fn nobody(whom: Whom) -> Error {
    match whom {
        Whom::Control => {
            Error::Unavailable { what: "control".into(), why: "no node with that role is alive".into() }
        }
        Whom::Replicas(group) => Error::NoLeader { group: group.into() },
    }
}

/// The living ones, the likeliest first, but for `own`.
fn candidates(directory: &Directory, own: NodeId, whom: Whom) -> Vec<&Member> {
    let ids: Vec<NodeId> = match whom {
        Whom::Control => directory.members.keys().copied().collect(),
        Whom::Replicas(group) => {
            let place = directory.plan.groups.get(&group);
            let first = place.map(|place| place.leader);
            let others = place.into_iter().flat_map(|place| place.replicas.iter().copied());
            first.into_iter().chain(others.filter(|id| Some(*id) != first)).collect()
        }
    };
    let members = ids.into_iter().filter(|id| *id != own).filter_map(|id| directory.member(id));
    members.filter(|member| member.alive && member.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use mangrove_membership::Place;

    use super::*;

    /// Four control nodes, of which these live, and a console; group 1 is with the second, fourth and third.
    fn directory(alive: &[u64]) -> Directory {
        let mut directory = Directory::default();
        for id in 1..=5 {
            let role = if id == 5 { "console" } else { Member::CONTROL };
            let member =
                Member { id, roles: [role.into()].into(), alive: alive.contains(&id), ..Member::default() };
            directory.members.insert(id, member);
        }
        directory.plan.groups.insert(1, Place { replicas: vec![2, 3, 4], leader: 4 });
        directory
    }

    #[test]
    fn the_likeliest_comes_first_and_who_can_not_answer_is_left_out() {
        let all = &[1, 2, 3, 4, 5][..];
        for (alive, own, whom, expected) in [
            (all, 5, Whom::Control, &[1, 2, 3, 4][..]),
            (all, 1, Whom::Control, &[2, 3, 4]),
            (all, 5, Whom::Replicas(1), &[4, 2, 3]),
            (all, 2, Whom::Replicas(1), &[4, 3]),
            (&[1, 2, 5], 5, Whom::Replicas(1), &[2]),
            (&[1, 5], 5, Whom::Replicas(1), &[]),
            (all, 5, Whom::Replicas(9), &[]),
        ] {
            let directory = directory(alive);
            let found: Vec<_> = candidates(&directory, own, whom).iter().map(|member| member.id).collect();
            assert_eq!(found, expected, "{whom:?} of {alive:?} for {own}");
        }
    }
}
