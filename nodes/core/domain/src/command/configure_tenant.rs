//! A tenant's configuration, new or changed. Calls in progress keep the steps they began with; people and queues
//! that are gone leave once nothing holds them.

use std::sync::Arc;

use crate::{
    agent::Agent,
    call::enqueue::{self, Overflowed},
    config::TenantConfig,
    effect::{Effects, ObjectRef, Reply},
    ready,
    record::{Audit, AuditChange, Author, Record},
    scene::{self, Scene},
    stamp::Stamp,
    state::State,
    tenant::Tenant,
};

pub(super) fn apply(
    state: &mut State,
    config: Arc<TenantConfig>,
    epoch: u64,
    author: &Author,
    changes: Vec<AuditChange>,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    let id = config.id.clone();
    if state.tenant(&id).is_some_and(|present| present.config.version >= config.version) {
        return Reply::Conflict { what: format!("the configuration of `{id}`") };
    }
    for change in changes {
        let (tenant, at, author, version) = (id.clone(), stamp.wall, author.clone(), config.version);
        state.outbox.add(Record::Audit(Audit { tenant, at, author, version, change }));
        effects.outbox = true;
    }
    let config = match state.tenant(&id) {
        Some(present) => keeping_passwords(config, present),
        None => {
            state.tenants.insert(id.clone(), Arc::new(Tenant::new(config.clone(), epoch)));
            config
        }
    };
    scene::play(state, &id, stamp, effects, |scene| {
        scene.tenant.config = config;
        // A word from before the tenant moved here.
        scene.tenant.epoch = scene.tenant.epoch.max(epoch);
        people(scene);
        queues(scene);
        ready::line_up(&mut scene.tenant);
    });
    effects.touch(ObjectRef::Tenant(id));
    Reply::Done
}

fn keeping_passwords(config: Arc<TenantConfig>, present: &Tenant) -> Arc<TenantConfig> {
    let mut config = Arc::unwrap_or_clone(config);
    config.keep_passwords(&present.config);
    Arc::new(config)
}

fn people(scene: &mut Scene<'_>) {
    let (config, moment) = (scene.tenant.config.clone(), scene.moment());
    for (id, employee) in &config.employees {
        let new = || Arc::new(Agent::new(id.clone(), moment));
        scene.tenant.agents.entry(id.clone()).or_insert_with(new);
        scene.with_agent(id, |agent| agent.phones.retain(|name, _| employee.has_device(name)));
    }
    let gone = scene.tenant.agents().filter(|agent| !config.employees.contains_key(&agent.id));
    let gone: Vec<_> = gone.map(|agent| (agent.id.clone(), agent.engaged.is_none())).collect();
    for (id, free) in gone {
        scene.effects.touch(ObjectRef::Agent(config.id.clone(), id.clone()));
        if free {
            scene.tenant.agents.remove(&id);
        } else {
            scene.with_agent(&id, |agent| agent.phones.clear());
        }
    }
}

/// A line for every group; callers of a group that is gone go where no group is.
fn queues(scene: &mut Scene<'_>) {
    let config = scene.tenant.config.clone();
    for id in config.groups.keys() {
        scene.queue_mut(id);
        scene.dirty.insert(id.clone());
    }
    let gone: Vec<_> =
        scene.tenant.queues.keys().filter(|id| !config.groups.contains_key(*id)).cloned().collect();
    for id in gone {
        let calls: Vec<_> = scene.queue_mut(&id).waiting.values().copied().collect();
        for call in calls {
            scene.with_call(call, |call, scene| enqueue::leave(call, Overflowed::Nobody, scene));
        }
        scene.tenant.queues.remove(&id);
    }
}
