//! Prints how long a commit takes on this machine's disk: p50 and p99 latency and commits a second, for 1, 64 and 256
//! proposers over 17 groups of one node.
//!
//! `cargo run --release -p mangrove-raft --example commit_latency [seconds a step] [folder] [bytes a command]`

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mangrove_raft::alone::Alone;
use mangrove_raft::{
    Error, GroupHost, Handle, Leadership, Owner, Peer, SnapshotError, SnapshotWriter, StateMachine, Store,
    Tuning,
};

const GROUPS: u32 = 17;

struct Nothing;

impl StateMachine for Nothing {
    fn apply(&mut self, _index: u64, _term: u64, _payload: &[u8]) -> Vec<u8> {
        Vec::new()
    }

    fn leader_blank(&mut self, _index: u64, _term: u64) {}

    fn snapshot(&self) -> SnapshotWriter {
        Box::new(|| Ok(Vec::new()))
    }

    fn restore(&mut self, _bytes: &[u8]) -> Result<(), SnapshotError> {
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let folder = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let folder = folder.join(format!("mangrove-commit-latency-{}", std::process::id()));
    let payload = arguments.next().map_or(Ok(300), |text| text.parse())?;
    let owner = Owner { incarnation: 1, node: 1 };
    let host = GroupHost::new(Store::open(&folder, owner)?, owner, Tuning::default());
    let handles = start(&host).await?;
    println!("{GROUPS} groups, {payload} bytes a command, in {}", folder.display());
    println!("{:>9} {:>10} {:>10} {:>12}", "proposers", "p50 us", "p99 us", "commits/s");
    for proposers in [1, 64, 256] {
        measure(&handles, proposers, payload, Duration::from_secs(seconds)).await;
    }
    host.shutdown().await;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

async fn start(host: &GroupHost) -> Result<Vec<Handle>, Box<dyn std::error::Error>> {
    let mut handles = Vec::new();
    for group in 0..GROUPS {
        let handle = host.start_group(group, Box::new(Nothing), Alone).await?;
        host.found_group(group, BTreeMap::from([(1, Peer::default())])).await?;
        handle.watch_leadership().wait_for(Leadership::is_leader).await?;
        handles.push(handle);
    }
    Ok(handles)
}

async fn measure(handles: &[Handle], proposers: usize, payload: usize, during: Duration) {
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for proposer in 0..proposers {
        tasks.spawn(propose_for(handles[proposer % handles.len()].clone(), payload, during));
    }
    let mut latencies: Vec<Duration> = tasks.join_all().await.into_iter().flatten().flatten().collect();
    let elapsed = started.elapsed();
    latencies.sort();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_micros();
    let rate = latencies.len() as f64 / elapsed.as_secs_f64();
    println!("{proposers:>9} {:>10} {:>10} {rate:>12.0}", at(0.5), at(0.99));
}

async fn propose_for(handle: Handle, payload: usize, during: Duration) -> Result<Vec<Duration>, Error> {
    let end = Instant::now() + during;
    let mut latencies = Vec::new();
    while Instant::now() < end {
        let started = Instant::now();
        handle.propose(vec![7; payload]).await?;
        latencies.push(started.elapsed());
    }
    Ok(latencies)
}
