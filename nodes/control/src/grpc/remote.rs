//! The control role for a node without it: events go to the nodes that lead.

use async_trait::async_trait;
use mangrove_membership::Cluster;
use mangrove_proto::{
    common::Ack,
    edge::EdgeEvents,
    media::MediaEvents,
    service::{self, Error},
};

use crate::forward::{Client, Forward, within};

/// Control as an edge or media node without a control role of its own reaches it.
#[derive(Debug, Clone)]
pub struct Remote {
    forward: Forward,
}

impl Remote {
    /// Finds nodes and leaders in the cluster's directory.
    pub fn new(cluster: Cluster) -> Self {
        Self { forward: Forward::new(cluster) }
    }
}

#[async_trait]
impl service::Control for Remote {
    async fn deliver_edge(&self, events: EdgeEvents) -> Result<Ack, Error> {
        let group = group(events.group)?;
        let deliver = |mut client: Client| {
            let events = within(events.clone());
            async move { client.deliver_edge(events).await }
        };
        self.forward.ask(group, deliver).await
    }

    async fn deliver_media(&self, events: MediaEvents) -> Result<Ack, Error> {
        let group = group(events.group)?;
        let deliver = |mut client: Client| {
            let events = within(events.clone());
            async move { client.deliver_media(events).await }
        };
        self.forward.ask(group, deliver).await
    }
}

fn group(number: u64) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| Error::NotFound { what: format!("group {number}") })
}
