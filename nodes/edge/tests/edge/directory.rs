//! A copy of the directory that hears pretended control nodes over real gRPC: loading, changes, deaths.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use futures::{StreamExt, stream::BoxStream};
use mangrove_edge::directory::{DirectoryCopy, Remote};
use mangrove_proto::{
    routes::{
        Device, Founding, Load, RoutesUpdate, Step, TenantRoutes, Trunk, WatchRequest,
        routes_server::{Routes as RoutesRpc, RoutesServer},
        routes_update::Content,
    },
    service::{RouteFeed, Routes},
};
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use tokio_stream::wrappers::{TcpListenerStream, UnboundedReceiverStream};
use tonic::{Request, Response, Status, transport::Endpoint};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const PATIENCE: Duration = Duration::from_secs(10);
const SECRET: &str = "5ec4e75ec4e7";

/// A control node in a process of its own, as far as its connections go: dropping it closes all of them. Each stream
/// tells what the script says and then what the test says.
struct Node {
    address: SocketAddr,
    say: mpsc::UnboundedSender<Content>,
    asked: watch::Receiver<WatchRequest>,
    runtime: Option<Runtime>,
}

struct Script {
    first: Vec<Content>,
    heard: watch::Sender<WatchRequest>,
    /// Of the first stream.
    said: parking_lot::Mutex<Option<mpsc::UnboundedReceiver<Content>>>,
}

#[async_trait::async_trait]
impl RoutesRpc for Script {
    type WatchStream = BoxStream<'static, Result<RoutesUpdate, Status>>;

    async fn watch(&self, request: Request<WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        self.heard.send_replace(request.into_inner());
        let said = self.said.lock().take().ok_or_else(|| Status::unavailable("one stream only"))?;
        let contents = futures::stream::iter(self.first.clone()).chain(UnboundedReceiverStream::new(said));
        Ok(Response::new(contents.map(|content| Ok(RoutesUpdate { content: Some(content) })).boxed()))
    }
}

impl Node {
    fn serve(first: Vec<Content>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (say, said) = mpsc::unbounded_channel();
        let (heard, asked) = watch::channel(WatchRequest::default());
        let script = Script { first, heard, said: parking_lot::Mutex::new(Some(said)) };
        let router = tonic::transport::Server::builder().add_service(RoutesServer::new(script));
        let listener = std::net::TcpListener::bind(ANY).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            let incoming = TcpListenerStream::new(TcpListener::from_std(listener).unwrap());
            router.serve_with_incoming(incoming).await
        });
        Self { address, say, asked, runtime: Some(runtime) }
    }

    fn feed(&self) -> Arc<dyn RouteFeed> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        Arc::new(Remote::new(endpoint.connect_lazy()))
    }

    fn say(&self, content: Content) {
        self.say.send(content).unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waits until its sockets are closed, which no task may do.
            std::thread::spawn(move || drop(runtime)).join().unwrap();
        }
    }
}

fn founding() -> Content {
    Content::Founding(Founding { incarnation: 1, shard_groups: 1, nonce_key: vec![7; 32].into() })
}

fn tenant(id: &str, number: &str) -> TenantRoutes {
    TenantRoutes {
        tenant: id.into(),
        epoch: 1,
        domain: format!("{id}.example"),
        numbers: vec![number.into()],
        trunks: vec![Trunk { name: "carrier".into(), from: vec!["10.0.0.1:5060".into(), "?".into()] }],
        devices: vec![Device { username: "101".into(), md5: SECRET.into(), sha256: SECRET.into() }],
    }
}

fn step(from: Option<u64>, to: u64, tenants: Vec<TenantRoutes>, removed: &[&str]) -> Content {
    let removed = removed.iter().map(ToString::to_string).collect();
    Content::Step(Step { group: 1, from, to, tenants, removed, more: false })
}

fn load(lag_ms: u64) -> Content {
    Content::Load(Load { lag_ms, led: vec![1] })
}

fn sources(nodes: &[(&str, &Node)]) -> BTreeMap<String, Arc<dyn RouteFeed>> {
    nodes.iter().map(|(name, node)| ((*name).to_owned(), node.feed())).collect()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let polled = async {
        while !holds() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, polled).await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test]
