//! A media node with N calls and nothing else, to measure its cost per packet beside other relays.
//!
//! `relay_load N [bridge|record|music]` stands in for `relay` of a bare relay measurement: it prints a line
//! `PORT_FOR_A PORT_FOR_B` for each call, then `READY`, and runs until it is killed. The far ends of all calls are
//! 127.0.0.2:20000 (A) and 127.0.0.3:20000 (B). `music`: A waits and hears music, B is silent.

use std::{
    io::Write,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use mangrove_media::{Media, Options};
use mangrove_proto::{
    common::{Ack, Fence},
    edge::EdgeEvents,
    media::{
        Codec, Endpoint, MediaCommand, MediaCommands, MediaEvents, Peer, Play, Recording, SetSession,
        endpoint::Hears, media_event::Fact,
    },
    service::{self, Media as _},
};
use object_store::memory::InMemory;

/// Keeps the ports of the sessions that stand.
#[derive(Debug, Default)]
struct Ports(Mutex<Vec<(u16, u16)>>);

#[async_trait::async_trait]
impl service::Control for Ports {
    async fn deliver_edge(&self, _: EdgeEvents) -> Result<Ack, service::Error> {
        Ok(Ack::default())
    }

    async fn deliver_media(&self, events: MediaEvents) -> Result<Ack, service::Error> {
        let sequence = events.events.last().map_or(0, |event| event.sequence);
        let port = |address: &str| address.parse::<SocketAddr>().map_or(0, |address| address.port());
        for fact in events.events.into_iter().filter_map(|event| event.fact) {
            match fact {
                Fact::Ready(ready) => {
                    let [a, b] = &ready.addresses[..] else { continue };
                    let pair = (port(&a.address), port(&b.address));
                    self.0.lock().unwrap_or_else(PoisonError::into_inner).push(pair);
                }
                Fact::Refused(refused) => eprintln!("refused: {}", refused.why),
                _ => {}
            }
        }
        Ok(Ack { sequence })
    }
}

fn endpoint(id: &str, remote: &str, hears: Option<Hears>) -> Endpoint {
    Endpoint {
        id: id.into(),
        remote: remote.into(),
        codec: Some(Codec { payload_type: 8, name: "PCMA".into(), clock_rate: 8000, ..Codec::default() }),
        send: true,
        receive: true,
        hears,
        ..Default::default()
    }
}

fn call(number: usize, mode: &str) -> SetSession {
    let peer = |id: &str| Some(Hears::Peer(Peer { endpoint: id.into() }));
    let prompts = vec!["music/default".into()];
    let music = Play { id: "m".into(), prompts, repeat: true, ..Play::default() };
    let (a, b) = if mode == "music" { (Some(Hears::Play(music)), None) } else { (peer("b"), peer("a")) };
    let recording = Recording {
        id: format!("r{number}"),
        object: format!("r{number}.wav"),
        left: "a".into(),
        right: "b".into(),
        ..Recording::default()
    };
    SetSession {
        session: format!("call{number}"),
        version: 1,
        endpoints: vec![endpoint("a", "127.0.0.2:20000", a), endpoint("b", "127.0.0.3:20000", b)],
        recording: (mode == "record").then_some(recording),
        close: false,
        goes_on: false,
        conference: String::new(),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let count: usize = arguments.get(1).ok_or("usage: relay_load N [bridge|record|music]")?.parse()?;
    let mode = arguments.get(2).map_or("bridge", String::as_str);
    let ports = Arc::new(Ports::default());
    let mut options = Options::new("bench", 1, [127, 0, 0, 1].into());
    (options.threads, options.ports) = (1, 30_000..=60_000);
    let media = Media::start(options, ports.clone(), Arc::new(InMemory::new()))?;
    let fence = Some(Fence { incarnation: 1, tenant_epoch: 1, term: 1, index: 1 });
    let command =
        |number| MediaCommand { effect: 1, tenant: "bench".into(), fence, set: Some(call(number, mode)) };
    media.execute(MediaCommands { group: 1, commands: (0..count).map(command).collect() }).await?;

    while ports.0.lock().unwrap_or_else(PoisonError::into_inner).len() < count {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let mut out = std::io::stdout().lock();
    for (a, b) in ports.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        writeln!(out, "{a} {b}")?;
    }
    writeln!(out, "READY")?;
    out.flush()?;
    std::future::pending().await
}
