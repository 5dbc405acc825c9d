//! Two nodes over TLS, strangers of every kind at the door, and files that change under a running node.

#![allow(clippy::unwrap_used)]

mod authority;
mod open;
mod renewal;
mod strangers;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mangrove_proto::cluster::VoteRequest;
use mangrove_proto::cluster::raft_client::RaftClient;
use mangrove_raft::{GroupHost, Owner, Store, Tuning};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::{Mutual, Security};
use crate::{Network, Settings, serve};
use authority::{Authority, Wish, put};

fn settings(security: Security) -> Settings {
    Settings { security, ..Settings::default() }
}

/// Node `name` with a good certificate of `authority`, and the folder of its files.
fn node(authority: &Authority, name: &str) -> (Mutual, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let files = put(folder.path(), &authority.pem(), &authority.issue(Wish::good(name)));
    (Mutual::open(files, name).unwrap(), folder)
}

/// A node's gRPC port on loopback, without any group.
struct Port {
    address: SocketAddr,
    _folder: TempDir,
}

impl Port {
    async fn open(security: Security) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let owner = Owner { incarnation: 1, node: 1 };
        let host = GroupHost::new(Store::open(folder.path(), owner).unwrap(), owner, Tuning::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let settings = settings(security);
        let routes = Network::new(settings.clone()).routes(host);
        tokio::spawn(async move {
            serve(listener, routes, &settings, std::future::pending()).await.unwrap();
        });
        Self { address, _folder: folder }
    }

    fn channel(&self, security: Security) -> Channel {
        Network::new(settings(security)).channel(&self.address.to_string()).unwrap()
    }

    /// A new connection and a call over it.
    async fn called_by(&self, security: Security) -> Result<(), String> {
        call(self.channel(security)).await
    }
}

/// Whether a call comes through: the node answers that it has no such group, which only it can say.
async fn call(channel: Channel) -> Result<(), String> {
    let request = VoteRequest { group: 7, ..VoteRequest::default() };
    match RaftClient::new(channel).vote(request).await {
        Err(status) if status.code() == Code::NotFound => Ok(()),
        Err(status) => Err(chain(&status)),
        Ok(answer) => Err(format!("unexpected: {answer:?}")),
    }
}

fn chain(status: &Status) -> String {
    let mut text = status.to_string();
    let mut source = std::error::Error::source(status);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// What was logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    async fn has(&self, part: &str) {
        until(&format!("{part:?} is logged"), || {
            String::from_utf8_lossy(&self.0.lock().unwrap()).contains(part)
        })
        .await;
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let polled = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), polled).await.unwrap_or_else(|_| panic!("not in 20 s: {what}"));
}

#[tokio::test]
async fn two_nodes_of_one_cluster_talk() {
    let authority = Authority::new("one");
    let (a, _a) = node(&authority, "a");
    let (b, _b) = node(&authority, "b");
    let port = Port::open(Security::Mutual(a)).await;
    assert_eq!(port.called_by(Security::Mutual(b)).await, Ok(()));
}

#[tokio::test]
async fn a_node_is_believed_only_at_the_addresses_of_its_certificate_if_it_lists_any() {
    let authority = Authority::new("one");
    let (b, _b) = node(&authority, "b");
    for (names, talks) in [
        (&["a.mangrove.internal"][..], true),
        (&["a.mangrove.internal", "127.0.0.1"], true),
        (&["a.mangrove.internal", "10.9.9.9"], false),
        (&["a.mangrove.internal", "a.example"], false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let pair = authority.issue(Wish::good("a").names(names));
        let a = Mutual::open(put(folder.path(), &authority.pem(), &pair), "a").unwrap();
        let port = Port::open(Security::Mutual(a)).await;
        let called = port.called_by(Security::Mutual(b.clone())).await;
        assert_eq!(called.is_ok(), talks, "{names:?}: {called:?}");
        if !talks {
            assert!(called.unwrap_err().contains("127.0.0.1"), "{names:?}");
        }
    }
}
