//! How a node of the demo asks the process that started it to kill or revive a node: one line over loopback, with a
//! secret that only the demo's nodes are given. A node that nobody gave it has no such routes.

use std::{fmt, net::Ipv4Addr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use async_trait::async_trait;
use mangrove_console::{Act, Demo};
use rand::Rng;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    time::timeout,
};

/// Where the demo listens, and the secret: `127.0.0.1:40001 5f1e...`.
pub(super) const VARIABLE: &str = "MANGROVE_DEMO";
const PATIENCE: Duration = Duration::from_secs(5);
const DONE: &str = "done";

/// What a page wants.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) node: String,
    pub(super) act: Act,
    /// Why not, if not.
    pub(super) answer: oneshot::Sender<Result<(), String>>,
}

/// Listens for orders; the variable's value is for the nodes.
pub(super) async fn listen() -> Result<(String, mpsc::Receiver<Order>)> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no free TCP port on loopback")?;
    let secret: String = rand::rng().random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect();
    let value = format!("{} {secret}", listener.local_addr()?);
    let (orders, receiver) = mpsc::channel(16);
    tokio::spawn(accept(listener, secret, orders));
    Ok((value, receiver))
}

async fn accept(listener: TcpListener, secret: String, orders: mpsc::Sender<Order>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(answer(stream, secret.clone(), orders.clone()))),
            Err(error) => tracing::warn!(%error, "an order could not be taken"),
        }
    }
}

async fn answer(stream: TcpStream, secret: String, orders: mpsc::Sender<Order>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    if !matches!(timeout(PATIENCE, stream.read_line(&mut line)).await, Ok(Ok(_))) {
        return;
    }
    let said = match read(&line, &secret) {
        Some((act, node)) => pass_on(node, act, &orders).await,
        None => Err("this is no order of a node of this demo".to_owned()),
    };
    let said = said.map_or_else(|why| why, |()| DONE.to_owned());
    // Who asked may have been killed by it.
    let _ = stream.write_all(format!("{said}\n").as_bytes()).await;
}

/// `SECRET ACT NODE`.
fn read(line: &str, secret: &str) -> Option<(Act, String)> {
    let mut words = line.split_whitespace();
    let (given, act, node) = (words.next()?, words.next()?, words.next()?);
    let act = [Act::Kill, Act::Revive].into_iter().find(|one| one.to_string() == act)?;
    (given == secret).then(|| (act, node.to_owned()))
}

async fn pass_on(node: String, act: Act, orders: &mpsc::Sender<Order>) -> Result<(), String> {
    let over = |_| "the demo is about to end".to_owned();
    let (answer, answered) = oneshot::channel();
    orders.send(Order { node, act, answer }).await.map_err(|_| "the demo is about to end".to_owned())?;
    answered.await.map_err(over)?
}

/// A node's way to the process that started it.
struct Parent {
    address: String,
    secret: String,
}

impl fmt::Debug for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parent").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The demo that this process is a node of.
pub(crate) fn parent() -> Option<Arc<dyn Demo>> {
    let value = std::env::var(VARIABLE).ok()?;
    let (address, secret) = value.split_once(' ')?;
    Some(Arc::new(Parent { address: address.to_owned(), secret: secret.to_owned() }))
}

impl Parent {
    async fn ask(&self, order: String) -> std::io::Result<String> {
        let mut stream = BufReader::new(TcpStream::connect(&self.address).await?);
        stream.write_all(order.as_bytes()).await?;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        Ok(line)
    }
}

#[async_trait]
impl Demo for Parent {
    async fn act(&self, node: &str, act: Act) -> Result<(), String> {
        let order = format!("{} {act} {node}\n", self.secret);
        match timeout(PATIENCE, self.ask(order)).await {
            Ok(Ok(said)) if said.trim() == DONE => Ok(()),
            Ok(Ok(why)) => Err(why.trim().to_owned()),
            Ok(Err(error)) => Err(format!("the demo at {} does not answer: {error}", self.address)),
            Err(_) => Err(format!("the demo at {} did not answer within {PATIENCE:?}", self.address)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_order_reaches_the_demo_and_its_answer_the_node() {
        let (value, mut orders) = listen().await.unwrap();
        let (address, secret) = value.split_once(' ').unwrap();
        let parent = Parent { address: address.to_owned(), secret: secret.to_owned() };
        let stage = async {
            for said in [Ok(()), Err("node b does not run".to_owned())] {
                let Order { node, act, answer } = orders.recv().await.unwrap();
                assert_eq!((node.as_str(), act), ("b", Act::Kill));
                answer.send(said).unwrap();
            }
        };
        let asked = async { (parent.act("b", Act::Kill).await, parent.act("b", Act::Kill).await) };
        let ((), (first, second)) = tokio::join!(stage, asked);
        assert_eq!((first, second), (Ok(()), Err("node b does not run".to_owned())));
    }

    #[tokio::test]
    async fn without_the_secret_nothing_happens() {
        let (value, mut orders) = listen().await.unwrap();
        let address = value.split(' ').next().unwrap().to_owned();
        let stranger = Parent { address, secret: "guessed".to_owned() };
        let refused = stranger.act("b", Act::Kill).await.unwrap_err();
        assert!(refused.contains("no order"), "{refused}");
        assert!(orders.try_recv().is_err());
    }
}
