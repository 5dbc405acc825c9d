//! Serves a media node to other processes.

use std::{pin::Pin, sync::Arc};

use futures::{Stream, StreamExt};
use mangrove_proto::{
    media::{Holdings, HoldingsRequest, MediaCommands, MediaExecuted, media_server},
    service,
};
use tonic::{Request, Response, Status, Streaming};


/// The service to add to a tonic server.
pub fn server(media: Arc<dyn service::Media>) -> media_server::MediaServer<Service> {
    media_server::MediaServer::new(Service { media })
}

/// A media node behind gRPC.
#[derive(Debug, Clone)]
pub struct Service {
    media: Arc<dyn service::Media>,
}

#[tonic::async_trait]
impl media_server::Media for Service {
    type ExecuteStream = Pin<Box<dyn Stream<Item = Result<MediaExecuted, Status>> + Send>>;

    /// One answer for each batch, in order; an error ends the stream.
    async fn execute(
        &self,
        request: Request<Streaming<MediaCommands>>,
    ) -> Result<Response<Self::ExecuteStream>, Status> {
        let media = self.media.clone();
        let answers = request.into_inner().then(move |commands| {
            let media = media.clone();
            async move { media.execute(commands?).await.map_err(|error| Status::from(&error)) }
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn hold(&self, request: Request<HoldingsRequest>) -> Result<Response<Holdings>, Status> {
        let holdings = self.media.hold(request.into_inner()).await;
        holdings.map(Response::new).map_err(|error| Status::from(&error))
    }
}
