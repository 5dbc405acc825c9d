//! One cluster, one history: a control node that would write it to another database than the others is not taken in.
//!
//! A known member is taken back whatever its database is: all of them must be able to change to another one, and they start
//! one after the other. While they differ that is an alarm.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Directory, Member, Refusal};

/// The protocol that every member must speak before databases are kept and compared: replicas of earlier builds keep none.
pub const DATABASES: u32 = 5;

/// Which database a node writes to, without a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Database {
    /// A file, which only processes of its machine can share.
    Sqlite { machine: String, path: String },
    /// `host:port/name`, as the node that tells it reaches it.
    Postgres { place: String },
}

impl Database {
    /// Whether it is surely another one. One PostgreSQL may have several names.
    pub fn is_apart_from(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Postgres { .. }, Self::Postgres { .. }) => false,
            _ => self != other,
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { machine, path } => write!(f, "SQLite {path} on {machine}"),
            Self::Postgres { place } => write!(f, "PostgreSQL {place}"),
        }
    }
}

impl Member {
    /// Where the history goes that it writes; none of a member that writes none or tells nothing.
    fn history(&self) -> Option<&Database> {
        self.database.as_ref().filter(|_| self.is_control())
    }
}

impl Directory {
    /// The member without what some member's build does not keep: all replicas must be alike.
    pub(crate) fn in_words_of_all(&self, member: Member) -> Member {
        let database = member.database.filter(|_| self.all_speak(DATABASES));
        Member { database, ..member }
    }

    /// The others that write history and name another database than this member, which need not be another one.
    pub(crate) fn other_databases<'d>(
        &'d self,
        member: &'d Member,
    ) -> impl Iterator<Item = (&'d Member, &'d Database)> {
        let current = self.members.values().filter(move |other| other.id != member.id && !other.replaced);
        let telling = current.filter_map(|other| Some((other, other.history()?)));
        telling.filter(move |(_, theirs)| member.history().is_some_and(|own| own != *theirs))
    }

    /// Why the cluster would have two histories with this member.
    pub(crate) fn two_histories(&self, member: &Member) -> Option<Refusal> {
        let own = member.history()?;
        let mut others = self.other_databases(member);
        let (other, theirs) = others.find(|(_, theirs)| own.is_apart_from(theirs))?;
        Some(Refusal::TwoHistories {
            name: member.name.clone(),
            database: own.to_string(),
            other: other.name.clone(),
            theirs: theirs.to_string(),
        })
    }
}
