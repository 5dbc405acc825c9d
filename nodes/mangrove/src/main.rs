//! The one binary: runs a node (`serve`), shows the product (`demo`), and asks running nodes (everything else).

mod alarm;
mod arguments;
mod carrier;
mod certs;
mod client;
mod command;
mod company;
mod configuration;
mod database;
mod demo;
mod disk;
mod grpc;
mod https;
mod ladder;
mod mail;
mod memory;
mod neighbours;
mod objects;
mod output;
mod retention;
mod security;
mod serve;
mod telemetry;
mod token;
mod turn;
mod websocket;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use arguments::{Arguments, Command, Recordings};
use command::Session;

fn main() -> ExitCode {
    memory::use_small_pages();
    let arguments = Arguments::parse();
    let format = arguments.output;
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::fail(format, &error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let outcome = runtime.block_on(carry_out(arguments));
    // A stopped node has said goodbye: what still runs is cut off.
    runtime.shutdown_background();
    outcome
}

async fn carry_out(arguments: Arguments) -> Result<()> {
    let node = || configuration::read(arguments.config.as_deref());
    let session = || Session::open(arguments.clone());
    let format = arguments.output;
    match &arguments.command {
        Command::Serve => serve::serve(&node()?, format).await,
        Command::Demo(options) => demo::demo(options, node()?, format).await,
        Command::Apply { file, dry_run } => command::apply(&session()?, file, *dry_run).await,
        Command::Get { object } => command::get(&session()?, object.as_deref()).await,
        Command::Upload { object, file } => command::upload(&session()?, object, file).await,
        Command::Download { object, file } => command::download(&session()?, object, file).await,
        Command::Delete { object } => command::delete(&session()?, object).await,
        Command::Status => command::status(&session()?).await,
        Command::Nodes => command::nodes(&session()?).await,
        Command::Drain { node, undo: true, .. } => command::end_drain(&session()?, node).await,
        Command::Drain { node, no_wait, .. } => command::drain(&session()?, node, !no_wait).await,
        Command::Leave { node } => command::leave(&session()?, node).await,
        Command::Replace { node } => command::replace(&session()?, node).await,
        Command::MoveTenant { tenant, to } => command::move_tenant(&session()?, tenant, *to).await,
        Command::Backup { to } => command::backup(&session()?, to).await,
        Command::Restore { from, data_dir } => command::restore(node()?, from, data_dir.as_deref(), format),
        Command::Recordings { command: Recordings::Rewrap } => command::rewrap(&node()?, format).await,
        Command::Call { id } => command::call(&session()?, id).await,
        Command::Monitor { call, mode, supervisor } => {
            command::monitor(&session()?, call, mode, supervisor).await
        }
        Command::Certs { command } => certs::certs(command, format),
        Command::Loadtest(options) => command::loadtest(&session()?, options).await,
    }
}
