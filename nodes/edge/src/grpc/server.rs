//! The serving side: any implementations of the trait behind tonic's service.

use std::sync::Arc;

use futures::{Stream, StreamExt, stream::BoxStream};
use mangrove_proto::{
    edge::{
        EdgeCommands, EdgeExecuted,
        edge_server::{Edge, EdgeServer},
    },
    service::{self, Carried, addressed},
};
use tonic::{Request, Response, Status, Streaming};

/// Serves a process's edges to control nodes.
pub struct Server {
    carried: Carried<dyn service::Edge>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

/// The service to add to a node's gRPC router.
pub fn server(carried: Carried<dyn service::Edge>) -> EdgeServer<Server> {
    EdgeServer::new(Server { carried })
}

#[async_trait::async_trait]
impl Edge for Server {
    type ExecuteStream = BoxStream<'static, Result<EdgeExecuted, Status>>;

    async fn execute(
        &self,
        request: Request<Streaming<EdgeCommands>>,
    ) -> Result<Response<Self::ExecuteStream>, Status> {
        let edge = addressed(&request, &self.carried)?;
        Ok(Response::new(answers(edge, request.into_inner()).boxed()))
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
