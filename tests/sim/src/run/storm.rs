//! Faults, as they begin and end.

use super::Simulation;
use crate::faults::What;
use crate::post::{Party, Weather};
use crate::{EDGES, MEDIAS, NODES, NodeIndex, time};

impl Simulation {
    /// Something goes wrong now, and is well again after `lasts`.
    pub(super) fn begin(&mut self, what: What, lasts: u64) {
        self.chronicle.say(|| format!("FAULT {what:?} for {lasts} ms"));
        let net = self.around.net.clone();
        match what {
            What::Kill(node) => self.kill(node, false),
            What::PowerCut(node) => self.kill(node, true),
            What::KillAll => (0..NODES).for_each(|node| self.kill(node, false)),
            What::Outage(party) => self.outside.kill(party),
            What::Pause(node) => self.nodes[node].pause(true),
            What::OneWay(from, to) => net.cut(from, to),
            What::Isolate(node) => both_ways(node, |from, to| net.cut(from, to)),
            What::SlowLinks(node, ms) => both_ways(node, |from, to| net.slow(from, to, ms)),
            What::Weather(node, weather) => self.around.post.set(node, weather),
            What::SlowDisk(node, ms) => self.nodes[node].disk.set_sync(ms),
            What::FailDisk(node) => self.nodes[node].disk.fail(),
            What::Jump(node, ms) => self.nodes[node].wall += ms,
            What::DatabaseDown => self.outside.database.down = true,
            What::DatabaseRefuses => self.outside.database.refuses = true,
        }
        self.after(lasts, move |simulation| simulation.end(what));
    }

    fn end(&mut self, what: What) {
        let net = self.around.net.clone();
        match what {
            What::Kill(node) | What::PowerCut(node) => self.boot(node),
            What::KillAll => (0..NODES).for_each(|node| self.boot(node)),
            What::Outage(party) => self.outside.start_again(party),
            What::Pause(node) => self.nodes[node].pause(false),
            What::OneWay(from, to) => net.heal(from, to),
            What::Isolate(node) | What::SlowLinks(node, _) => both_ways(node, |from, to| net.heal(from, to)),
            What::Weather(node, _) => self.around.post.set(node, Weather::default()),
            What::SlowDisk(node, _) => self.nodes[node].disk.set_sync(1),
            What::FailDisk(_) | What::Jump(..) => {}
            What::DatabaseDown => self.outside.database.down = false,
            What::DatabaseRefuses => self.outside.database.refuses = false,
        }
    }

    /// Nothing is wrong any more, but that one node may be away.
    pub(super) fn heal_all(&mut self, absent: Option<NodeIndex>) {
        time::outside(self.now);
        self.chronicle.say(|| format!("HEALED, away: {absent:?}"));
        self.actions.clear();
        if let Some(node) = absent {
            self.kill(node, node % 2 == 0);
        }
        for node in (0..NODES).filter(|node| Some(*node) != absent) {
            both_ways(node, |from, to| self.around.net.heal(from, to));
            self.around.post.set(node, Weather::default());
            self.nodes[node].pause(false);
            self.nodes[node].disk.set_sync(1);
            self.boot(node);
        }
        let parties = (0..EDGES).map(Party::Edge).chain((0..MEDIAS).map(Party::Media));
        parties.for_each(|party| self.outside.start_again(party));
        (self.outside.database.down, self.outside.database.refuses) = (false, false);
        self.outside.staff.done = true;
    }
}

fn both_ways(node: NodeIndex, mut each: impl FnMut(NodeIndex, NodeIndex)) {
    for other in (0..NODES).filter(|other| *other != node) {
        each(node, other);
        each(other, node);
    }
}
