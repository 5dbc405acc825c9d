//! Serves a process's media nodes to others.

use std::pin::Pin;

use futures::{Stream, StreamExt};
use mangrove_proto::{
    media::{Holdings, HoldingsRequest, MediaCommands, MediaExecuted, media_server},
    service::{self, Carried, addressed},
};
use tonic::{Request, Response, Status, Streaming};

/// The service to add to a tonic server: the media nodes that the process carries.
pub fn server(carried: Carried<dyn service::Media>) -> media_server::MediaServer<Service> {
    media_server::MediaServer::new(Service { carried })
}

/// Media nodes behind gRPC.
#[derive(Clone)]
pub struct Service {
    carried: Carried<dyn service::Media>,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

#[tonic::async_trait]
impl media_server::Media for Service {
    type ExecuteStream = Pin<Box<dyn Stream<Item = Result<MediaExecuted, Status>> + Send>>;

    /// One answer for each batch, in order; an error ends the stream.
    async fn execute(
        &self,
        request: Request<Streaming<MediaCommands>>,
    ) -> Result<Response<Self::ExecuteStream>, Status> {
        let media = addressed(&request, &self.carried)?;
        let answers = request.into_inner().then(move |commands| {
            let media = media.clone();
            async move { media.execute(commands?).await.map_err(|error| Status::from(&error)) }
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn hold(&self, request: Request<HoldingsRequest>) -> Result<Response<Holdings>, Status> {
        let media = addressed(&request, &self.carried)?;
        let holdings = media.hold(request.into_inner()).await;
        holdings.map(Response::new).map_err(|error| Status::from(&error))
    }
}
