//! A tenant leaves: its calls end, their records stay in the outbox, the rest is gone at once.

use mangrove_proto::{
    id::{CallId, TenantId},
    live::EndedBy,
};

use crate::{
    call::{end, record, stage::Stage},
    cause::Cause,
    effect::{Effects, ObjectRef, Reply},
    record::{Audit, AuditChange, Author, Record},
    scene::{self, Scene},
    stamp::Stamp,
    state::State,
};

pub(super) fn apply(
    state: &mut State,
    id: &TenantId,
    author: Author,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    let Some(version) = state.tenant(id).map(|tenant| tenant.config.version) else {
        return Reply::NotFound { what: format!("tenant {id}") };
    };
    scene::play(state, id, stamp, effects, |scene| {
        finish_all(Cause::TenantRemoved, scene);
        scene.dirty.clear();
        let agents = scene.tenant.agents.keys().map(|agent| ObjectRef::Agent(id.clone(), agent.clone()));
        let queues = scene.tenant.queues.keys().map(|group| ObjectRef::Queue(id.clone(), group.clone()));
        // They are gone too: whoever shows them or keeps their timers must look.
        agents.chain(queues).for_each(|gone| scene.effects.touch(gone));
    });
    state.tenants.remove(id);
    let change = AuditChange {
        object: format!("tenant/{id}"),
        action: "delete".into(),
        before: String::new(),
        after: String::new(),
    };
    state.outbox.add(Record::Audit(Audit { tenant: id.clone(), at: stamp.wall, author, version, change }));
    effects.outbox = true;
    effects.touch(ObjectRef::Tenant(id.clone()));
    Reply::Done
}

/// Ends all calls and writes their records now: nobody will be there to wait for them.
pub(crate) fn finish_all(cause: Cause, scene: &mut Scene<'_>) {
    let calls: Vec<CallId> = scene.tenant.calls.keys().copied().collect();
    for call in calls {
        finish(call, cause, scene);
    }
}

fn finish(call: CallId, cause: Cause, scene: &mut Scene<'_>) {
    scene.with_call(call, |call, scene| {
        end::end(call, cause, EndedBy::System, scene);
        if let Stage::Over(end) = &mut call.stage
            && end.record_due.take().is_some()
        {
            record::write(call, scene);
        }
    });
}
