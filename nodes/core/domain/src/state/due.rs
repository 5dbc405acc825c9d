//! When the next timer of an object is due. Timers are not kept: they are read from what the object waits for.

use super::State;
use crate::{call::timer, effect::ObjectRef};

impl State {
    /// The stamp's `now` from which [`crate::Command::TimerDue`] of this object does something; none: it waits for
    /// no time.
    pub fn due(&self, object: &ObjectRef) -> Option<u64> {
        let tenant = self.tenant(object.tenant())?;
        let due = match object {
            ObjectRef::Tenant(_) | ObjectRef::Queue(..) => None,
            ObjectRef::Call(_, call) => tenant.call(*call).and_then(timer::due),
            ObjectRef::Agent(_, agent) => tenant.agent(agent)?.due(),
        };
        due.map(|due| tenant.group_time(due))
    }
}
