//! The same node through gRPC.

use std::sync::Arc;

use mangrove_media::grpc;
use mangrove_proto::{
    common::Fence,
    media::{HoldingsRequest, MediaCommand, MediaCommands},
    service::{Error, Media},
};
use mangrove_rtp::g711::Law;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Endpoint, Server};

use crate::{phone::Phone, support::*};

fn commands(effect: u64, set: mangrove_proto::media::SetSession) -> MediaCommands {
    let fence = Some(Fence { incarnation: 1, tenant_epoch: 1, term: 1, index: 1 });
    let command = MediaCommand { effect, tenant: TENANT.into(), fence, set: Some(set) };
    MediaCommands { group: GROUP, commands: vec![command] }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_answers_travel_in_order() {
    let node = Node::start();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let media: Arc<dyn Media> = Arc::new(node.media.clone());
    let service = grpc::server(Arc::new(move |name| (name == "m").then(|| media.clone())));
    let serving = tokio::spawn(
        Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)),
    );
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let client = grpc::Client::new("m", channel.clone());

    let phone = Phone::new("127.0.0.1", Law::A).await;
    let set = |version| session(version, vec![endpoint("a", Law::A, phone.address())]);
    let answers = futures::future::join_all(
        [(11, 2), (12, 3), (13, 1)].map(|(e, v)| client.execute(commands(e, set(v)))),
    );
    let refused: Vec<Vec<u64>> = answers.await.into_iter().map(|answer| answer.unwrap().refused).collect();
    assert_eq!(refused, [vec![], vec![], vec![13]]);
    let held = client.hold(HoldingsRequest { group: GROUP }).await.unwrap();
    assert_eq!(held.sessions[0].version, 3);
    let other = grpc::Client::new("n", channel).hold(HoldingsRequest { group: GROUP }).await.unwrap_err();
    assert!(other.is_retryable() && other.to_string().contains("node `n` is not carried here"), "{other}");

    serving.abort();
    let _ = serving.await;
    let gone = Endpoint::from_static("http://127.0.0.1:1").connect_lazy();
    let error = grpc::Client::new("m", gone).execute(commands(14, set(4))).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }) && error.is_retryable(), "{error:?}");
}
