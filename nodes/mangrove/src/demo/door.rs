//! The demo's one address for browsers: passes each connection on to a node that lives. A connection ends with its node;
//! the browser makes another, which leads to another node, and there its session is as good.

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
    tokio::spawn(accept(listener, nodes));
    Ok(address)
}

async fn accept(listener: TcpListener, nodes: Vec<SocketAddr>) {
    loop {
        match listener.accept().await {
            Ok((browser, _)) => drop(tokio::spawn(pass(browser, nodes.clone()))),
            Err(error) => {
                tracing::warn!(%error, "a browser's connection could not be taken");
                sleep(PAUSE).await;
            }
        }
    }
}

/// To the first node that takes it. Without any the browser is hung up on, and its page says that nobody answers.
async fn pass(mut browser: TcpStream, nodes: Vec<SocketAddr>) {
    for node in nodes {
        if let Ok(Ok(mut node)) = timeout(PATIENCE, TcpStream::connect(node)).await {
            // Small answers should not wait for more; where that can't be set they come a little later.
            let _ = (browser.set_nodelay(true), node.set_nodelay(true));
            // Either end may go at any time.
            let _ = copy_bidirectional(&mut browser, &mut node).await;
            return;
        }
    }
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

    #[tokio::test]
    async fn connections_go_to_a_node_that_lives() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (dead, living) = (TcpListener::bind(any).await.unwrap(), TcpListener::bind(any).await.unwrap());
        let nodes = vec![dead.local_addr().unwrap(), living.local_addr().unwrap()];
        drop(dead);
        tokio::spawn(async move {
            let (mut browser, _) = living.accept().await.unwrap();
            browser.write_all(b"here").await.unwrap();
        });
        let door = open(any, nodes).await.unwrap();
        assert_eq!(greeting(door).await, "here");
        assert_eq!(greeting(door).await, "", "nobody is left: the browser is hung up on");
    }
}
