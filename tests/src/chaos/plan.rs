//! What a run is asked to do, from its environment: `ROWS`, `LAYOUTS`, `NET`, `FAULTS`, `CALLS`, `RATE`, `DOWN`, `PAUSE`, `CUT`,
//! `FLAP`, `QUIET`, `FOLDER`, `NEWER`; what is left out or empty has the figures of the reliability matrix.

mod row;

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use anyhow::{Context, Result, bail};
use mangrove_loadtest::{Profile, profile::Span};
use serde::{Deserialize, Serialize};

pub use row::Row;

use crate::cluster::{ALIKE, APART, Seat};

/// Share of arrivals that the agents can serve.
const BUSY: f64 = 0.8;
/// Seconds of an agent's between two talks: the wrap-up, and the phone rings.
const PAUSES: f64 = 1.5;

/// How roles are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// Three nodes with every role.
    Alike,
    /// Three for control, two edges, two media nodes.
    Apart,
}

impl Layout {
    pub fn seats(self) -> &'static [Seat] {
        match self {
            Self::Alike => ALIKE,
            Self::Apart => APART,
        }
    }

    /// The node at whose SIP carrier and phones are.
    pub fn edge(self) -> &'static str {
        match self {
            Self::Alike => "a",
            Self::Apart => "edge-1",
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alike => "alike",
            Self::Apart => "apart",
        })
    }
}

impl FromStr for Layout {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "alike" => Ok(Self::Alike),
            "apart" => Ok(Self::Apart),
            _ => bail!("no layout {text}; known: alike apart"),
        }
    }
}

/// Where the nodes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Net {
    /// All on this machine's loopback.
    Loopback,
    /// Each on a machine of its own (`crate::machines`); callers and phones too.
    Machines,
    /// As machines, where SIP and RTP addresses are a machine's own and can't move: far ends are told of others by
    /// re-INVITE.
    Fixed,
}

impl Net {
    /// Unless asked for another.
    pub(super) fn usual() -> Self {
        Self::Loopback
    }
}

impl FromStr for Net {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "loopback" => Ok(Self::Loopback),
            "machines" => Ok(Self::Machines),
            "fixed" => Ok(Self::Fixed),
            _ => bail!("no net {text}; known: loopback machines fixed"),
        }
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "loopback",
            Self::Machines => "machines",
            Self::Fixed => "fixed",
        })
    }
}

/// What to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub rows: Vec<Row>,
    pub layouts: Vec<Layout>,
    /// Of rows that do nothing to the network; the others need machines.
    pub net: Net,
    /// A row's faults, under one continuous load.
    pub faults: usize,
    /// Calls at once, those in line among them.
    pub calls: usize,
    /// New calls a second.
    pub rate: f64,
    /// How long a killed node is away.
    pub down: Duration,
    /// How long a stopped one is.
    pub pause: Duration,
    /// How long a network fault lasts, but for the next.
    pub cut: Duration,
    /// How long a link comes and goes.
    pub flap: Duration,
    /// How long nothing is done before the first fault where delay alone must change no leader.
    pub quiet: Duration,
    /// Where outcomes, ledgers and the nodes' output are kept.
    pub folder: PathBuf,
    /// The binary that row 30 upgrades to.
    pub newer: Option<PathBuf>,
}

