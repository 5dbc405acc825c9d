//! Writes to a running cluster as a media node does: each client has one event on its way to the leader of a group, and sends
//! the next when that one is on a majority's disks. Prints writes a second and their latency as one line of JSON.
//!
//! `cargo run --release -p mangrove-control --example event_load SECONDS CLIENTS CONNECTIONS BYTES GROUP=HOST:PORT ...`
//!
//! Clients take the groups in turn. The events name a call that is not there: the rules note that they came, no more.

use std::time::{Duration, Instant};

use mangrove_proto::{
    common::Sender,
    control::control_client::ControlClient,
    media::{Digit, MediaEvent, MediaEvents, media_event::Fact},
};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Clone)]
struct Plan {
    until: Instant,
    /// Of an event's text.
    bytes: usize,
    /// Distinguishes the runs: events of an older one would be late.
    run: u64,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seconds, clients, connections, bytes, groups @ ..] = arguments.as_slice() else {
        return Err("arguments: SECONDS CLIENTS CONNECTIONS BYTES GROUP=HOST:PORT ...".into());
    };
    let during = Duration::from_secs(seconds.parse()?);
    let run = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis() as u64;
    let plan = Plan { until: Instant::now() + during, bytes: bytes.parse()?, run };
    let ways = connect(groups, connections.parse()?).await?;
    let mut writing = JoinSet::new();
    for client in 0..clients.parse()? {
        let (group, way): (u64, Channel) = ways[client % ways.len()].clone();
        writing.spawn(write(client, group, ControlClient::new(way), plan.clone()));
    }
    let mut took = Vec::new();
    while let Some(done) = writing.join_next().await {
        took.extend(done??);
    }
    took.sort_unstable();
    println!("{}", report(&took, during));
    Ok(())
}

/// As many ways as connections at least, each group having one.
async fn connect(groups: &[String], connections: usize) -> Result<Vec<(u64, Channel)>, Failure> {
    let mut ways = Vec::new();
    for at in 0..connections.max(groups.len()) {
        let (group, address) =
            groups[at % groups.len()].split_once('=').ok_or("a group is GROUP=HOST:PORT")?;
        let channel = Endpoint::from_shared(format!("http://{address}"))?.tcp_nodelay(true).connect().await?;
        ways.push((group.parse()?, channel));
    }
    Ok(ways)
}

async fn write(
    client: usize,
    group: u64,
    mut control: ControlClient<Channel>,
    plan: Plan,
) -> Result<Vec<u64>, Failure> {
    let sender = Sender { node: format!("writer-{client}"), run: plan.run };
    let mut took = Vec::new();
    for sequence in 1.. {
        if Instant::now() >= plan.until {
            break;
        }
        let digit = Digit { endpoint: "x".repeat(plan.bytes), digit: "1".into(), duration_ms: 100 };
        let event = MediaEvent {
            sequence,
            tenant: "nobody".into(),
            session: "1".into(),
            fact: Some(Fact::Digit(digit)),
        };
        let sent = Instant::now();
        let events = MediaEvents { sender: Some(sender.clone()), group, events: vec![event] };
        let ack = control.deliver_media(events).await?.into_inner();
        if ack.sequence != sequence {
            return Err(format!("writer {client}: {sequence} sent, {} acknowledged", ack.sequence).into());
        }
        took.push(sent.elapsed().as_micros() as u64);
    }
    Ok(took)
}

fn report(took: &[u64], during: Duration) -> String {
    let at = |share: f64| took.get(((took.len().saturating_sub(1)) as f64 * share) as usize).copied();
    let rate = took.len() as f64 / during.as_secs_f64();
    let (p50, p99) = (at(0.5).unwrap_or_default(), at(0.99).unwrap_or_default());
    format!(r#"{{"writes": {}, "write_per_s": {rate:.0}, "p50_us": {p50}, "p99_us": {p99}}}"#, took.len())
}
