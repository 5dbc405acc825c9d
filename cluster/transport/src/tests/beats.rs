//! Heartbeats: at a node that answers as told, at a real one, and between nodes of which some are of an earlier build.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::join_all;
use futures::{Stream, StreamExt, stream};
use mangrove_proto::cluster as proto;
use proto::append_response::Outcome as Appended;
use proto::beat_answer::Outcome;
use proto::raft_server::{Raft, RaftServer};
use tonic::transport::Endpoint;
use tonic::{Code, Request, Response, Status, Streaming};

use super::*;
use crate::beats::Beats;
use crate::server::RaftService;

/// Of a node that answers as told: never, and by an end of the stream. It takes all others.
const SILENT: u32 = 7;
const DEADLY: u32 = 9;

type Replies<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Counts the calls that come. Without a real node behind it answers heartbeats as told; with one it is of an earlier build
/// and knows none.
#[derive(Clone, Default)]
struct Double {
    real: Option<RaftService>,
    beats: Arc<AtomicUsize>,
    appends: Arc<AtomicUsize>,
    /// The groups of all heartbeats.
    heard: Arc<Mutex<Vec<u32>>>,
}

impl Double {
    fn routes(&self) -> Routes {
        Routes::new(RaftServer::new(self.clone()))
    }

    fn real(&self) -> Result<&RaftService, Status> {
        self.real.as_ref().ok_or_else(|| Status::unimplemented("heartbeats only"))
    }
}

async fn told(beat: proto::Beat) -> Result<proto::BeatAnswer, Status> {
    match beat.request.unwrap().group {
        SILENT => std::future::pending().await,
        DEADLY => Err(Status::aborted("told to")),
        _ => {
            let appended = Appended::Accepted(proto::Accepted { flushed: None });
            let outcome = Outcome::Answered(proto::AppendResponse { outcome: Some(appended) });
            Ok(proto::BeatAnswer { number: beat.number, outcome: Some(outcome) })
        }
    }
}

#[tonic::async_trait]
impl Raft for Double {
    type AppendStream = Replies<proto::AppendResponse>;
    type BeatStream = Replies<proto::Beaten>;

    async fn append(
        &self,
        request: Request<Streaming<proto::AppendRequest>>,
    ) -> Result<Response<Self::AppendStream>, Status> {
        self.appends.fetch_add(1, Ordering::Relaxed);
        self.real()?.append(request).await
    }

    async fn beat(
        &self,
        request: Request<Streaming<proto::Beats>>,
    ) -> Result<Response<Self::BeatStream>, Status> {
        self.beats.fetch_add(1, Ordering::Relaxed);
        if self.real.is_some() {
            return Err(Status::unimplemented("of an earlier build"));
        }
        let heard = self.heard.clone();
        let beats = request.into_inner().flat_map(|message| stream::iter(message.unwrap().beats));
        let beats =
            beats.inspect(move |beat| heard.lock().unwrap().push(beat.request.as_ref().unwrap().group));
        let answers = beats.map(told).buffer_unordered(100);
        Ok(Response::new(Box::pin(answers.map(|answer| Ok(proto::Beaten { answers: vec![answer?] })))))
    }

    async fn vote(
        &self,
        request: Request<proto::VoteRequest>,
    ) -> Result<Response<proto::VoteResponse>, Status> {
        self.real()?.vote(request).await
    }

    async fn pre_vote(
        &self,
        request: Request<proto::VoteRequest>,
    ) -> Result<Response<proto::VoteResponse>, Status> {
        self.real()?.pre_vote(request).await
    }

    async fn snapshot(
        &self,
        request: Request<Streaming<proto::SnapshotChunk>>,
    ) -> Result<Response<proto::SnapshotResponse>, Status> {
        self.real()?.snapshot(request).await
    }

    async fn transfer_leader(
        &self,
        request: Request<proto::TransferLeaderRequest>,
    ) -> Result<Response<proto::TransferLeaderResponse>, Status> {
        self.real()?.transfer_leader(request).await
    }
}

async fn beats_to(routes: Routes) -> Beats {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let beats = beats_over(&listener);
    begin(listener, routes);
    beats
}

fn beats_over(listener: &TcpListener) -> Beats {
    let address = listener.local_addr().unwrap();
    Beats::over(Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy())
}

fn begin(listener: TcpListener, routes: Routes) {
    tokio::spawn(async move { serve(listener, routes, &Settings::default(), std::future::pending()).await });
}

fn of(group: u32) -> proto::AppendRequest {
    let vote = Some(proto::Vote { term: 1, node: 2, committed: true });
    proto::AppendRequest { group, vote, ..proto::AppendRequest::default() }
}