impl Plan {
    /// From variables by their names; the error says which one is not understood.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let text = |name: &str, usual: &str| {
            variable(name)
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
                .unwrap_or(usual.into())
        };
        let number = |name: &str, usual: &str| -> Result<f64> {
            let text = text(name, usual);
            let value = text.parse().ok().filter(|value| *value > 0.0);
            value.with_context(|| format!("{name} is {text}; allowed: a number above 0"))
        };
        let calls = number("CALLS", "200")?;
        Ok(Self {
            rows: words(&text("ROWS", &all(!text("NEWER", "").is_empty()))).context("ROWS")?,
            layouts: words(&text("LAYOUTS", "alike apart")).context("LAYOUTS")?,
            net: text("NET", "loopback").parse().context("NET")?,
            faults: number("FAULTS", "20")? as usize,
            calls: calls as usize,
            rate: number("RATE", &(calls / 20.0).to_string())?,
            down: Duration::from_secs_f64(number("DOWN", "5")?),
            pause: Duration::from_secs_f64(number("PAUSE", "30")?),
            cut: Duration::from_secs_f64(number("CUT", "15")?),
            flap: Duration::from_secs_f64(number("FLAP", "120")?),
            quiet: Duration::from_secs_f64(number("QUIET", "600")?),
            folder: text("FOLDER", "target/chaos").into(),
            newer: Some(text("NEWER", "")).filter(|path| !path.is_empty()).map(PathBuf::from),
        })
    }

    /// Three quarters of the calls can be in talk, the others stand in line.
    pub fn agents(&self) -> usize {
        (self.calls * 3 / 4).max(1)
    }

    /// How long a fault of this row lasts.
    pub fn lasts(&self, row: Row) -> Duration {
        match row {
            Row::Pause => self.pause,
            Row::Flapping => self.flap,
            _ if row.is_of_the_network() => self.cut,
            // It is over with its last node.
            _ if row.is_maintenance() => Duration::ZERO,
            _ => self.down,
        }
    }

    /// Where the nodes are for a row.
    pub fn net(&self, row: Row) -> Net {
        if self.net == Net::Loopback { row.net_at_least() } else { self.net }
    }

    /// Callers and agents for as long as the faults take. Talks are a little longer than arrivals allow, so that the
    /// line is full and stays so; who comes then is sent away by the load itself.
    pub fn profile(&self) -> Profile {
        let talk = (self.agents() as f64 / (self.rate * BUSY) - PAUSES).max(4.0);
        Profile {
            name: "chaos".into(),
            calls_per_second: self.rate,
            seconds: 0,
            at_once: self.calls,
            patience: Span(3_600.0, 3_600.0),
            talk: Span(talk * 0.7, talk * 1.3),
            pickup: Span(0.2, 0.8),
            agent_hangs_up: 0.5,
            rejects: 0.0,
            ignores: 0.0,
            sound: true,
            heard: 0.5,
            ..Profile::default()
        }
    }
}

/// The numbers of all rows; the upgrade needs a binary.
fn all(upgrade: bool) -> String {
    let rows = Row::all().filter(|row| upgrade || *row != Row::Upgrade);
    rows.map(Row::number).collect::<Vec<_>>().join(" ")
}

fn words<T: FromStr<Err = anyhow::Error>>(text: &str) -> Result<Vec<T>> {
    text.split_whitespace().map(str::parse).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_the_matrix() {
        let plan = Plan::read(|_| Some(String::new())).unwrap();
        assert_eq!((plan.rows.len(), plan.rows.contains(&Row::Upgrade)), (17, false));
        assert_eq!((plan.faults, plan.calls, plan.rate, plan.agents()), (20, 200, 10.0, 150));
        assert_eq!(
            [Row::Pause, Row::Flapping, Row::Late].map(|row| plan.lasts(row).as_secs()),
            [30, 120, 15]
        );
        let nets = [Row::Leader, Row::LeaderCut, Row::Far].map(|row| plan.net(row));
        assert_eq!(nets, [Net::Loopback, Net::Machines, Net::Machines]);
        let fixed = Plan { net: Net::Fixed, ..plan };
        assert_eq!([Row::Media, Row::LeaderCut].map(|row| fixed.net(row)), [Net::Fixed, Net::Fixed]);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        let read = |name: &'static str, value: &'static str| {
            let plan = Plan::read(|asked| (asked == name).then(|| value.to_owned()));
            format!("{:#}", plan.unwrap_err())
        };
        assert!(read("ROWS", "4 99").contains("no row 99; known: 1 2 3"));
        assert!(read("LAYOUTS", "round").contains("known: alike apart"));
        assert!(read("NET", "moon").contains("NET: no net moon"));
        assert!(read("CALLS", "-1").contains("CALLS is -1"));
    }
}
