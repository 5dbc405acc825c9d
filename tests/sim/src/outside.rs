//! All that is not a node of the cluster: edges and media nodes, phones and callers, the database, agents at their
//! desks, and a supervisor who watches. One queue of what happens when.

pub(crate) mod database;
pub(crate) mod edge;
mod far_end;
pub(crate) mod media;
mod outgoing;
mod people;
pub(crate) use people::number;
mod phones;
mod staff;
mod supervisor;

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::chronicle::Chronicle;
use crate::node::Node;
use crate::plant::Plant;
use crate::post::{Answer, Ask, Errand, Letter, Party, Post, Reply, Sent};
use crate::{EDGES, MEDIAS, NODES, NodeIndex, STEP, time};
use database::Database;
use edge::Edge;
use media::MediaNode;
use phones::Phones;
use staff::Staff;
use supervisor::Supervisor;

type Event = Box<dyn FnOnce(&mut Outside)>;
type Waiter = Box<dyn FnOnce(&mut Outside, Option<Answer>)>;

/// What the outside wants of the nodes, to be done between two steps.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// A process has ended by itself: its supervisor starts it again.
    Restart(NodeIndex),
}

/// Everything outside.
pub(crate) struct Outside {
    pub(crate) chronicle: Chronicle,
    pub(crate) chance: StdRng,
    pub(crate) plant: Option<Plant>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) medias: Vec<MediaNode>,
    pub(crate) database: Database,
    pub(crate) phones: Phones,
    pub(crate) staff: Staff,
    pub(crate) supervisor: Supervisor,
    pub(crate) requests: Vec<Request>,
    /// Whose roles run.
    pub(crate) up: [bool; NODES],
    post: Post,
    events: BTreeMap<(u64, u64), Event>,
    errands: Vec<(NodeIndex, Errand)>,
    waiters: BTreeMap<u64, Waiter>,
    serial: u64,
}

impl Outside {
    pub(crate) fn new(seed: u64, post: Post, chronicle: Chronicle, plant: Option<Plant>) -> Self {
        Self {
            chronicle,
            chance: StdRng::seed_from_u64(seed),
            plant,
            edges: (0..EDGES).map(Edge::new).collect(),
            medias: (0..MEDIAS).map(MediaNode::new).collect(),
            database: Database::default(),
            phones: Phones::default(),
            staff: Staff::default(),
            supervisor: Supervisor::default(),
            requests: Vec::new(),
            up: [false; NODES],
            post,
            events: BTreeMap::new(),
            errands: Vec::new(),
            waiters: BTreeMap::new(),
            serial: 0,
        }
    }

    /// Something happens in `ms` milliseconds.
    pub(crate) fn after(&mut self, ms: u64, event: impl FnOnce(&mut Self) + 'static) {
        self.at(time::now() + ms, event);
    }

    fn at(&mut self, at: u64, event: impl FnOnce(&mut Self) + 'static) {
        self.serial += 1;
        self.events.insert((at, self.serial), Box::new(event));
    }

    /// Chance between two numbers, both included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        self.chance.random_range(least..=most)
    }

    /// True so many times of a hundred.
    pub(crate) fn percent(&mut self, percent: u32) -> bool {
        self.chance.random_range(0..100) < percent
    }

    /// Asks a node, and goes on with its answer, or without one when the patience is over.
    pub(crate) fn ask(
        &mut self,
        node: NodeIndex,
        ask: Ask,
        patience: u64,
        then: impl FnOnce(&mut Self, Option<Answer>) + 'static,
    ) {
        self.serial += 1;
        let number = self.serial;
        self.waiters.insert(number, Box::new(then));
        if let Some(at) = self.post.arrival(node) {
            self.errands.push((node, Errand { at, number, ask: ask.clone() }));
        }
        if self.post.doubled(node)
            && let Some(at) = self.post.arrival(node)
        {
            self.errands.push((node, Errand { at, number, ask }));
        }
        self.after(patience, move |outside| outside.answered(number, None));
    }

    /// The process of an edge or a media node ends where it stands.
    pub(crate) fn kill(&mut self, party: Party) {
        match party {
            Party::Edge(edge) => self.edges[edge].up = false,
            Party::Media(media) => self.medias[media].up = false,
        }
    }

    /// It is started again, if it does not run, and all nodes hear of it, as they would from the directory.
    pub(crate) fn start_again(&mut self, party: Party) {
        match party {
            Party::Edge(edge) if !self.edges[edge].up => self.edges[edge].again(edge),
            Party::Media(media) if !self.medias[media].up => self.medias[media].again(),
            _ => return,
        }
        let errand = || Errand { at: time::now() + 2 * STEP, number: 0, ask: Ask::Began(party) };
        self.errands.extend((0..NODES).map(|node| (node, errand())));
    }

    fn answered(&mut self, number: u64, answer: Option<Answer>) {
        if let Some(waiter) = self.waiters.remove(&number) {
            waiter(self, answer);
        }
    }

    /// Answers a node.
    fn reply<T>(&self, node: NodeIndex, reply: Reply<T>, value: T) {
        if let (Some(reply), Some(at)) = (reply, self.post.arrival(node)) {
            // The asker may have gone or given up.
            let _ = reply.send((at, value));
        }
    }

    /// Lets everything happen that is due before `end`; the clock goes with it.
    pub(crate) fn run_until(&mut self, end: u64) {
        for Sent { sent, at, letter } in self.post.collect() {
            self.at(at, move |outside| outside.read(sent, letter));
        }
        let begin = time::now();
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 < end) {
            let ((at, _), event) = entry.remove_entry();
            time::outside(at.max(begin));
            event(self);
        }
        time::outside(begin);
    }

    /// Hands the errands over to the nodes; those to a node that is down are lost.
    pub(crate) fn hand_over(&mut self, nodes: &[Node]) {
        for (node, errand) in self.errands.drain(..) {
            debug_assert!(errand.at >= time::now() + STEP, "an errand into the past");
            nodes[node].send(errand);
        }
    }

    fn read(&mut self, sent: u64, letter: Letter) {
        match letter {
            Letter::Answer(number, answer) => self.answered(number, Some(answer)),
            Letter::Edge { edge, .. } if !self.edges[edge].up || sent < self.edges[edge].began => {}
            Letter::Media { media, .. } | Letter::Hold { media, .. }
                if !self.medias[media].up || sent < self.medias[media].began => {}
            Letter::Edge { node, edge, commands, reply } => {
                let done = edge::execute(self, edge, commands);
                self.reply(node, reply, done);
            }
            Letter::Media { node, media, commands, reply } => {
                let done = media::execute(self, media, commands);
                self.reply(node, reply, done);
            }
            Letter::Hold { node, media, request, reply } => {
                let held = self.medias[media].hold(request);
                self.reply(node, reply, held);
            }
            Letter::Write { node, batch, reply } => {
                let keyed = self.plant != Some(Plant::OutboxWithoutKey);
                if let Some(done) = self.database.write(&batch, keyed) {
                    self.chronicle.say(|| format!("database takes {} records of n{node}", batch.cdrs.len()));
                    self.reply(node, reply, done);
                }
            }
            Letter::Ended { node, why } => {
                self.chronicle.say(|| format!("n{node} ends: {why}"));
                self.up[node] = false;
                self.requests.push(Request::Restart(node));
            }
            Letter::Up { node } => {
                self.chronicle.say(|| format!("n{node} is up"));
                self.up[node] = true;
            }
        }
    }
}