#[tokio::test]
async fn groups_share_a_stream_and_none_waits_for_another() {
    let double = Double::default();
    let beats = beats_to(double.routes()).await;
    let waits = tokio::spawn({
        let beats = beats.clone();
        async move { beats.ask(of(SILENT)).await }
    });
    for _ in 0..5 {
        let answers = join_all((20..60).map(|group| beats.ask(of(group)))).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }
    assert!(!waits.is_finished());
    assert_eq!(double.beats.load(Ordering::Relaxed), 1, "streams");
    waits.abort();
}

#[tokio::test]
async fn who_waits_on_a_stream_that_ends_is_told_and_the_next_begins_another() {
    let double = Double::default();
    let beats = beats_to(double.routes()).await;
    let (waits, ends) = tokio::join!(beats.ask(of(SILENT)), beats.ask(of(DEADLY)));
    assert_eq!(waits.unwrap_err().code(), Code::Aborted);
    assert_eq!(ends.unwrap_err().code(), Code::Aborted);
    assert!(beats.ask(of(20)).await.is_ok());
    assert_eq!(double.beats.load(Ordering::Relaxed), 2, "streams");
}

/// As with a process that stands still: its machine takes connections.
#[tokio::test]
async fn who_gave_up_before_there_was_a_stream_is_not_sent() {
    let (double, listener) = (Double::default(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let beats = beats_over(&listener);
    for group in 20..25 {
        let gave_up = timeout(Duration::from_millis(10), beats.ask(of(group))).await;
        assert!(gave_up.is_err());
    }
    begin(listener, double.routes());
    assert!(beats.ask(of(25)).await.is_ok());
    assert_eq!(*double.heard.lock().unwrap(), [20, 25], "the first went out to open the stream");
}

#[tokio::test]
async fn a_group_that_does_not_run_is_named_and_others_answer_for_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let (mut listeners, peers) = listeners().await;
    let node = Node::start(folder.path(), 1, listeners.remove(&1).unwrap(), Tuning::default()).await;
    let alone = BTreeMap::from([(1, peers[&1].clone())]);
    node.host.found_group(0, alone).await.unwrap();
    until("it leads", || node.handle(0).leadership().is_leader().then_some(())).await;
    let beats = beats_to(Network::new(Settings::default()).routes(node.host.clone())).await;
    let old = proto::Vote { term: 0, node: 2, committed: true };
    let (unknown, outdated, empty) = tokio::join!(
        beats.ask(of(77)),
        beats.ask(proto::AppendRequest { vote: Some(old), ..of(0) }),
        beats.ask(proto::AppendRequest { vote: None, ..of(0) }),
    );
    assert!(unknown.unwrap_err().message().contains("group 77 does not run"));
    assert!(matches!(outdated.unwrap().outcome, Some(Appended::Higher(vote)) if vote.term > 0));
    assert!(empty.unwrap_err().message().contains("has no vote"));
}

/// Versions N and N + 1 work together.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_of_an_earlier_build_get_heartbeats_as_they_know_them() {
    let folder = tempfile::tempdir().unwrap();
    let (listeners, peers) = listeners().await;
    let (beats, appends) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    // A busy machine may pause.
    let (heartbeat, lease) = (Duration::from_millis(100), Duration::from_millis(1_000));
    let tuning = Tuning { heartbeat, lease, ..Tuning::default() };
    let setup = Setup { tuning, ..Setup::default() };
    let mut nodes = BTreeMap::new();
    for (id, listener) in listeners {
        let (beats, appends) = (beats.clone(), appends.clone());
        let older = |host, network: &Network| {
            let real = Some(RaftService::over(host, network));
            Double { real, beats, appends, ..Double::default() }.routes()
        };
        nodes.insert(id, Node::serving(folder.path(), id, listener, setup.clone(), older).await);
    }
    nodes[&1].host.found_group(0, peers).await.unwrap();
    propose(&nodes, 0, "before").await;
    let leads = |id| (id, nodes[&id].handle(0).status().term);
    let first = until("somebody leads", || leader(&nodes, 0).map(leads)).await;
    let before = appends.load(Ordering::Relaxed);
    // Thirty to each of two, which takes longer than a follower holds to a leader that it does not hear.
    until("heartbeats come", || (appends.load(Ordering::Relaxed) > before + 60).then_some(())).await;
    assert_eq!(leads(first.0), first);
    assert!(beats.load(Ordering::Relaxed) > 0, "it was tried");
}
