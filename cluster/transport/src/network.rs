//! openraft's network factory, a group at a time, over the node's shared connections.

use std::collections::BTreeMap;

use mangrove_raft::{GroupId, NodeId, Peer, TypeConfig};
use openraft::RaftNetworkFactory;
use tonic::transport::{Channel, Error};

use crate::addresses::Addresses;
use crate::link::Link;
use crate::peers::Peers;
use crate::settings::Settings;

/// The node's way to others. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Network {
    peers: Peers,
    addresses: Addresses,
}

impl Network {
    /// A network without connections yet.
    pub fn new(settings: Settings) -> Self {
        Self { peers: Peers::new(settings), addresses: Addresses::default() }
    }

    /// What one group talks through.
    pub fn group(&self, group: GroupId) -> GroupNetwork {
        GroupNetwork { group, peers: self.peers.clone(), addresses: self.addresses.clone() }
    }

    /// Where nodes (host:port) are from now on, whatever the groups' memberships say.
    pub fn know(&self, addresses: BTreeMap<NodeId, String>) {
        self.addresses.know(addresses);
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
    addresses: Addresses,
}

impl RaftNetworkFactory<TypeConfig> for GroupNetwork {
    type Network = Link;

    async fn new_client(&mut self, target: NodeId, node: &Peer) -> Self::Network {
        Link::new(self.group, target, &node.addr, &self.peers, &self.addresses)
    }

    async fn new_heartbeat_client(&mut self, target: NodeId, node: &Peer) -> Self::Network {
        self.new_client(target, node).await.for_heartbeats()
    }
}
