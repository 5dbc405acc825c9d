//! The rows of the fault matrix that the runner knows.

use std::str::FromStr;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{Layout, Net};

/// A fault of the matrix, by its number there; a letter tells the kinds of one number apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Row {
    /// 1: kill -9 of the edge at which carrier and phones are.
    Edge,
    /// 2: kill -9 of the media node that carries most sound.
    Media,
    /// 3: kill -9 of a control node that follows.
    Follower,
    /// 4: kill -9 of the control node that leads the company's group.
    Leader,
    /// 6: kill -9 of the leader and another control node: nobody decides until they are back.
    Majority,
    /// 7: kill -9 of all nodes at once.
    All,
    /// 8: kill -STOP of the leader, then -CONT.
    Pause,
    /// 9: the leader's machine is cut off from all others: it is the minority.
    LeaderCut,
    /// 10: a follower's machine is.
    FollowerCut,
    /// 10e: no edge and no control node of another machine hear each other; phones reach the edges.
    EdgesCut,
    /// 11: the leader hears all nodes and none hears it.
    LeaderUnheard,
    /// 11b: the leader and a follower hear each other through the third only.
    Bridge,
    /// 12: the cable of the leader's machine is out for a second and in for a second, again and again.
    Flapping,
    /// 15: 150 ms from any node to any other, for the whole run; kill -9 of the leader.
    Far,
    /// 29: a rolling restart: SIGTERM of each node, which is started again when it has ended.
    Rolling,
    /// 30: a rolling upgrade to the binary `NEWER`: all nodes but one, these back, then all.
    Upgrade,
    /// 31: voters come, leave and are replaced, those that lead among them.
    Voters,
    /// 32: what the leader sends comes late, when another leads.
    Late,
}

const ROWS: [(Row, &str, &str); 18] = [
    (Row::Edge, "1", "kill -9 of the edge"),
    (Row::Media, "2", "kill -9 of the media node with most sound"),
    (Row::Follower, "3", "kill -9 of a follower"),
    (Row::Leader, "4", "kill -9 of the leader"),
    (Row::Majority, "6", "kill -9 of two control nodes of three"),
    (Row::All, "7", "kill -9 of all nodes"),
    (Row::Pause, "8", "kill -STOP of the leader, then -CONT"),
    (Row::LeaderCut, "9", "the leader cut off from all"),
    (Row::FollowerCut, "10", "a follower cut off from all"),
    (Row::EdgesCut, "10e", "edges cut off from control"),
    (Row::LeaderUnheard, "11", "the leader hears and is not heard"),
    (Row::Bridge, "11b", "leader and follower do not hear each other, the third hears both"),
    (Row::Flapping, "12", "the leader's cable out and in each second"),
    (Row::Far, "15", "150 ms between nodes, kill -9 of the leader"),
    (Row::Rolling, "29", "SIGTERM of each node in turn"),
    (Row::Upgrade, "30", "rolling upgrade, back, and to its end"),
    (Row::Voters, "31", "voters added, removed and replaced"),
    (Row::Late, "32", "what the leader sends comes late"),
];

impl Row {
    /// Every row, in the order of the matrix.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|(row, ..)| *row)
    }

    /// Its number in the matrix.
    pub fn number(self) -> &'static str {
        self.entry().1
    }

    /// The fault in words.
    pub fn title(self) -> &'static str {
        self.entry().2
    }

    /// Whether nobody can lead before the fault's end.
    pub fn breaks_majority(self, layout: Layout) -> bool {
        matches!(self, Self::Majority | Self::All) || (self == Self::EdgesCut && layout == Layout::Alike)
    }

    /// Whether the leader is the victim, so that another must lead while the fault lasts.
    pub fn takes_the_leader(self) -> bool {
        matches!(
            self,
            Self::Leader | Self::Pause | Self::LeaderCut | Self::LeaderUnheard | Self::Far | Self::Late
        )
    }

    /// Whether it is done to the network: no process ends or stops.
    pub fn is_of_the_network(self) -> bool {
        matches!(
            self,
            Self::LeaderCut
                | Self::FollowerCut
                | Self::EdgesCut
                | Self::LeaderUnheard
                | Self::Bridge
                | Self::Flapping
                | Self::Late
        )
    }

    /// Whether it is done on purpose, step by step, and leaves nothing to be ended.
    pub fn is_maintenance(self) -> bool {
        matches!(self, Self::Rolling | Self::Upgrade | Self::Voters)
    }

    /// The simplest net that it can be done in.
    pub fn net_at_least(self) -> Net {
        if self.is_of_the_network() || self == Self::Far { Net::Machines } else { Net::Loopback }
    }

    /// `cluster.profile` of the nodes.
    pub fn profile(self) -> &'static str {
        if self == Self::Far { "wan" } else { "lan" }
    }

    fn entry(self) -> &'static (Row, &'static str, &'static str) {
        // Every row has its entry: the test below.
        ROWS.iter().find(|(row, ..)| *row == self).unwrap_or(&ROWS[0])
    }
}

impl FromStr for Row {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = ROWS.iter().find(|(_, number, _)| *number == text);
        let known: Vec<_> = ROWS.iter().map(|(_, number, _)| *number).collect();
        Ok(found.with_context(|| format!("no row {text}; known: {}", known.join(" ")))?.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_back_from_its_number() {
        for (row, number, title) in ROWS {
            assert_eq!(number.parse::<Row>().unwrap(), row);
            assert_eq!((row.number(), row.title()), (number, title));
        }
    }
}
