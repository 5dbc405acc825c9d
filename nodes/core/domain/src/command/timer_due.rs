//! Time has come for an object. Which of its timers are due is read from its state; early is harmless.

use crate::{
    call::timer,
    effect::{Effects, ObjectRef, Reply},
    scene::{self, Scene},
    stamp::Stamp,
    state::State,
};

pub(super) fn apply(state: &mut State, object: &ObjectRef, stamp: Stamp, effects: &mut Effects) -> Reply {
    let done = scene::play(state, object.tenant(), stamp, effects, |scene| match object {
        ObjectRef::Call(_, call) => scene.with_call(*call, timer::fire).is_some(),
        ObjectRef::Agent(_, employee) => agent(employee, scene),
        ObjectRef::Tenant(_) | ObjectRef::Queue(..) => true,
    });
    if done == Some(true) { Reply::Done } else { Reply::NotFound { what: "the timer's object".into() } }
}

/// Wrap-up, pause and registrations that are over.
fn agent(employee: &mangrove_proto::id::EmployeeId, scene: &mut Scene<'_>) -> bool {
    let now = scene.now();
    let done = scene.with_agent(employee, |agent| {
        agent.pause = agent.pause.filter(|until| *until > now);
        if agent.wrap_up.is_some_and(|until| until <= now) {
            agent.wrap_up = None;
            agent.idle_since = now;
        }
        agent.phones.values_mut().for_each(|phone| phone.expire(now));
        agent.phones.retain(|_, phone| phone.next_expiry().is_some());
    });
    done.is_some()
}
