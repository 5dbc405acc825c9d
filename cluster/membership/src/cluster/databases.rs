//! What a running node says of databases that differ. Newcomers with another one are refused by the directory's rules.

use super::Cluster;

impl Cluster {
    /// A sentence while this node and another one write history to different databases.
    pub(super) fn database_alarm(&self) -> Option<String> {
        let directory = self.directory();
        let refusal = directory.two_histories(directory.member(self.node())?)?;
        Some(refusal.to_string())
    }

    /// Warns of others that name another database than this node: it may be the same one under another name.
    pub(super) fn warn_of_databases(&self) {
        let directory = self.directory();
        let Some(own) = directory.member(self.node()) else { return };
        for (other, theirs) in directory.other_databases(own) {
            let database = own.database.as_ref().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(
                database, other = other.name, %theirs,
                "another control node names another database: both must be the same one, under whatever name"
            );
        }
    }
}
