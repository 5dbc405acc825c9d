//! What goes wrong when, drawn from the seed.

use rand::Rng;
use rand::rngs::StdRng;

use crate::post::{Party, Weather};
use crate::{EDGES, MEDIAS, NODES, NodeIndex};

/// One thing that goes wrong, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) at: u64,
    pub(crate) lasts: u64,
    pub(crate) what: What,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    /// The process is gone; after a while it is started again.
    Kill(NodeIndex),
    /// The machine is, without a word.
    PowerCut(NodeIndex),
    KillAll,
    /// The process of an edge or a media node is gone, with all that it remembers; it is started again.
    Outage(Party),
    /// As SIGSTOP does.
    Pause(NodeIndex),
    /// Nothing gets from one node to the other; the way back is open.
    OneWay(NodeIndex, NodeIndex),
    /// A node hears nothing of the others and they nothing of it. Edges and the database still do.
    Isolate(NodeIndex),
    /// Messages to the node's peers take up to so long.
    SlowLinks(NodeIndex, u64),
    /// Between a node and edges, media nodes, desks and the database.
    Weather(NodeIndex, Weather),
    SlowDisk(NodeIndex, u64),
    /// A sync fails, once.
    FailDisk(NodeIndex),
    /// The wall clock jumps by so many milliseconds.
    Jump(NodeIndex, i64),
    DatabaseDown,
    DatabaseRefuses,
}

/// Begins at `from`; nothing goes wrong any more at `until`.
pub(crate) fn plan(chance: &mut StdRng, from: u64, until: u64) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut at = from;
    // Some runs are calm, some are rough.
    let pause = chance.random_range(600..4_000);
    loop {
        at += chance.random_range(200..pause);
        if at >= until {
            return faults;
        }
        let lasts = chance.random_range(200..6_000).min(until - at);
        faults.push(Fault { at, lasts, what: draw(chance) });
    }
}

fn draw(chance: &mut StdRng) -> What {
    let node = chance.random_range(0..NODES);
    let other = (node + chance.random_range(1..NODES)) % NODES;
    match chance.random_range(0..100) {
        0..10 => What::Kill(node),
        10..18 => What::PowerCut(node),
        18..22 => What::KillAll,
        22..27 => What::Outage(Party::Edge(chance.random_range(0..EDGES))),
        27..31 => What::Outage(Party::Media(chance.random_range(0..MEDIAS))),
        31..38 => What::Pause(node),
        38..44 => What::OneWay(node, other),
        44..54 => What::Isolate(node),
        54..60 => What::SlowLinks(node, chance.random_range(20..600)),
        60..78 => What::Weather(node, weather(chance)),
        78..84 => What::SlowDisk(node, chance.random_range(20..700)),
        84..88 => What::FailDisk(node),
        88..92 => What::Jump(node, jump(chance)),
        92..97 => What::DatabaseDown,
        _ => What::DatabaseRefuses,
    }
}

fn weather(chance: &mut StdRng) -> Weather {
    Weather {
        loss: chance.random_range(0..40),
        twice: chance.random_range(0..30),
        late: chance.random_range(0..4_000),
    }
}

/// An hour either way, or ten years ahead.
fn jump(chance: &mut StdRng) -> i64 {
    const HOUR: i64 = 3_600_000;
    [HOUR, -HOUR, 10 * 365 * 24 * HOUR][chance.random_range(0..3)]
}
