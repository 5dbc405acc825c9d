//! openraft's network factory, a group at a time, over the node's shared connections.

use mangrove_raft::{GroupId, NodeId, Peer, TypeConfig};
use openraft::RaftNetworkFactory;
use tonic::transport::{Channel, Error};

use crate::link::Link;
use crate::peers::Peers;
use crate::settings::Settings;

/// The node's way to others. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Network {
    peers: Peers,
}

impl Network {
    /// A network without connections yet.
    pub fn new(settings: Settings) -> Self {
        Self { peers: Peers::new(settings) }
    }

    /// What one group talks through.
    pub fn group(&self, group: GroupId) -> GroupNetwork {
        GroupNetwork { group, peers: self.peers.clone() }
    }

    /// A channel for other services' short calls to a peer at `address` (host:port).
    pub fn channel(&self, address: &str) -> Result<Channel, Error> {
        Ok(self.peers.lanes(address)?.beat)
    }

    /// A channel for what may be long, beside snapshots: nothing urgent waits behind it.
    pub fn bulk_channel(&self, address: &str) -> Result<Channel, Error> {
        Ok(self.peers.lanes(address)?.bulk)
    }
}

/// One group's links to its replicas.
#[derive(Debug, Clone)]
pub struct GroupNetwork {
    group: GroupId,
    peers: Peers,
}

impl RaftNetworkFactory<TypeConfig> for GroupNetwork {
    type Network = Link;

    async fn new_client(&mut self, target: NodeId, node: &Peer) -> Self::Network {
        Link::new(self.group, target, &node.addr, &self.peers)
    }

    async fn new_heartbeat_client(&mut self, target: NodeId, node: &Peer) -> Self::Network {
        self.new_client(target, node).await.for_heartbeats()
    }
}
