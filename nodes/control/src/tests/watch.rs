//! The stream for edges' copies, as read by a client and by a real copy, in this process and over gRPC.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
};

use futures::StreamExt;
use mangrove_edge::directory::{DirectoryCopy, Remote};
use mangrove_proto::{
    control::ConfigureRequest,
    routes::{Held, Step, WatchRequest, routes_update::Content},
    service::{Console, RouteFeed, RouteUpdates, Routes},
};
use serde_json::json;
use tokio::{net::TcpListener, time::timeout};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Endpoint, Server};

use super::{
    company::company,
    house::{ACME, BOLT, House, until},
};
use crate::{Control, routes::server};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

async fn next(updates: &mut RouteUpdates) -> Content {
    let update = timeout(PATIENCE, updates.next()).await.expect("an update").expect("no end");
    update.unwrap().content.unwrap()
}

/// The steps up to the first load after them.
async fn round(updates: &mut RouteUpdates) -> Vec<Step> {
    let mut steps = Vec::new();
    loop {
        match next(updates).await {
            Content::Step(step) => steps.push(step),
            Content::Load(_) if !steps.is_empty() => return steps,
            Content::Load(_) | Content::Founding(_) => {}
        }
    }
}

fn told(steps: &[Step]) -> Vec<&str> {
    steps.iter().flat_map(|step| &step.tenants).map(|tenant| tenant.tenant.as_str()).collect()
}

/// Both companies, as whoever watches from now on is told at once: the table of routes follows the state a moment later.
async fn companies(folder: &std::path::Path) -> House {
    let house = House::with_companies(folder).await;
    let mut updates = house.control.watch(WatchRequest::default()).await.unwrap();
    let mut seen = BTreeSet::new();
    while seen.len() < 2 {
        seen.extend(told(&round(&mut updates).await).into_iter().map(str::to_owned));
    }
    house
}

