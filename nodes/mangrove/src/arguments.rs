//! What the command line understands.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::certs::Certs;

/// A contact centre that runs as a cluster.
#[derive(Debug, Clone, Parser)]
#[command(name = "mangrove", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Configuration of this node; mangrove.toml where it exists
    #[arg(short, long, global = true, value_name = "FILE", env = "MANGROVE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// How answers are written
    #[arg(short, long, global = true, value_enum, default_value_t)]
    pub(crate) output: Format,
    /// Where a node's HTTP API listens
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "MANGROVE_SERVER",
        default_value = "http://127.0.0.1:8080"
    )]
    pub(crate) server: String,
    /// Authority of the server's https certificate, PEM; one that this machine's node signed itself is believed
    #[arg(long, global = true, value_name = "FILE", env = "MANGROVE_CA")]
    pub(crate) ca: Option<PathBuf>,
    /// The tenant that is meant, where there are several
    #[arg(short, long, global = true, value_name = "ID", env = "MANGROVE_TENANT")]
    pub(crate) tenant: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Text for people, JSON for programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// Run a node
    Serve,
    /// Create or change a company by its file; applied twice it changes nothing
    Apply {
        /// The company's file; - reads the standard input
        #[arg(short, long)]
        file: PathBuf,
        /// Show what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Show a company's configuration, all of it or KIND or KIND/ID; `get tenants` lists companies, `get sounds` what a
    /// company has uploaded
    Get {
        #[arg(value_name = "KIND[/ID]")]
        object: Option<String>,
    },
    /// Upload a prompt or music of a company: WAV, MP3, or Ogg with Opus
    Upload {
        /// prompt/NAME or music/NAME
        #[arg(value_name = "KIND/NAME")]
        object: String,
        file: PathBuf,
    },
    /// Write an uploaded prompt or music into a file, as callers hear it
    Download {
        #[arg(value_name = "KIND/NAME")]
        object: String,
        file: PathBuf,
    },
    /// Delete an object of a company: employee/anna, group/200, prompt/welcome, music/rain, tenant/acme
    Delete {
        #[arg(value_name = "KIND/ID")]
        object: String,
    },
    /// Show how the node is doing
    Status,
    /// Show the cluster's nodes
    Nodes,
    /// Take leads, addresses with their calls, and replicas from a node, to stop it or to let it leave
    Drain {
        #[arg(value_name = "NODE", env = "MANGROVE_NODE")]
        node: String,
        /// Give the node its share again
        #[arg(long)]
        undo: bool,
        /// Return at once instead of when it is done
        #[arg(long, conflicts_with = "undo")]
        no_wait: bool,
    },
    /// Let a drained or dead node go for good; its id is never used again
    Leave {
        #[arg(value_name = "NODE")]
        node: String,
    },
    /// Give up a dead node for the new one that takes its place, which may have its name
    Replace {
        #[arg(value_name = "OLD")]
        node: String,
    },
    /// Move a company to another shard group, calls and all; `get tenants` shows the group of each
    MoveTenant {
        #[arg(value_name = "TENANT")]
        tenant: String,
        /// The shard group, from 1
        #[arg(long, value_name = "GROUP")]
        to: u32,
    },
    /// Copy the running cluster, its keys included, into a file that only its owner can read
    Backup {
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Make a data folder of a backup: the node that starts on it founds a new cluster with all that the old one had
    Restore {
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
        /// A folder that is new or empty; data_dir of the configuration unless given
        #[arg(long, value_name = "DIR")]
        data_dir: Option<PathBuf>,
    },
    /// Work on stored recordings by this machine's configuration; no node need run
    Recordings {
        #[command(subcommand)]
        command: Recordings,
    },
    /// Show a call's story: timeline and ladder
    Call {
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Bring a supervisor to a live call, or change what they do there; their own phone is rung
    Monitor {
        #[arg(value_name = "CALL")]
        call: String,
        /// What they do there: hear both; be heard by the employee too; be heard by both; talk on in the employee's place;
        /// leave
        #[arg(value_parser = ["listen", "whisper", "barge", "take-over", "stop"])]
        mode: String,
        /// The supervisor
        #[arg(long = "as", value_name = "EMPLOYEE")]
        supervisor: String,
    },
    /// Make and show the certificates by which nodes of a cluster trust one another
    Certs {
        #[command(subcommand)]
        command: Certs,
    },
    /// Run a cluster of three nodes with a company, callers and agents to look at
    Demo(Demo),
    /// Call a running node with many simulated callers and agents, and report what they experienced
    Loadtest(Loadtest),
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Recordings {
    /// Wrap the keys of all finished recordings by the newest master key of objects.keys, so that older ones can go
    Rewrap,
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Demo {
    /// Where the demo keeps its data
    #[arg(long, value_name = "FOLDER", default_value = "demo-data")]
    pub(crate) data: PathBuf,
    /// Where pages and API of whichever node lives are found; port 0 means any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: std::net::SocketAddr,
    /// Where SIP of the first node listens, UDP and TCP, the others at the next addresses; loopback, and port 0 means
    /// any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.11:5060")]
    pub(crate) sip: std::net::SocketAddr,
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Loadtest {
    /// The run's profile, a JSON file: see examples/profiles/office.json (the default) and rush.json
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Option<PathBuf>,
    /// New calls a second, before the profile's
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// How long new calls come, seconds, before the profile's
    #[arg(long)]
    pub(crate) seconds: Option<u64>,
    /// Simulated agents
    #[arg(long, default_value_t = 20)]
    pub(crate) agents: usize,
    /// The node's SIP address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5060")]
    pub(crate) sip: std::net::SocketAddr,
    /// Where the report goes: FILE.html and FILE.json
    #[arg(long, value_name = "FILE", default_value = "loadtest-report")]
    pub(crate) report: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_fit_together() {
        super::Arguments::command().debug_assert();
    }
}
