//! One seed: a cluster comes up, takes calls while things go wrong, heals, and must then have done all it promised.

mod checks;
mod storm;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use anyhow::Context as _;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::chronicle::Chronicle;
use crate::disk::SimDisk;
use crate::faults::{self, Fault};
use crate::node::{Agreement, Node, Surroundings};
use crate::outside::{Outside, Request};
use crate::plant::Plant;
use crate::post::Post;
use crate::wire::Net;
use crate::{NODES, NodeIndex, STEP, time};

/// A cluster comes up within this.
const COMES_UP: u64 = 40_000;
/// From the end of all faults until all is done.
const HEALS: u64 = 60_000;
/// How often one node of three stays away until all calls have ended.
const AWAY: f64 = 0.3;
/// What was promised last shows everywhere within this.
const SETTLES: u64 = 2_500;
/// In any moment something may be on its way to others, but not for so long.
const ON_ITS_WAY: u64 = 1_000;
/// A process that ended by itself is started again after this.
const RESTARTS: u64 = 700;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    pub seed: u64,
    pub plant: Option<Plant>,
    /// Whether lines are kept for a reader.
    pub trace: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub seed: u64,
    /// Of all that happened: the same for the same seed.
    pub hash: u64,
    pub events: u64,
    pub simulated_ms: u64,
    pub calls: usize,
    /// How the calls ended, by the database: how many ended so.
    pub ends: BTreeMap<String, usize>,
    /// Late commands that edges refused.
    pub refused: u64,
    /// The first thing that must not be.
    pub broken: Option<String>,
    /// The last lines, where asked for.
    pub lines: Vec<String>,
}

impl Report {
    /// Of a run that came to no end.
    pub(crate) fn failed(seed: u64, why: String) -> Self {
        Self {
            seed,
            hash: 0,
            events: 0,
            simulated_ms: 0,
            calls: 0,
            ends: BTreeMap::new(),
            refused: 0,
            broken: Some(why),
            lines: Vec::new(),
        }
    }
}

type Action = Box<dyn FnOnce(&mut Simulation)>;

/// A run under way.
pub(crate) struct Simulation {
    nodes: Vec<Node>,
    outside: Outside,
    around: Surroundings,
    chronicle: Chronicle,
    actions: BTreeMap<(u64, u64), Action>,
    serial: u64,
    now: u64,
}

/// Runs a seed on a thread of its own. Call it once in a process: what a process remembers would make a second run
/// another one.
pub fn run(setup: Setup) -> Report {
    let chronicle = Chronicle::telling(setup.trace);
    if setup.trace {
        // Not on the thread that simulates, where it would draw from the simulation's chance.
        show_traces(chronicle.clone());
    }
    in_a_folder(setup, chronicle).unwrap_or_else(|why| Report::failed(setup.seed, format!("{why:#}")))
}

/// The folder is made on this thread, so that its name is not the seed's: another process that runs the same seed has the
/// same chance, and where the name is taken a second one would be drawn.
fn in_a_folder(setup: Setup, chronicle: Chronicle) -> anyhow::Result<Report> {
    let folder = tempfile::tempdir_in(scratch()).context("no folder for the nodes")?;
    let path = folder.path().to_owned();
    // Debug builds of async code want much.
    let thread = std::thread::Builder::new().name("simulation".into()).stack_size(64 << 20);
    let spawned = thread.spawn(move || simulate(setup, chronicle, &path)).context("no thread")?;
    spawned.join().map_err(|_| anyhow::anyhow!("the simulation itself panicked"))
}

fn simulate(setup: Setup, chronicle: Chronicle, folder: &std::path::Path) -> Report {
    time::begin(setup.seed);
    note_panics(chronicle.clone());
    let mut simulation = Simulation::new(setup, chronicle, folder);
    simulation.whole(setup.seed);
    simulation.report(setup.seed)
}

/// A folder in memory where there is one: nodes keep their identity in files.
fn scratch() -> std::path::PathBuf {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { memory.into() } else { std::env::temp_dir() }
}

/// A panic anywhere in the product is a failure, whoever catches it.
fn note_panics(chronicle: Chronicle) {
    static NOTED: OnceLock<Chronicle> = OnceLock::new();
    let noted = NOTED.get_or_init(|| chronicle);
    std::panic::set_hook(Box::new(move |panic| noted.broken(format!("panic: {panic}"))));
}