async fn serve(control: &Control) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Server::builder().add_service(server(control.clone()));
    tokio::spawn(router.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

fn remote(address: SocketAddr) -> Remote {
    Remote::new(Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy())
}

/// Changes acme's trunk, many times, until the table of routes has the last one.
async fn change_often(house: &House, times: u16) {
    for port in 1..=times {
        let mut document = company("acme", ACME);
        document["trunks"][0]["from"] = json!([format!("127.0.0.2:{port}")]);
        let document = serde_json::to_vec(&document).unwrap().into();
        let request = ConfigureRequest { tenant: "acme".into(), document, ..ConfigureRequest::default() };
        house.control.configure(request).await.unwrap();
    }
    let last = SocketAddr::from(([127, 0, 0, 2], times));
    until("the last change is in the table", || house.control.is_trunk(last)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_comes_first_and_then_what_changes() {
    let folder = tempfile::tempdir().unwrap();
    let house = companies(folder.path()).await;
    let mut updates = house.control.watch(WatchRequest::default()).await.unwrap();
    let Content::Founding(founding) = next(&mut updates).await else { panic!("no founding") };
    assert_eq!(founding.incarnation, house.control.cluster().incarnation());
    assert_eq!((founding.shard_groups, &founding.nonce_key[..]), (2, &house.control.nonce_key()[..]));
    let first = round(&mut updates).await;
    assert_eq!((told(&first), first[0].from), (vec!["acme", "bolt"], None));
    let acme = &first[0].tenants[0];
    assert_eq!((acme.domain.as_str(), &acme.numbers[..]), ("acme.example", &[ACME.to_owned()][..]));
    assert_eq!((acme.devices.len(), acme.trunks[0].from[0].as_str()), (1, "127.0.0.1:5080"));

    change_often(&house, 1).await;
    let changed = round(&mut updates).await;
    assert_eq!((told(&changed), changed[0].from), (vec!["acme"], Some(first[0].to)));
    house.delete("acme").await.unwrap();
    let removed = round(&mut updates).await;
    assert_eq!((&removed[0].removed[..], removed[0].from), (&["acme".to_owned()][..], Some(changed[0].to)));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_was_away_gets_the_newest_joined() {
    let folder = tempfile::tempdir().unwrap();
    let house = companies(folder.path()).await;
    let mut updates = house.control.watch(WatchRequest::default()).await.unwrap();
    round(&mut updates).await;
    change_often(&house, 50).await;
    let joined = round(&mut updates).await;
    assert_eq!(told(&joined), ["acme"]);
    assert_eq!(joined[0].tenants[0].trunks[0].from, ["127.0.0.2:50"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_edge_holds_is_not_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let house = companies(folder.path()).await;
    let first = round(&mut house.control.watch(WatchRequest::default()).await.unwrap()).await;
    let have: Vec<_> = first.iter().map(|step| Held { group: step.group, index: step.to }).collect();
    let incarnation = house.control.cluster().incarnation();
    let request = WatchRequest { incarnation, have: have.clone() };
    let mut updates = house.control.watch(request).await.unwrap();
    next(&mut updates).await;
    assert!(matches!(next(&mut updates).await, Content::Load(_)), "nothing is new");
    change_often(&house, 1).await;
    assert_eq!(round(&mut updates).await[0].from, Some(first[0].to));

    let of_another = WatchRequest { incarnation: incarnation ^ 1, have };
    let mut updates = house.control.watch(of_another).await.unwrap();
    assert_eq!(told(&round(&mut updates).await), ["acme", "bolt"]);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_answers_as_control_itself() {
    let folder = tempfile::tempdir().unwrap();
    let house = companies(folder.path()).await;
    assert!(house.control.is_ready());
    let address = serve(&house.control).await;
    let here: Arc<dyn RouteFeed> = Arc::new(house.control.clone());
    for (way, feed) in [("here", here), ("gRPC", Arc::new(remote(address)))] {
        let copy = DirectoryCopy::default();
        copy.set_sources(BTreeMap::from([("n".to_owned(), feed)]));
        until("the copy is ready", || copy.is_ready()).await;
        let source = "127.0.0.1:5080".parse().unwrap();
        for tenant in ["acme", "bolt", "nobody"] {
            let domain = format!("{tenant}.example");
            let ask = |routes: &dyn Routes| {
                (routes.tenant(tenant), routes.domain(&domain), routes.device(&domain, "101"))
            };
            assert_eq!(ask(&copy), ask(&house.control), "{tenant} {way}");
        }
        for number in [ACME, BOLT, "1"] {
            let ask = |routes: &dyn Routes| (routes.trunk(source, number), routes.is_trunk(source));
            assert_eq!(ask(&copy), ask(&house.control), "{number} {way}");
        }
        assert_eq!(copy.nonce_key(), house.control.nonce_key(), "{way}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_follows_many_changes_over_grpc_to_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let house = companies(folder.path()).await;
    let copy = DirectoryCopy::default();
    let feed: Arc<dyn RouteFeed> = Arc::new(remote(serve(&house.control).await));
    copy.set_sources(BTreeMap::from([("n".to_owned(), feed)]));
    until("the copy is ready", || copy.is_ready()).await;
    change_often(&house, 100).await;
    let known = |port: u16| copy.is_trunk(SocketAddr::from(([127, 0, 0, 2], port)));
    until("the last change is known", || known(100)).await;
    assert!(!known(99) && copy.tenant("bolt").is_some());
    house.delete("acme").await.unwrap();
    until("acme is gone", || copy.tenant("acme").is_none() && !known(100)).await;
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_node() {
    let folder = tempfile::tempdir().unwrap();
    let house = companies(folder.path()).await;
    let mut updates = house.control.watch(WatchRequest::default()).await.unwrap();
    round(&mut updates).await;
    house.close().await;
    let ended = async { while updates.next().await.is_some() {} };
    timeout(PATIENCE, ended).await.expect("an end");
}
