//! openraft's network factory, a group at a time, over the node's shared connections.

use std::collections::BTreeMap;

use mangrove_proto::cluster::raft_server::RaftServer;
use mangrove_raft::{GroupHost, GroupId, NodeId, Peer, TypeConfig};
use openraft::RaftNetworkFactory;
use tonic::service::Routes;
use tonic::transport::{Channel, Error};

use crate::addresses::Addresses;
use crate::candidacy::Candidacies;
use crate::ends::Ends;
use crate::link::Link;
use crate::peers::Peers;
use crate::server::RaftService;
use crate::settings::Settings;

/// The node's way to others. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Network {
    pub(crate) peers: Peers,
    pub(crate) addresses: Addresses,
    pub(crate) candidacies: Candidacies,
    pub(crate) ends: Ends,
}

impl Network {
    /// A network without connections yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            peers: Peers::new(settings),
            addresses: Addresses::default(),
            candidacies: Candidacies::default(),
            ends: Ends::default(),
        }
    }

    /// Raft's service over a node's groups, to be served beside others or alone.
    pub fn routes(&self, host: GroupHost) -> Routes {
        let limit = self.peers.settings.max_message;
        Routes::new(RaftServer::new(RaftService::over(host, self)).max_decoding_message_size(limit))
    }

    /// What one group talks through.
    pub fn group(&self, group: GroupId) -> GroupNetwork {
        GroupNetwork { group, network: self.clone() }
    }

    /// Where nodes (host:port) are from now on, whatever the groups' memberships say.
    pub fn know(&self, addresses: BTreeMap<NodeId, String>) {
        self.addresses.know(addresses);
    }

    /// A channel for other services' short calls to a peer at `address` (host:port).
    pub fn channel(&self, address: &str) -> Result<Channel, Error> {
        Ok(self.peers.lanes(address)?.beat)
    }

    /// The channels that Raft itself uses for what can't wait: votes and entries.
    pub fn urgent_channels(&self, address: &str) -> Result<[Channel; 2], Error> {
        let lanes = self.peers.lanes(address)?;
        Ok([lanes.beat, lanes.log])
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
    network: Network,
}

impl RaftNetworkFactory<TypeConfig> for GroupNetwork {
    type Network = Link;

    async fn new_client(&mut self, target: NodeId, node: &Peer) -> Self::Network {
        Link::new(self.group, target, &node.addr, &self.network)
    }

    async fn new_heartbeat_client(&mut self, target: NodeId, node: &Peer) -> Self::Network {
        self.new_client(target, node).await.for_heartbeats()
    }
}
