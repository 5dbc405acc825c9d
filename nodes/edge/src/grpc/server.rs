//! The serving side: any implementation of the trait behind tonic's service.

use std::sync::Arc;

use futures::{Stream, StreamExt, stream::BoxStream};
use mangrove_proto::{
    edge::{
        EdgeCommands, EdgeExecuted,
        edge_server::{Edge, EdgeServer},
    },
    service,
};
use tonic::{Request, Response, Status, Streaming};

/// Serves an edge to control nodes.
#[derive(Debug)]
pub struct Server {
    edge: Arc<dyn service::Edge>,
}

/// The service to add to a node's gRPC router.
pub fn server(edge: Arc<dyn service::Edge>) -> EdgeServer<Server> {
    EdgeServer::new(Server { edge })
}

#[async_trait::async_trait]
impl Edge for Server {
    type ExecuteStream = BoxStream<'static, Result<EdgeExecuted, Status>>;

    async fn execute(
        &self,
        request: Request<Streaming<EdgeCommands>>,
    ) -> Result<Response<Self::ExecuteStream>, Status> {
        Ok(Response::new(answers(self.edge.clone(), request.into_inner()).boxed()))
    }
}

/// One answer for each batch, in order; the first failure ends the stream, and the caller repeats on a new one.
fn answers(
    edge: Arc<dyn service::Edge>,
    commands: Streaming<EdgeCommands>,
) -> impl Stream<Item = Result<EdgeExecuted, Status>> {
    commands.then(move |batch| {
        let edge = edge.clone();
        async move { edge.execute(batch?).await.map_err(|error| Status::unavailable(error.to_string())) }
    })
}
