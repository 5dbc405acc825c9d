//! Names that only one tenant may have.

use std::collections::BTreeSet;

use super::{Directory, Name, Refusal, Reply};

impl Directory {
    pub(super) fn claim(&mut self, tenant: String, names: BTreeSet<Name>) -> Result<Reply, Refusal> {
        if self.home(&tenant).is_none() {
            return Err(Refusal::UnknownTenant(tenant));
        }
        let held = |name: &&Name| self.claims.get(*name).is_some_and(|holder| *holder != tenant);
        if let Some(name) = names.iter().find(held) {
            let holder = self.claims.get(name).cloned().unwrap_or_default();
            return Err(Refusal::Held { name: name.clone(), holder });
        }
        let given_up: Vec<_> =
            self.names_of(&tenant).into_iter().filter(|name| !names.contains(name)).collect();
        self.take(&tenant, &given_up);
        self.claims.extend(names.into_iter().map(|name| (name, tenant.clone())));
        Ok(Reply::Done)
    }

    pub(super) fn release(&mut self, tenant: &str, names: &BTreeSet<Name>) -> Result<Reply, Refusal> {
        self.take(tenant, names);
        Ok(Reply::Done)
    }

    /// Takes names from a tenant, where it has them.
    pub(super) fn take<'n>(&mut self, tenant: &str, names: impl IntoIterator<Item = &'n Name>) {
        for name in names {
            if self.claims.get(name).is_some_and(|holder| holder == tenant) {
                self.claims.remove(name);
            }
        }
    }
}
