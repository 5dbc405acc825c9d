//! The demo's one address for browsers: passes each connection on to a node that serves pages by now. A connection ends with
//! its node; the browser makes another, which leads to another node, and there its session is as good.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// A living node on the same machine takes a connection at once.
const PATIENCE: Duration = Duration::from_secs(1);
/// After a failure to take a connection: descriptors may be short for a moment.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens until the process ends; where it really does.
pub(super) async fn open(listen: SocketAddr, nodes: Vec<SocketAddr>) -> Result<SocketAddr> {
    let taken = || format!("can't listen for pages on {listen}, give another --listen");
    let listener = TcpListener::bind(listen).await.with_context(taken)?;
    let address = listener.local_addr()?;
    let asker = reqwest::Client::builder().timeout(PATIENCE).pool_max_idle_per_host(0).no_proxy();
    let asker = asker.tls_certs_only([]).build()?;
    tokio::spawn(accept(listener, asker, nodes));
    Ok(address)
}

async fn accept(listener: TcpListener, asker: reqwest::Client, nodes: Vec<SocketAddr>) {
    loop {
        match listener.accept().await {
            Ok((browser, _)) => drop(tokio::spawn(pass(browser, asker.clone(), nodes.clone()))),
            Err(error) => {
                tracing::warn!(%error, "a browser's connection could not be taken");
                sleep(PAUSE).await;
            }
        }
    }
}

/// To the first node that serves. Without any the browser is hung up on, and its page says that nobody answers.
async fn pass(mut browser: TcpStream, asker: reqwest::Client, nodes: Vec<SocketAddr>) {
    for node in nodes {
        if is_starting(&asker, node).await {
            continue;
        }
        if let Ok(Ok(mut node)) = timeout(PATIENCE, TcpStream::connect(node)).await {
            // Small answers should not wait for more; where that can't be set they come a little later.
            let _ = (browser.set_nodelay(true), node.set_nodelay(true));
            // Either end may go at any time.
            let _ = copy_bidirectional(&mut browser, &mut node).await;
            return;
        }
    }
}

/// Whether the node is alive and has no pages yet; of one that does not answer the connection itself will tell.
async fn is_starting(asker: &reqwest::Client, node: SocketAddr) -> bool {
    let told = async { asker.get(format!("http://{node}/healthz")).send().await?.text().await };
    told.await.is_ok_and(|told| told.trim() == "starting")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn greeting(door: SocketAddr) -> String {
        let mut text = String::new();
        TcpStream::connect(door).await.unwrap().read_to_string(&mut text).await.unwrap();
        text
    }

    /// Tells the first who connects how it is, and all others that they are here.
    async fn play(node: TcpListener, alive: &str) {
        let (mut asker, _) = node.accept().await.unwrap();
        let mut request = [0; 1024];
        assert!(asker.read(&mut request).await.unwrap() > 0);
        let length = alive.len();
        let answer =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{alive}");
        asker.write_all(answer.as_bytes()).await.unwrap();
        if let Ok((mut browser, _)) = node.accept().await {
            browser.write_all(b"here").await.unwrap();
        }
    }

    #[tokio::test]
    async fn connections_go_to_a_node_that_serves() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut listeners = Vec::new();
        for _ in 0..3 {
            listeners.push(TcpListener::bind(any).await.unwrap());
        }
        let nodes = listeners.iter().map(|one| one.local_addr().unwrap()).collect();
        let [dead, starting, living] = listeners.try_into().unwrap();
        drop(dead);
        let starting = tokio::spawn(play(starting, "starting\n"));
        tokio::spawn(play(living, "ok\n"));
        let door = open(any, nodes).await.unwrap();
        assert_eq!(greeting(door).await, "here");
        starting.abort();
        assert_eq!(greeting(door).await, "", "nobody is left: the browser is hung up on");
    }
}
