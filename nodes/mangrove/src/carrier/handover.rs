//! What this process carries goes to another one that takes it over while people talk: it asks, and this one shares its
//! ports, carries on until that one relays beside it, and lets go.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use mangrove_membership::Cluster;
use mangrove_proto::handover::{
    Closed, EdgeTold, MediaTold, PrepareRequest, Prepared, ReleaseRequest, Step,
    handover_server::{Handover, HandoverServer},
    step::Done,
};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{Carrier, Carrying};

/// How long this process carries on for one that does not come for it.
const LINGERS: Duration = Duration::from_secs(8);
/// The directory may reach this node so much later than the one that asks.
const DIRECTORY: Duration = Duration::from_secs(1);

/// Whose addresses are to go, and since when; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Going(Arc<Mutex<BTreeMap<String, Instant>>>);

impl Going {
    /// Whether the next host may still come for them.
    pub(super) fn lingers(&self, name: &str) -> bool {
        self.0.lock().entry(name.to_owned()).or_insert_with(Instant::now).elapsed() < LINGERS
    }

    /// The next host has come for them.
    fn begin(&self, name: &str) {
        self.0.lock().insert(name.to_owned(), Instant::now());
    }

    /// Whether nothing is on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// They are gone, or stay.
    pub(super) fn forget(&self, name: &str) {
        self.0.lock().remove(name);
    }
}

/// The service to add to a node's gRPC router.
pub(crate) fn server(carrier: Carrier) -> HandoverServer<Service> {
    HandoverServer::new(Service { carrier })
}

/// What the next host asks.
#[derive(Debug)]
pub(crate) struct Service {
    carrier: Carrier,
}

impl Service {
    /// What is carried here for the member, if its lease of this epoch says that it goes to whoever asks.
    async fn check(&self, member: &str, epoch: u64) -> Result<(), Status> {
        let cluster = &self.carrier.cluster;
        if goes(cluster, member, epoch).await {
            return Ok(());
        }
        let why =
            format!("the addresses of {member} are not handed over by {} under {epoch}", cluster.name());
        Err(Status::failed_precondition(why))
    }

    fn gone(member: &str) -> Status {
        Status::not_found(format!("the addresses of {member} are not carried here (any more)"))
    }
}

async fn goes(cluster: &Cluster, member: &str, epoch: u64) -> bool {
    let mut directory = cluster.watch_directory();
    let knows = directory.wait_for(|known| known.lease(member).is_some_and(|lease| lease.epoch >= epoch));
    let lease = match tokio::time::timeout(DIRECTORY, knows).await {
        Ok(Ok(known)) => known.lease(member),
        _ => None,
    };
    lease.is_some_and(|lease| lease.epoch == epoch && lease.from == Some(cluster.node()))
}

#[tonic::async_trait]
impl Handover for Service {
    type ReleaseStream = ReceiverStream<Result<Step, Status>>;

    async fn prepare(&self, request: Request<PrepareRequest>) -> Result<Response<Prepared>, Status> {
        let PrepareRequest { member, epoch } = request.into_inner();
        self.check(&member, epoch).await?;
        let one = self.carrier.carried.get(&member).ok_or_else(|| Self::gone(&member))?;
        if let Some(edge) = &one.edge {
            edge.share().map_err(|error| Status::internal(format!("ports can't be shared: {error}")))?;
        }
        let sessions = match &one.media {
            Some(media) => media.share().await,
            None => Vec::new(),
        };
        Ok(Response::new(Prepared { sessions }))
    }

    async fn release(
        &self,
        request: Request<ReleaseRequest>,
    ) -> Result<Response<Self::ReleaseStream>, Status> {
        let ReleaseRequest { member, epoch } = request.into_inner();
        self.check(&member, epoch).await?;
        self.carrier.going.begin(&member);
        let one = self.carrier.carried.take(&member).ok_or_else(|| {
            self.carrier.going.forget(&member);
            Self::gone(&member)
        })?;
        let (steps, told) = mpsc::channel(3);
        let carrier = self.carrier.clone();
        // To its end, whatever becomes of who asked.
        tokio::spawn(async move { carrier.let_go(&member, one, steps).await });
        Ok(Response::new(ReceiverStream::new(told)))
    }
}

impl Carrier {
    async fn let_go(&self, name: &str, one: Carrying, steps: mpsc::Sender<Result<Step, Status>>) {
        tracing::info!(member = name, epoch = one.epoch, "a member's addresses are handed over");
        let Carrying { edge, media, .. } = one;
        let playing = media.as_ref().map(mangrove_media::Media::close).unwrap_or_default();
        if let Some(edge) = &edge {
            edge.close().await;
        }
        tell(&steps, Done::Closed(Closed { playing })).await;
        self.bring_away(name).await;
        let edge_told = async {
            if let Some(edge) = edge {
                edge.finish().await;
            }
            tell(&steps, Done::EdgeTold(EdgeTold {})).await;
        };
        let media_told = async {
            if let Some(media) = media {
                media.finish().await;
            }
            tell(&steps, Done::MediaTold(MediaTold {})).await;
        };
        tokio::join!(edge_told, media_told);
        self.going.forget(name);
    }
}

/// Whoever asked may be gone; what is to be done here is done all the same.
async fn tell(steps: &mpsc::Sender<Result<Step, Status>>, done: Done) {
    let _ = steps.send(Ok(Step { done: Some(done) })).await;
}
