//! Tenants' homes. A home's epoch is the log position that gave it: no later home has a lower one.

use std::collections::BTreeMap;

use mangrove_raft::GroupId;

use super::{Directory, Home, Refusal, Reply};

impl Directory {
    pub(super) fn place(&mut self, tenant: String) -> Result<Reply, Refusal> {
        if let Some(home) = self.home(&tenant) {
            return Ok(Reply::Placed { home });
        }
        let home = Home { group: self.emptiest_group()?, epoch: self.version };
        self.tenants.insert(tenant, home);
        Ok(Reply::Placed { home })
    }

    pub(super) fn remove(&mut self, tenant: &str) -> Result<Reply, Refusal> {
        self.moves_nowhere(tenant)?;
        self.moves.remove(tenant);
        self.tenants.remove(tenant).ok_or_else(|| Refusal::UnknownTenant(tenant.into()))?;
        self.take(tenant, &self.names_of(tenant));
        Ok(Reply::Done)
    }

    fn emptiest_group(&self) -> Result<GroupId, Refusal> {
        let founding = self.founding.as_ref().ok_or(Refusal::NotFounded)?;
        let mut tenants: BTreeMap<_, _> = (1..=founding.shard_groups).map(|group| (group, 0)).collect();
        self.tenants.values().for_each(|home| *tenants.entry(home.group).or_insert(0) += 1);
        tenants
            .into_iter()
            .min_by_key(|(group, count)| (*count, *group))
            .map(|(group, _)| group)
            .ok_or(Refusal::NotFounded)
    }
}