fn show_traces(chronicle: Chronicle) {
    struct Lines(Chronicle);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.tell(String::from_utf8_lossy(bytes).trim_end());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let filter = tracing_subscriber::EnvFilter::try_from_env("SIM_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .without_time()
        .with_ansi(false)
        .with_writer(move || Lines(chronicle.clone()))
        .init();
}

impl Simulation {
    fn new(setup: Setup, chronicle: Chronicle, folder: &std::path::Path) -> Self {
        let Setup { seed, plant, .. } = setup;
        let mut chance = StdRng::seed_from_u64(seed);
        let post = Post::new(chance.random());
        let net = Net::new(chance.random(), chronicle.clone());
        let start = Instant::now();
        let lies = plant == Some(Plant::AckBeforeFsync);
        let nodes = (0..NODES).map(|node| {
            let disk = SimDisk::new(chance.random(), lies);
            Node::new(node, disk, folder.join(format!("n{node}")), start)
        });
        let nodes = nodes.collect();
        let outside = Outside::new(chance.random(), post.clone(), chronicle.clone(), plant);
        let agreement = Agreement::new(chronicle.clone(), plant);
        let around = Surroundings { net, post, agreement };
        let mut simulation =
            Self { nodes, outside, around, chronicle, actions: BTreeMap::new(), serial: 0, now: 0 };
        simulation.boot(0);
        simulation
    }

    /// All phases, or as far as nothing is broken.
    fn whole(&mut self, seed: u64) {
        let mut chance = StdRng::seed_from_u64(seed.rotate_left(32));
        if !self.come_up() {
            return;
        }
        let load = chance.random_range(8_000..16_000);
        let calls = chance.random_range(6..18);
        self.outside.staff_begins();
        self.outside.calls(calls, load);
        for Fault { at, lasts, what } in faults::plan(&mut chance, self.now + 500, self.now + load) {
            self.at(at, move |simulation| simulation.begin(what, lasts));
        }
        self.run_for(load, |_| false);
        if chance.random_bool(AWAY) {
            self.finish(Some(chance.random_range(0..NODES)));
        }
        self.finish(None);
        if self.chronicle.first_broken().is_none() {
            checks::at_the_end(&self.outside, &self.chronicle);
        }
    }

    /// All faults end, except that a node may be away for good: what was begun must come to its end.
    fn finish(&mut self, absent: Option<NodeIndex>) {
        if self.chronicle.first_broken().is_some() {
            return;
        }
        self.heal_all(absent);
        self.run_for(HEALS, |simulation| checks::is_done(simulation, absent));
        self.run_for(SETTLES, |_| false);
        self.run_for(ON_ITS_WAY, |simulation| checks::is_done(simulation, absent));
        checks::must_be_done(self, absent);
    }

    /// The first node founds the cluster, the others join, the company is there and its phones have registered.
    fn come_up(&mut self) -> bool {
        self.run_for(COMES_UP, |simulation| simulation.outside.up[0]);
        (1..NODES).for_each(|node| self.boot(node));
        self.run_for(COMES_UP, |simulation| simulation.outside.up == [true; NODES]);
        self.outside.supervise();
        self.run_for(COMES_UP, |simulation| simulation.outside.supervisor.seen.len() == NODES);
        self.outside.register();
        let is_up = |simulation: &mut Self| {
            simulation.outside.phones.registered.len() == crate::company::AGENTS.len()
        };
        self.run_for(COMES_UP, is_up);
        if !is_up(self) {
            self.chronicle.broken("the cluster does not come up".into());
        }
        self.chronicle.first_broken().is_none()
    }

    /// Runs for so long, or until `done`, or until something is broken.
    fn run_for(&mut self, ms: u64, done: impl Fn(&mut Self) -> bool) {
        let end = self.now + ms;
        while self.now < end && self.chronicle.first_broken().is_none() && !done(self) {
            self.step();
        }
    }

    fn step(&mut self) {
        time::outside(self.now);
        while let Some(entry) = self.actions.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let action = entry.remove();
            action(self);
        }
        let end = self.now + STEP;
        self.outside.run_until(end);
        for request in std::mem::take(&mut self.outside.requests) {
            let Request::Restart(node) = request;
            self.kill(node, false);
            self.after(RESTARTS, move |simulation| simulation.boot(node));
        }
        self.outside.hand_over(&self.nodes);
        self.nodes.iter_mut().for_each(|node| node.run_until(end));
        self.now = end;
        time::outside(end);
    }

    fn at(&mut self, at: u64, action: impl FnOnce(&mut Self) + 'static) {
        self.serial += 1;
        self.actions.insert((at, self.serial), Box::new(action));
    }

    fn after(&mut self, ms: u64, action: impl FnOnce(&mut Self) + 'static) {
        self.at(self.now + ms, action);
    }

    fn boot(&mut self, node: NodeIndex) {
        if let Err(error) = self.nodes[node].boot(&self.around) {
            self.chronicle.broken(format!("n{node} can't be started: {error:#}"));
        }
    }

    fn kill(&mut self, node: NodeIndex, dark: bool) {
        self.outside.up[node] = false;
        self.nodes[node].kill(&self.around, dark);
    }

    fn report(&self, seed: u64) -> Report {
        let (hash, events) = self.chronicle.sum();
        let mut ends = BTreeMap::new();
        for cdr in self.outside.database.rows() {
            let end = format!("{:?} by {:?}: {}", cdr.outcome, cdr.ended_by, cdr.cause);
            *ends.entry(end).or_default() += 1;
        }
        Report {
            seed,
            hash,
            events,
            simulated_ms: self.now,
            calls: self.outside.phones.ends.iter().filter(|end| end.calls).count(),
            ends,
            refused: self.outside.edges.iter().map(|edge| edge.refused).sum(),
            broken: self.chronicle.first_broken(),
            lines: self.chronicle.lines(),
        }
    }
}
