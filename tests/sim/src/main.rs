//! Runs seeds of the simulation and says how to see a failure again.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use mangrove_sim::{
    batch::{Batch, run_all},
    plant::Plant,
    run::Report,
};

/// Failures shown before the rest is only counted.
const SHOWN: usize = 5;

/// Simulates the cluster: one seed is one run.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Run this seed alone.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// How many seeds to run.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Put this bug in, and end well at the first seed that finds it.
    #[arg(long)]
    plant: Option<Plant>,
    /// Show the last lines of what happened.
    #[arg(long)]
    trace: bool,
    /// Run each seed twice and compare the hashes of all that happened.
    #[arg(long)]
    twice: bool,
    /// Processes at once; as many as there are cores unless set.
    #[arg(long)]
    jobs: Option<usize>,
}

/// What all seeds came to.
#[derive(Debug, Default)]
struct Sum {
    seeds: u64,
    calls: usize,
    ends: BTreeMap<String, usize>,
    refused: u64,
    events: u64,
    simulated_ms: u64,
    failures: Vec<u64>,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let batch = Batch {
        from: arguments.seed.unwrap_or(arguments.from),
        seeds: arguments.seed.map_or(arguments.seeds, |_| 1),
        plant: arguments.plant,
        trace: arguments.trace,
        jobs: arguments.jobs.unwrap_or(cores).max(1),
    };
    let began = Instant::now();
    let mut sum = Sum::default();
    let mut hashes = BTreeMap::new();
    run_all(batch, |report| {
        hashes.insert(report.seed, report.hash);
        sum.add(&report, batch);
        batch.plant.is_none() || report.broken.is_none()
    })?;
    if arguments.twice {
        run_all(batch, |report| {
            if hashes.get(&report.seed).is_some_and(|hash| *hash != report.hash) {
                println!("seed {} is not the same twice", report.seed);
                sum.failures.push(report.seed);
            }
            true
        })?;
    }
    for (end, count) in &sum.ends {
        println!("{count:>8} {end}");
    }
    println!("{}", sum.text(began.elapsed().as_secs_f64()));
    Ok(sum.verdict(batch.plant))
}

impl Sum {
    fn add(&mut self, report: &Report, batch: Batch) {
        self.seeds += 1;
        self.calls += report.calls;
        for (end, count) in &report.ends {
            *self.ends.entry(end.clone()).or_default() += count;
        }
        self.refused += report.refused;
        self.events += report.events;
        self.simulated_ms += report.simulated_ms;
        if batch.trace {
            report.lines.iter().for_each(|line| println!("{line}"));
        }
        if batch.seeds == 1 {
            println!("seed {}: hash {:016x} of {} events", report.seed, report.hash, report.events);
        }
        if let Some(broken) = &report.broken {
            self.failures.push(report.seed);
            if self.failures.len() <= SHOWN {
                show(report.seed, broken, batch.plant);
            }
        }
    }

    fn text(&self, seconds: f64) -> String {
        format!(
            "{} seeds in {seconds:.1} s: {} calls, {} late commands refused, {} events, {:.1} h simulated; {} failed",
            self.seeds,
            self.calls,
            self.refused,
            self.events,
            self.simulated_ms as f64 / 3_600_000.0,
            self.failures.len(),
        )
    }

    /// A planted bug must be found, and without one there must be none.
    fn verdict(&self, plant: Option<Plant>) -> ExitCode {
        match plant {
            None if self.failures.is_empty() => ExitCode::SUCCESS,
            Some(_) if !self.failures.is_empty() => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        }
    }
}

fn show(seed: u64, broken: &str, plant: Option<Plant>) {
    use clap::ValueEnum;
    let plant = plant.and_then(|plant| plant.to_possible_value());
    let plant = plant.map(|plant| format!(" --plant {}", plant.get_name())).unwrap_or_default();
    println!("seed {seed}: {broken}");
    println!("REPRODUCE WITH: cargo run -p mangrove-sim -- --seed {seed}{plant} --trace");
}
