//! The stream for copies of the directory: to an edge of this process directly, to others by gRPC.

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use mangrove_proto::{
    routes::{
        RoutesUpdate, WatchRequest,
        routes_server::{Routes, RoutesServer},
    },
    service::{Error, RouteFeed, RouteUpdates},
};
use tonic::{Request, Response, Status};

use super::watch::Watcher;
use crate::control::Control;

#[async_trait]
impl RouteFeed for Control {
    async fn watch(&self, request: WatchRequest) -> Result<RouteUpdates, Error> {
        Ok(Box::pin(Watcher::new(self.clone(), &request)?.updates()))
    }
}

/// Serves this node's routes to edges.
#[derive(Debug)]
pub struct Server {
    control: Control,
}

/// The service to add to a node's gRPC router. Its streams carry secrets: only nodes of the cluster may reach it.
pub fn server(control: Control) -> RoutesServer<Server> {
    RoutesServer::new(Server { control })
}

#[async_trait]
impl Routes for Server {
    type WatchStream = BoxStream<'static, Result<RoutesUpdate, Status>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let status = |error: Error| Status::unavailable(error.to_string());
        let updates = self.control.watch(request.into_inner()).await.map_err(status)?;
        Ok(Response::new(updates.map(move |update| update.map_err(status)).boxed()))
    }
}
