//! The ways from a node's control to edges, media nodes and the database outside.

use async_trait::async_trait;
use mangrove_history::{Batch, Ledger};
use mangrove_proto::{
    edge::{EdgeCommands, EdgeExecuted},
    id::{CallId, TenantId},
    media::{Holdings, HoldingsRequest, MediaCommands, MediaExecuted},
    service::{Edge, Error, Media},
    story::Entry,
};
use tokio::sync::oneshot;
use tokio::time::{Duration, timeout};

use crate::NodeIndex;
use crate::post::{Letter, Post, arrived};

/// Longer than the database is waited for in the product matters to nobody.
const DATABASE: Duration = Duration::from_secs(3);

/// To an edge.
#[derive(Debug)]
pub(crate) struct EdgeWay {
    pub(crate) node: NodeIndex,
    pub(crate) edge: usize,
    pub(crate) post: Post,
}

#[async_trait]
impl Edge for EdgeWay {
    async fn execute(&self, commands: EdgeCommands) -> Result<EdgeExecuted, Error> {
        let Self { node, edge, ref post } = *self;
        if post.doubled(node) {
            post.send(node, Letter::Edge { node, edge, commands: commands.clone(), reply: None });
        }
        let (reply, answer) = oneshot::channel();
        post.send(node, Letter::Edge { node, edge, commands, reply: Some(reply) });
        Ok(arrived(answer).await)
    }
}

/// To a media node.
#[derive(Debug)]
pub(crate) struct MediaWay {
    pub(crate) node: NodeIndex,
    pub(crate) media: usize,
    pub(crate) post: Post,
}

#[async_trait]
impl Media for MediaWay {
    async fn execute(&self, commands: MediaCommands) -> Result<MediaExecuted, Error> {
        let Self { node, media, ref post } = *self;
        if post.doubled(node) {
            post.send(node, Letter::Media { node, media, commands: commands.clone(), reply: None });
        }
        let (reply, answer) = oneshot::channel();
        post.send(node, Letter::Media { node, media, commands, reply: Some(reply) });
        Ok(arrived(answer).await)
    }

    async fn hold(&self, request: HoldingsRequest) -> Result<Holdings, Error> {
        let Self { node, media, ref post } = *self;
        let (reply, answer) = oneshot::channel();
        post.send(node, Letter::Hold { node, media, request, reply: Some(reply) });
        Ok(arrived(answer).await)
    }
}

/// To the database.
#[derive(Debug)]
pub(crate) struct DatabaseWay {
    pub(crate) node: NodeIndex,
    pub(crate) post: Post,
}

fn slow(what: &'static str) -> mangrove_history::Error {
    mangrove_history::Error::Slow { what, seconds: DATABASE.as_secs() }
}

#[async_trait]
impl Ledger for DatabaseWay {
    async fn write(&self, batch: &Batch) -> Result<(), mangrove_history::Error> {
        let (reply, answer) = oneshot::channel();
        let (node, batch) = (self.node, batch.clone());
        self.post.send(node, Letter::Write { node, batch, reply: Some(reply) });
        match timeout(DATABASE, arrived(answer)).await {
            Ok(true) => Ok(()),
            _ => Err(slow("writing a batch")),
        }
    }

    /// Nobody asks for past stories here.
    async fn story(&self, _: &TenantId, _: CallId) -> Result<Option<Vec<Entry>>, mangrove_history::Error> {
        Err(slow("reading a story"))
    }
}
