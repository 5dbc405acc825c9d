//! What runs on a node: the product's `Cluster` and `Control`, wired as `mangrove serve` wires them, with simulated
//! disk, connections, edges, media nodes and database around.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::stream;
use mangrove_control::{Control, Options, Prepared};
use mangrove_membership::{Cluster, Tuning};
use mangrove_proto::service::{self, Console as _, Control as _};
use mangrove_transport::{Dial, Settings};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tonic::transport::Server;

use super::watched::Agreement;
use super::ways::{DatabaseWay, EdgeWay, MediaWay};
use crate::company;
use crate::disk::SimDisk;
use crate::outside::{edge, media};
use crate::post::{Answer, Ask, Errand, Letter, Party, Post};
use crate::wire::{self, End, Net};
use crate::{EDGES, MEDIAS, NodeIndex, time};

/// What all nodes share.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) net: Net,
    pub(crate) post: Post,
    pub(crate) agreement: Agreement,
}

/// What one node has of its own.
pub(super) struct Seat {
    pub(super) index: NodeIndex,
    pub(super) disk: SimDisk,
    pub(super) folder: PathBuf,
}

/// The process: runs until it is killed. One that ends by itself says why.
pub(super) async fn run(seat: Seat, around: Surroundings, errands: mpsc::UnboundedReceiver<Errand>) {
    let node = seat.index;
    let why = match start(seat, &around).await {
        Ok((cluster, control)) => {
            around.post.tell(Letter::Up { node });
            let mut failure = cluster.watch_failure();
            tokio::select! {
                () = take(errands, cluster.clone(), control, around.post.clone(), node) => String::new(),
                failed = failure.wait_for(Option::is_some) => failed.map_or_else(
                    |_| "the node is gone".to_owned(),
                    |why| why.clone().unwrap_or_default(),
                ),
            }
        }
        Err(error) => format!("{error:#}"),
    };
    around.post.tell(Letter::Ended { node, why });
}

async fn start(seat: Seat, around: &Surroundings) -> anyhow::Result<(Cluster, Control)> {
    let node = seat.index;
    let prepared = Prepared::default();
    let (machines, agreement) = (prepared.clone(), around.agreement.clone());
    let factory = move |group| agreement.watch(node, group, machines.machine(group));
    let cluster = Cluster::start(options(&seat, around), factory).await?;
    let database = DatabaseWay { node, post: around.post.clone() };
    let control = Control::new(cluster.clone(), prepared, Options::new(database))?;
    serve(&cluster, &control, around.net.open(node));
    announce(&control, &around.post, node);
    control.lead().await?;
    tokio::spawn(company::found(cluster.clone(), control.clone()));
    Ok((cluster, control))
}

fn options(seat: &Seat, around: &Surroundings) -> mangrove_membership::Options {
    let node = seat.index;
    let mut options = mangrove_membership::Options::new(&seat.folder, format!("n{node}"));
    options.medium = Some(Arc::new(seat.disk.clone()));
    options.roles = ["control".to_owned()].into();
    options.zone = format!("z{node}");
    options.advertise = Some(wire::address(node));
    options.join = (0..node.min(1)).map(wire::address).collect();
    options.founds = node == 0;
    options.shard_groups = 1;
    options.transport = Settings { dial: Dial::By(around.net.dialer(node)), ..Settings::default() };
    // Snapshots come often here, for their code to run.
    options.raft = Tuning { snapshot_every: 50, keep_entries: 10, ..Tuning::default() };
    options
}

fn serve(cluster: &Cluster, control: &Control, connections: mpsc::UnboundedReceiver<End>) {
    let routes = cluster.routes().add_service(mangrove_control::grpc::server(control.clone()));
    let incoming = stream::unfold(connections, |mut connections| async move {
        let end = connections.recv().await?;
        Some((Ok::<_, std::io::Error>(end), connections))
    });
    tokio::spawn(async move {
        let keepalive = Settings::default().keepalive;
        let server = Server::builder()
            .http2_keepalive_interval(Some(keepalive))
            .http2_keepalive_timeout(Some(keepalive))
            .add_routes(routes);
        if let Err(error) = server.serve_with_incoming(incoming).await {
            tracing::error!(%error, "the simulated listener failed");
        }
    });
}

fn announce(control: &Control, post: &Post, node: NodeIndex) {
    let all = (0..EDGES).map(Party::Edge).chain((0..MEDIAS).map(Party::Media));
    let names: BTreeSet<String> = all.map(|party| begun(control, post, node, party)).collect();
    control.set_alive(names);
}

/// Makes an edge or a media node known, or known anew; its name.
fn begun(control: &Control, post: &Post, node: NodeIndex, party: Party) -> String {
    let post = post.clone();
    let (info, edge, media) = match party {
        Party::Edge(edge) => {
            let way: Arc<dyn service::Edge> = Arc::new(EdgeWay { node, edge, post });
            (edge::info(edge), Some(way), None)
        }
        Party::Media(media) => {
            let way: Arc<dyn service::Media> = Arc::new(MediaWay { node, media, post });
            (media::info(media), None, Some(way))
        }
    };
    let name = info.name.clone();
    control.announce(info, edge, media);
    name
}

async fn take(
    mut errands: mpsc::UnboundedReceiver<Errand>,
    cluster: Cluster,
    control: Control,
    post: Post,
    node: NodeIndex,
) {
    while let Some(Errand { at, number, ask }) = errands.recv().await {
        let (control, post) = (control.clone(), post.clone());
        tokio::spawn(async move {
            sleep(Duration::from_millis(at.saturating_sub(time::now()))).await;
            let answer = match ask {
                Ask::Edge(events) => Answer::Ack(control.deliver_edge(events).await),
                Ask::Media(events) => Answer::Ack(control.deliver_media(events).await),
                Ask::Wish(wish) => Answer::Wish(control.command_agent(wish).await),
                Ask::Began(party) => {
                    begun(&control, &post, node, party);
                    Answer::Noted
                }
                Ask::Live(tenant) => Answer::Live(control.live(tenant).await.map(Box::new)),
            };
            post.send(node, Letter::Answer(number, answer));
        });
    }
    drop(cluster);
}