async fn it_loads_changes_and_forgets() {
    let node = Node::serve(vec![founding(), step(None, 5, vec![tenant("acme", "7495")], &[]), load(3)]);
    let copy = DirectoryCopy::default();
    assert!(!copy.is_ready() && copy.tenant("acme").is_none());
    copy.set_sources(sources(&[("a", &node)]));
    until("ready", || copy.is_ready()).await;
    assert_eq!((copy.nonce_key(), copy.lag_ms()), ([7; 32], 3));
    let trunk = |number| copy.trunk("10.0.0.1:5060".parse().unwrap(), number).map(|(_, trunk)| trunk);
    assert_eq!(trunk("7495").as_deref(), Some("carrier"));
    assert!(copy.is_trunk("10.0.0.1:0".parse().unwrap()));
    assert_eq!(copy.device("acme.example", "101").unwrap().md5, SECRET);

    node.say(step(Some(5), 8, vec![tenant("acme", "7812")], &[]));
    until("changed", || trunk("7812").is_some() && trunk("7495").is_none()).await;
    node.say(step(Some(8), 9, vec![], &["acme"]));
    until("removed", || copy.domain("acme.example").is_none()).await;
    assert!(copy.is_ready() && !copy.is_trunk("10.0.0.1:0".parse().unwrap()));
    node.say(load(800));
    until("lag told", || copy.lag_ms() == 800).await;
}

#[tokio::test]
async fn it_goes_on_without_any_node_and_hears_the_next() {
    let first = Node::serve(vec![founding(), step(None, 5, vec![tenant("acme", "7495")], &[]), load(900)]);
    let copy = DirectoryCopy::default();
    copy.set_sources(sources(&[("a", &first)]));
    until("ready", || copy.is_ready() && copy.lag_ms() == 900).await;
    drop(first);
    until("lost", || copy.lag_ms() == 0).await;
    assert!(copy.is_ready() && copy.tenant("acme").is_some());

    let second = Node::serve(vec![founding(), step(None, 4, vec![], &[]), load(1)]);
    copy.set_sources(sources(&[("b", &second)]));
    until("the other is heard", || copy.lag_ms() == 1).await;
    let asked = second.asked.borrow().clone();
    assert_eq!((asked.incarnation, asked.have[0].index), (1, 5));
    assert!(copy.tenant("acme").is_some(), "the second is behind");
    second.say(step(Some(4), 6, vec![tenant("bolt", "7812")], &[]));
    until("news", || copy.tenant("bolt").is_some() && copy.tenant("acme").is_none()).await;
}

#[tokio::test]
async fn a_node_that_moved_is_found_by_its_new_channel() {
    let before = Node::serve(vec![founding(), step(None, 5, vec![], &[]), load(1)]);
    let copy = DirectoryCopy::default();
    copy.set_sources(sources(&[("a", &before)]));
    until("ready", || copy.is_ready()).await;
    let after = Node::serve(vec![founding(), load(2)]);
    copy.set_sources(sources(&[("a", &after)]));
    assert_eq!(copy.lag_ms(), 1, "a stream that lives goes on");
    drop(before);
    until("the new one is heard", || copy.lag_ms() == 2).await;
}

#[tokio::test]
async fn a_stream_that_does_not_fit_is_opened_anew_from_what_is_held() {
    let node = Node::serve(vec![founding(), step(None, 5, vec![tenant("acme", "7495")], &[])]);
    let copy = DirectoryCopy::default();
    copy.set_sources(sources(&[("a", &node)]));
    until("loaded", || copy.tenant("acme").is_some()).await;
    node.say(step(Some(6), 7, vec![], &["acme"]));
    let mut asked = node.asked.clone();
    let again = asked.wait_for(|request| request.have.iter().any(|held| held.index == 5));
    timeout(PATIENCE, again).await.expect("asked again").unwrap();
    assert!(copy.tenant("acme").is_some());
}

#[tokio::test]
async fn no_secret_is_shown() {
    let node = Node::serve(vec![founding(), step(None, 5, vec![tenant("acme", "7495")], &[]), load(1)]);
    let copy = DirectoryCopy::default();
    copy.set_sources(sources(&[("a", &node)]));
    until("ready", || copy.is_ready()).await;
    let shown = format!("{copy:?} {:?}", copy.device("acme.example", "101"));
    assert!(shown.contains("101") && shown.contains("acme.example"), "{shown}");
    assert!(!shown.contains(SECRET) && !shown.contains("7, 7, 7"), "{shown}");
}
