//! A control node in another process.

use async_trait::async_trait;
use futures::StreamExt;
use mangrove_proto::{
    routes::{WatchRequest, routes_client::RoutesClient},
    service::{Error, RouteFeed, RouteUpdates},
};
use tonic::transport::Channel;

/// Greatest update taken: a part of an edition is small, but a tenant is never cut.
const MAX_UPDATE: usize = 64 << 20;

/// The feed of a control node behind gRPC. The channel connects when first used, and should have keep-alives: a node
/// that says nothing is otherwise noticed after five seconds.
#[derive(Debug, Clone)]
pub struct Remote {
    channel: Channel,
}

impl Remote {
    /// The channel must be one that only the cluster's nodes can read: secrets come over it.
    pub fn new(channel: Channel) -> Self {
        Self { channel }
    }
}

#[async_trait]
impl RouteFeed for Remote {
    async fn watch(&self, request: WatchRequest) -> Result<RouteUpdates, Error> {
        let client = RoutesClient::new(self.channel.clone());
        let mut client = client.max_decoding_message_size(MAX_UPDATE);
        let updates = client.watch(request).await.map_err(|status| unavailable(&status))?.into_inner();
        Ok(updates.map(|update| update.map_err(|status| unavailable(&status))).boxed())
    }
}

fn unavailable(status: &tonic::Status) -> Error {
    Error::Unavailable { what: "the control node's stream of routes".into(), why: status.to_string() }
}
