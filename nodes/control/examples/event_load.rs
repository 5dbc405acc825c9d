//! Writes to a running cluster: each client has one event on its way to the leader of a group, and sends the next when that
//! one is on a majority's disks. Prints writes a second and their latency as one line of JSON.
//!
//! `cargo run --release -p mangrove-control --example event_load WAY SECONDS CLIENTS CONNECTIONS BYTES GROUP=HOST:PORT ...`
//!
//! WAY is `gathered`: clients of a connection are calls of one media node, whose events gather while a batch is on its way; or
//! `single`: every client is a sender of its own with a request for each event. Clients take the connections, and these the
//! groups, in turn. The events name a call that is not there: the rules note that they came, no more.

use std::time::{Duration, Instant};

use mangrove_proto::{
    common::Sender,
    control::control_client::ControlClient,
    media::{Digit, MediaEvent, MediaEvents, media_event::Fact},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tonic::transport::{Channel, Endpoint};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Events in one batch, as media nodes have it.
const BATCH: usize = 256;

#[derive(Debug, Clone, Copy)]
struct Plan {
    until: Instant,
    /// Of an event's text.
    bytes: usize,
    /// Distinguishes the runs: events of an older one would be late.
    run: u64,
}

/// One event and who waits for it.
type Written = (MediaEvent, oneshot::Sender<()>);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [way, seconds, clients, connections, bytes, groups @ ..] = arguments.as_slice() else {
        return Err("arguments: WAY SECONDS CLIENTS CONNECTIONS BYTES GROUP=HOST:PORT ...".into());
    };
    let during = Duration::from_secs(seconds.parse()?);
    let run = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis() as u64;
    let plan = Plan { until: Instant::now() + during, bytes: bytes.parse()?, run };
    let ways = connect(groups, connections.parse()?).await?;
    let took = match way.as_str() {
        "gathered" => gathered(clients.parse()?, &ways, plan).await?,
        "single" => single(clients.parse()?, &ways, plan).await?,
        other => return Err(format!("WAY is {other}; allowed: gathered single").into()),
    };
    println!("{}", report(took, during));
    Ok(())
}

/// A courier for each connection, whom its clients hand their events.
async fn gathered(clients: usize, ways: &[(u64, Channel)], plan: Plan) -> Result<Vec<u64>, Failure> {
    let (mut couriers, mut writing) = (JoinSet::new(), JoinSet::new());
    let mut doors = Vec::new();
    for (number, (group, way)) in ways.iter().enumerate() {
        let (door, waiting) = mpsc::unbounded_channel();
        let sender = Sender { node: format!("node-{number}"), run: plan.run };
        couriers.spawn(deliver(*group, ControlClient::new(way.clone()), sender, waiting));
        doors.push(door);
    }
    for client in 0..clients {
        writing.spawn(hand(doors[client % doors.len()].clone(), plan));
    }
    drop(doors);
    let took = writing.join_all().await.concat();
    // A courier that failed left its clients without an answer.
    while let Some(done) = couriers.join_next().await {
        done??;
    }
    Ok(took)
}

/// Hands a courier one event after the other.
async fn hand(door: mpsc::UnboundedSender<Written>, plan: Plan) -> Vec<u64> {
    let mut took = Vec::new();
    while Instant::now() < plan.until {
        let (written, done) = oneshot::channel();
        let sent = Instant::now();
        if door.send((event(plan.bytes), written)).is_err() || done.await.is_err() {
            break;
        }
        took.push(sent.elapsed().as_micros() as u64);
    }
    took
}

/// One batch on its way at a time, in order.
async fn deliver(
    group: u64,
    mut control: ControlClient<Channel>,
    sender: Sender,
    mut waiting: mpsc::UnboundedReceiver<Written>,
) -> Result<(), Failure> {
    let (mut sequence, mut batch) = (0, Vec::new());
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let (mut events, authors): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        for event in &mut events {
            sequence += 1;
            event.sequence = sequence;
        }
        write(&mut control, MediaEvents { sender: Some(sender.clone()), group, events }).await?;
        for author in authors {
            // Its client may have come to its end.
            let _ = author.send(());
        }
    }
    Ok(())
}

/// Each client is a sender of its own.
async fn single(clients: usize, ways: &[(u64, Channel)], plan: Plan) -> Result<Vec<u64>, Failure> {
    let mut writing = JoinSet::new();
    for client in 0..clients {
        let (group, way) = ways[client % ways.len()].clone();
        writing.spawn(alone(client, group, ControlClient::new(way), plan));
    }
    let mut took = Vec::new();
    while let Some(done) = writing.join_next().await {
        took.extend(done??);
    }
    Ok(took)
}

async fn alone(
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
        let event = MediaEvent { sequence, ..event(plan.bytes) };
        let sent = Instant::now();
        write(&mut control, MediaEvents { sender: Some(sender.clone()), group, events: vec![event] }).await?;
        took.push(sent.elapsed().as_micros() as u64);
    }
    Ok(took)
}

/// Sends them and waits until they are committed, all of them.
async fn write(control: &mut ControlClient<Channel>, events: MediaEvents) -> Result<(), Failure> {
    let last = events.events.last().map_or(0, |event| event.sequence);
    let ack = control.deliver_media(events).await?.into_inner();
    if ack.sequence == last {
        return Ok(());
    }
    Err(format!("{last} sent, {} acknowledged", ack.sequence).into())
}

fn event(bytes: usize) -> MediaEvent {
    let digit = Digit { endpoint: "x".repeat(bytes), digit: "1".into(), duration_ms: 100 };
    MediaEvent { sequence: 0, tenant: "nobody".into(), session: "1".into(), fact: Some(Fact::Digit(digit)) }
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

fn report(mut took: Vec<u64>, during: Duration) -> String {
    took.sort_unstable();
    let at = |share: f64| took.get(((took.len().saturating_sub(1)) as f64 * share) as usize).copied();
    let rate = took.len() as f64 / during.as_secs_f64();
    let (p50, p99) = (at(0.5).unwrap_or_default(), at(0.99).unwrap_or_default());
    format!(r#"{{"writes": {}, "write_per_s": {rate:.0}, "p50_us": {p50}, "p99_us": {p99}}}"#, took.len())
}
