//! `mangrove certs`: the cluster's own authority and the certificates of its nodes. It works on files alone: no node is
//! asked, and the authority's key need not be on any of them.

mod authority;
mod file;
mod issue;
mod show;

use std::{num::NonZeroU16, path::PathBuf};

use anyhow::Result;
use clap::Subcommand;
use jiff::Timestamp;
use time::{Duration, OffsetDateTime};

use crate::arguments::Format;

pub(crate) use file::{PUBLIC, SECRET, write};

/// A clock that is slow by less takes a new certificate at once.
const SLOW: Duration = Duration::hours(1);

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Certs {
    /// Make the cluster's authority: ca.pem for every node, ca.key to be kept safe
    Init {
        /// The folder where ca.pem and ca.key go
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
        /// How long the authority is good
        #[arg(long, default_value = "3650")]
        days: NonZeroU16,
    },
    /// Make a node's certificate and key: NAME.pem and NAME.key; nodes.pem and nodes.key for all
    Issue(Issue),
    /// Show whose the certificates in a file are, where they hold, and until when
    Show {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Issue {
    /// The folder of ca.pem and ca.key
    #[arg(long, value_name = "FOLDER")]
    ca: PathBuf,
    /// The node's name, as in its configuration; * makes one that all nodes share
    #[arg(long, value_name = "NAME")]
    node: String,
    /// Where other nodes reach it, IP address or host name; may be given again. With none it is believed anywhere
    #[arg(long, value_name = "ADDRESS")]
    address: Vec<String>,
    /// The folder where the certificate and the key go
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// How long the certificate is good
    #[arg(long, default_value = "365")]
    days: NonZeroU16,
}

/// Does what is asked and shows it. Files that exist are never written over.
pub(crate) fn certs(command: &Certs, format: Format) -> Result<()> {
    match command {
        Certs::Init { out, days } => authority::init(out, *days, format),
        Certs::Issue(issue) => issue::issue(issue, format),
        Certs::Show { file } => show::show(file, format),
    }
}

/// From when to when a certificate made now is good.
fn validity(days: NonZeroU16) -> (OffsetDateTime, OffsetDateTime) {
    let now = OffsetDateTime::now_utc();
    (now - SLOW, now + Duration::days(days.get().into()))
}

/// Unix seconds as people and programs read them: `2027-11-28T09:00:00Z`.
fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| "never".to_owned(), |timestamp| timestamp.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
