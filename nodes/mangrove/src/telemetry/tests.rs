//! A whole node with a collector of our own: what it is told of a call.

use std::{
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

use mangrove_edge::Transport;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
    trace::v1::Span,
};
use serde_json::json;
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

use super::Telemetry;
use crate::{
    client::Client,
    configuration::{Configuration, Ports},
    serve::Node,
};

struct Collector(mpsc::UnboundedSender<Span>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        for span in resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans) {
            // The test may have seen enough.
            let _ = self.0.send(span);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn collector() -> (String, mpsc::UnboundedReceiver<Span>) {
    let (sender, spans) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = TraceServiceServer::new(Collector(sender));
    tokio::spawn(
        Server::builder().add_service(service).serve_with_incoming(TcpListenerStream::new(listener)),
    );
    (url, spans)
}

fn configuration(folder: &std::path::Path, otlp: String) -> Configuration {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let mut configuration = Configuration { data_dir: folder.to_owned(), ..Configuration::default() };
    (configuration.sip.udp, configuration.sip.tcp) = (any, any);
    (configuration.http.listen, configuration.cluster.listen) = (any, any);
    configuration.cluster.shard_groups = 1;
    configuration.rtp.ports = Ports(0..=0);
    configuration.telemetry.otlp = Some(otlp);
    configuration.telemetry.level = "warn".into();
    configuration.fill();
    configuration
}

fn company(carrier: SocketAddr) -> serde_json::Value {
    json!({
        "format": 1, "tenant": "acme", "name": "Acme", "domain": "acme.example",
        "trunks": [{
            "name": "carrier", "from": [carrier.to_string()], "to": [{"uri": format!("sip:{carrier}"), "priority": 1}],
            "caller_ids": ["74951234567"],
        }],
        "numbers": [{"number": "74951234567", "scheme": "main"}],
        "schemes": [{"name": "main", "steps": [{"play": "default-greeting"}]}],
    })
}

/// Calls the number and returns once the node has answered something.
fn call(carrier: &UdpSocket, node: SocketAddr) {
    let address = carrier.local_addr().unwrap();
    let body =
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
    let invite = format!(
        "INVITE sip:74951234567@acme.example SIP/2.0\r\nVia: SIP/2.0/UDP {address};branch=z9hG4bKone\r\n\
         Max-Forwards: 70\r\nFrom: <sip:79160000000@carrier>;tag=one\r\nTo: <sip:74951234567@acme.example>\r\n\
         Call-ID: one\r\nCSeq: 1 INVITE\r\nContact: <sip:79160000000@{address}>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    carrier.send_to(invite.as_bytes(), node).unwrap();
    carrier.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut answer = [0; 2048];
    let (length, _) = carrier.recv_from(&mut answer).expect("an answer within ten seconds");
    assert!(answer[..length].starts_with(b"SIP/2.0 100"), "{}", String::from_utf8_lossy(&answer[..length]));
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    }
}

async fn until(spans: &mut mpsc::UnboundedReceiver<Span>, wanted: &str) -> Vec<Span> {
    let mut seen = Vec::new();
    while seen.last().is_none_or(|span: &Span| span.name != wanted) {
        let next = timeout(Duration::from_secs(30), spans.recv()).await;
        let names: Vec<_> = seen.iter().map(|span| span.name.clone()).collect();
        seen.push(next.unwrap_or_else(|_| panic!("no span `{wanted}` after {names:?}")).unwrap());
    }
    seen
}

fn udp(node: &Node) -> SocketAddr {
    node.sip().into_iter().find(|(transport, _)| *transport == Transport::Udp).unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_a_span_per_call_with_its_effects_and_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (url, mut spans) = collector().await;
    let configuration = configuration(folder.path(), url);
    let telemetry = Telemetry::start(&configuration).unwrap();
    let node = Node::start(&configuration, &telemetry).await.unwrap();
    let client = Client::new(&format!("http://{}", node.http()), node.token().clone()).unwrap();
    let carrier = UdpSocket::bind("127.0.0.1:0").unwrap();
    let answer = client.configure("acme", &company(carrier.local_addr().unwrap()), false).await.unwrap();
    assert_eq!(answer["problems"], json!([]));
    call(&carrier, udp(&node));
    // Ends the call and forgets it at once.
    client.delete(&["tenants", "acme"]).await.unwrap();

    let seen = until(&mut spans, "call").await;
    let call = seen.last().unwrap();
    assert_eq!(attribute(call, "tenant").as_deref(), Some("acme"));
    assert!(attribute(call, "call").is_some_and(|id| id.starts_with("call_")), "{call:#?}");
    for (key, value) in [("outcome", "failed"), ("cause", "tenant-removed")] {
        assert_eq!(attribute(call, key).as_deref(), Some(value), "{call:#?}");
    }
    let effects: Vec<_> = seen.iter().filter(|span| span.parent_span_id == call.span_id).collect();
    assert!(
        effects.iter().any(|span| attribute(span, "what").as_deref() == Some("100 Trying")),
        "{effects:#?}"
    );
    assert!(!format!("{seen:?}").contains("79160000000"), "no number leaves whole");
    node.stop().await;
    tokio::task::spawn_blocking(|| telemetry.stop()).await.unwrap();
}
