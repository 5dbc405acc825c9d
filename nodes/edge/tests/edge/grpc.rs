//! The service between processes behaves as within one.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use mangrove_edge::grpc::{Client, server};
use mangrove_proto::{
    common::Fence,
    edge::{EdgeCommand, EdgeCommands},
    service::{Edge, Error},
};
use tokio::{net::TcpListener, runtime::Runtime, time::timeout};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Endpoint, Server};

use crate::house::House;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
const PATIENCE: Duration = Duration::from_secs(10);

/// A process of its own, as far as its connections go: dropping it closes all of them.
struct Process {
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Process {
    fn serve(house: &House, address: SocketAddr) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let edge: Arc<dyn Edge> = Arc::new(house.edge.clone());
        let carried = move |name: &str| (name == "a").then(|| edge.clone());
        let router = Server::builder().add_service(server(Arc::new(carried)));
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            let incoming = TcpListenerStream::new(TcpListener::from_std(listener).unwrap());
            router.serve_with_incoming(incoming).await
        });
        Self { address, runtime: Some(runtime) }
    }

    fn client(&self) -> Client {
        Client::new("a", Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waits until its sockets are closed, which no task may do.
            std::thread::spawn(move || drop(runtime)).join().unwrap();
        }
    }
}

fn commands(effect: u64, term: u64) -> EdgeCommands {
    let fence = Some(Fence { incarnation: 1, tenant_epoch: 1, term, index: 1 });
    let command = EdgeCommand { effect, tenant: "acme".into(), fence, ..EdgeCommand::default() };
    EdgeCommands { group: 3, commands: vec![command] }
}

#[tokio::test]
async fn batches_are_answered_in_order() {
    let house = House::start().await;
    let process = Process::serve(&house, ANY);
    let client = process.client();
    let (first, second, third) = tokio::join!(
        client.execute(commands(1, 7)),
        client.execute(commands(2, 6)),
        client.execute(commands(3, 7))
    );
    assert_eq!([first, second, third].map(|executed| executed.unwrap().refused), [vec![], vec![2], vec![]]);
}

#[tokio::test]
async fn a_lost_edge_is_unavailable_and_found_again() {
    let house = House::start().await;
    let process = Process::serve(&house, ANY);
    let (client, address) = (process.client(), process.address);
    client.execute(commands(1, 1)).await.unwrap();
    drop(process);
    let lost = async {
        loop {
            if let Err(error) = client.execute(commands(2, 1)).await {
                return error;
            }
        }
    };
    let error = timeout(PATIENCE, lost).await.unwrap();
    assert!(error.is_retryable() && matches!(error, Error::Unavailable { .. }), "{error}");

    let _process = Process::serve(&house, address);
    let found = async { while client.execute(commands(3, 1)).await.is_err() {} };
    timeout(PATIENCE, found).await.unwrap();
}
