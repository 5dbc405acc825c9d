//! What a new leader must do again for an object: the state is the promise, there is no list of effects.

use super::State;
use crate::{
    effect::{Effect, ObjectRef},
    line, media,
    stamp::Stamp,
};

impl State {
    /// Everything that far ends and media nodes may not have got of an object: the same bytes, branches and versions
    /// as the first time.
    pub fn owed(&self, object: &ObjectRef, stamp: Stamp) -> Vec<Effect> {
        let ObjectRef::Call(id, call) = object else { return Vec::new() };
        let Some(tenant) = self.tenant(id) else { return Vec::new() };
        let stamp = Stamp { now: tenant.now(stamp.now), ..stamp };
        let Some(call) = tenant.call(*call) else { return Vec::new() };
        // In this order: what was recorded at the node that is left is written before the next one takes it up.
        let sessions = [media::former(call, tenant.epoch, stamp), media::again(call, tenant.epoch, stamp)];
        let mut seed = stamp.chance();
        let lines = call.parties.values().flat_map(|party| {
            let local = line::local(self, tenant, party);
            line::resume(party, &local, call, tenant.epoch, stamp, &mut seed)
        });
        sessions.into_iter().flatten().chain(lines.collect::<Vec<_>>()).collect()
    }
}
