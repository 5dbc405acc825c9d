//! A group's state from a backup, as the first state of the same group in a new cluster: companies, people and records
//! are as they were. Nodes and those who reported from them are other ones, and no call goes on: each ends with a record.

use imbl::OrdMap;
use mangrove_proto::id::TenantId;

use crate::{
    cause::Cause,
    command::remove_tenant,
    effect::Effects,
    scene::{self, Scene},
    stamp::{Fence, Stamp},
    state::State,
};

impl State {
    /// `before` is the incarnation of the cluster that the backup is of; `now` and `wall` are those of its last stamp.
    pub fn refounded(mut self, before: u64, group: u32, now: u64, wall: u64) -> Self {
        // Records may have reached the database before: they keep the names that they have there.
        self.outbox.name_all((before, group));
        let fence = Fence { incarnation: before, term: 0 };
        let stamp = Stamp { now, wall, seed: 0, index: 0, ordinal: 0, fence };
        // What would be sent has nobody to go to.
        let mut nowhere = Effects::default();
        for tenant in self.tenants.keys().cloned().collect::<Vec<TenantId>>() {
            scene::play(&mut self, &tenant, stamp, &mut nowhere, end_calls);
        }
        // The rules stay: this build knows them, and the new cluster takes in none of an older protocol.
        Self { tenants: self.tenants, outbox: self.outbox, rules: self.rules, ..Self::default() }
    }
}

fn end_calls(scene: &mut Scene<'_>) {
    remove_tenant::finish_all(Cause::Restored, scene);
    let tenant = &mut scene.tenant;
    (tenant.calls, tenant.legs, tenant.arrivals) = (OrdMap::new(), OrdMap::new(), OrdMap::new());
    (tenant.usage, tenant.heard) = (OrdMap::new(), OrdMap::new());
    scene.dirty.clear();
    scene.changed.clear();
}
