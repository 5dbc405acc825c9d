//! One fault of a run, and which silences are its.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use mangrove_loadtest::ledger::Silence;
use serde::{Deserialize, Serialize};

/// One fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// Wall clock, milliseconds since 1970.
    pub at: u64,
    /// When the victims were started or woken.
    pub ended_at: u64,
    pub victims: Vec<String>,
    /// Until another leader was seen; where nobody could lead, since the nodes were started again.
    pub leader_ms: Option<u64>,
    /// From the fault's end until the cluster was well: members alive, without trouble, every group whole and led.
    #[serde(default)]
    pub well_ms: u64,
    /// From the fault's end until all was as before, the line full.
    pub settled_ms: u64,
    /// Callers whose place got worse.
    pub worse: Vec<String>,
    /// Of the company's group, while it lasted.
    #[serde(default)]
    pub elections: u64,
    /// Commands of a leader that was replaced, refused by fences.
    #[serde(default)]
    pub late: u64,
}

/// A silence begins with the last packet heard, which may be as much older than the fault.
const SENT_LATE_MS: u64 = 100;

fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl Fault {
    /// It happens now.
    pub(in crate::chaos) fn new(victims: &[String]) -> Self {
        let (at, victims) = (wall(), victims.to_vec());
        Self {
            at,
            ended_at: u64::MAX,
            victims,
            leader_ms: None,
            well_ms: 0,
            settled_ms: 0,
            worse: Vec::new(),
            elections: 0,
            late: 0,
        }
    }

    /// Its victims come back now.
    pub(in crate::chaos) fn ends(&mut self) {
        self.ended_at = wall();
    }

    pub(super) fn caused(&self, silence: &Silence) -> bool {
        (self.at..self.ended_at).contains(&(silence.until.saturating_sub(silence.ms) + SENT_LATE_MS))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.victims.join(", "))?;
        if let Some(took) = self.leader_ms {
            write!(f, ", led again after {took} ms")?;
        }
        write!(f, ", {} elections, {} late commands refused", self.elections, self.late)?;
        write!(f, ", well {} ms after its end", self.well_ms)?;
        write!(f, ", as before {} ms after its end, {} moved back", self.settled_ms, self.worse.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_the_faults_when_it_begins_before_the_victims_are_back() {
        let mut fault = Fault::new(&[]);
        (fault.at, fault.ended_at) = (10_000, 15_000);
        let caused = |until, ms| fault.caused(&Silence { until, ms });
        assert!(caused(11_000, 1_030) && caused(17_000, 4_000));
        assert!(!caused(16_000, 500) && !caused(9_000, 1_000));
    }
}
