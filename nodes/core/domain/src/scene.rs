//! What a rule works on: one tenant, taken out of the state for the time of a command, with the stamp, the seed and
//! the effects so far. One call at a time is taken out of the tenant in turn ([`Scene::with_call`]); what a rule does
//! to other calls goes through marks that are settled afterwards.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use mangrove_proto::{
    id::{CallId, EmployeeId, GroupId, LegId, TenantId},
    live::Today,
};
use mangrove_sip::{Seed, Transport};

use crate::{
    agent::Agent,
    call::{self, Call},
    conference,
    effect::{Effects, ObjectRef},
    line, media,
    queue::Queue,
    ready, settle,
    stamp::{Moment, Stamp},
    state::State,
    story,
    tenant::{Tenant, Usage},
};

/// One command's view of one tenant.
pub(crate) struct Scene<'a> {
    /// Everything else; without the tenant until the scene ends.
    pub(crate) state: &'a mut State,
    pub(crate) tenant: Tenant,
    pub(crate) stamp: Stamp,
    pub(crate) seed: Seed,
    pub(crate) effects: &'a mut Effects,
    /// Queues in which a caller and an agent may have found each other, or which the last agent may have left.
    pub(crate) dirty: BTreeSet<GroupId>,
    /// Conferences in which something may have happened that others there feel.
    pub(crate) convened: BTreeSet<Arc<str>>,
    /// Calls whose media may have to follow what happened.
    pub(crate) changed: BTreeSet<CallId>,
    /// What dialogs said and nobody has heard yet: those of the call in hand, and of the calls beside it.
    pub(crate) facts: VecDeque<(LegId, line::Fact)>,
    /// Calls that were changed beside the one in hand and hear what their dialogs said after it.
    beside: Vec<CallId>,
}

/// Runs `rule` on a tenant and settles what follows from it. None: there is no such tenant.
pub(crate) fn play<R>(
    state: &mut State,
    tenant: &TenantId,
    stamp: Stamp,
    effects: &mut Effects,
    rule: impl FnOnce(&mut Scene<'_>) -> R,
) -> Option<R> {
    let taken = Arc::unwrap_or_clone(state.tenants.remove(tenant)?);
    let seed = stamp.chance();
    let stamp = Stamp { now: taken.now(stamp.now), ..stamp };
    let (dirty, convened, changed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (facts, beside) = (VecDeque::new(), Vec::new());
    let mut scene =
        Scene { state, tenant: taken, stamp, seed, effects, dirty, convened, changed, facts, beside };
    let result = rule(&mut scene);
    conference::settle(&mut scene);
    settle::settle(&mut scene);
    // Where an overflow leads to one.
    conference::settle(&mut scene);
    scene.follow_with_media();
    let Scene { state, tenant: changed, .. } = scene;
    state.tenants.insert(tenant.clone(), Arc::new(changed));
    Some(result)
}

impl Scene<'_> {
    pub(crate) fn now(&self) -> u64 {
        self.stamp.now
    }

    pub(crate) fn moment(&self) -> Moment {
        self.stamp.moment()
    }

    pub(crate) fn id(&self) -> &TenantId {
        &self.tenant.config.id
    }

    /// Today, where the tenant is.
    pub(crate) fn day(&self) -> i64 {
        self.tenant.config.timezone.day(self.stamp.wall)
    }

    /// Works on one call: afterwards its facts are heard and it is put back. Never nested.
    pub(crate) fn with_call<R>(
        &mut self,
        id: CallId,
        rule: impl FnOnce(&mut Call, &mut Self) -> R,
    ) -> Option<R> {
        let mut call = Call::clone(self.tenant.calls.get(&id)?);
        let result = rule(&mut call, self);
        self.put(call);
        Some(result)
    }

    /// Puts a call, new or changed, where all see it, and then those that were changed beside it.
    pub(crate) fn put(&mut self, call: Call) {
        self.put_one(call);
        while let Some(id) = self.beside.pop() {
            if let Some(call) = self.tenant.calls.get(&id).cloned() {
                self.put_one(Arc::unwrap_or_clone(call));
            }
        }
    }

    /// A rule for the call in hand has changed another one, too. All see it at once; what its dialogs said is heard after the
    /// call in hand.
    pub(crate) fn put_beside(&mut self, call: Call) {
        self.beside.push(call.id);
        self.tenant.calls.insert(call.id, Arc::new(call));
    }

    fn put_one(&mut self, mut call: Call) {
        loop {
            self.hear_facts(&mut call);
            // Before it is seen to who faxes alone: a supervisor may have come in somebody's place.
            call::monitor::follow(&mut call, self);
            self.hear_facts(&mut call);
            if !call::relay_offer::settle(&mut call, self) {
                break;
            }
        }
        call::record::write_when_due(&mut call, self);
        conference::follow(&call, self);
        self.effects.touch(ObjectRef::Call(self.id().clone(), call.id));
        if call::timer::is_forgotten(&call, self.now()) {
            self.forget(&call);
        } else {
            self.changed.insert(call.id);
            self.tenant.calls.insert(call.id, Arc::new(call));
        }
    }

    fn hear_facts(&mut self, call: &mut Call) {
        while let Some((leg, fact)) = self.next_fact() {
            call::fact::hear(call, leg, fact, self);
        }
    }

    /// The first that no call beside waits for.
    fn next_fact(&mut self) -> Option<(LegId, line::Fact)> {
        let waits = |leg: &LegId| self.tenant.legs.get(leg).is_some_and(|call| self.beside.contains(call));
        let next = self.facts.iter().position(|(leg, _)| !waits(leg))?;
        self.facts.remove(next)
    }

    /// Once per command and call: the session that all of it together asks for.
    fn follow_with_media(&mut self) {
        for id in std::mem::take(&mut self.changed) {
            if let Some(mut call) = self.tenant.calls.remove(&id) {
                media::sync(Arc::make_mut(&mut call), self);
                self.tenant.calls.insert(id, call);
            }
        }
    }

    fn forget(&mut self, call: &Call) {
        self.tenant.calls.remove(&call.id);
        self.tenant.arrivals.remove(&call.arrival);
        for (leg, party) in &call.parties {
            self.tenant.legs.remove(leg);
            if let Some(arrival) = &party.arrival {
                self.tenant.arrivals.remove(arrival);
            }
        }
    }

    /// Changes an employee. A new state begins now; an agent who is free, or gone, makes their queues worth a look.
    pub(crate) fn with_agent<R>(&mut self, id: &EmployeeId, rule: impl FnOnce(&mut Agent) -> R) -> Option<R> {
        let (now, moment) = (self.now(), self.moment());
        let agent = Arc::make_mut(self.tenant.agents.get_mut(id)?);
        let before = (agent.state(), agent.reason().map(str::to_owned));
        let ready_since = agent.ready_since();
        let result = rule(agent);
        if before != (agent.state(), agent.reason().map(str::to_owned)) {
            agent.since = moment;
        }
        if agent.is_assignable(now) || !agent.is_present(now) {
            let groups = self.tenant.config.groups_of(id).map(|group| group.id.clone());
            self.dirty.extend(groups);
        }
        ready::follow(&mut self.tenant, id, ready_since);
        self.effects.touch(ObjectRef::Agent(self.tenant.config.id.clone(), id.clone()));
        Some(result)
    }

    pub(crate) fn queue_mut(&mut self, group: &GroupId) -> &mut Queue {
        self.effects.touch(ObjectRef::Queue(self.tenant.config.id.clone(), group.clone()));
        Arc::make_mut(self.tenant.queues.entry(group.clone()).or_default())
    }

    /// Counts for a group and for the tenant.
    pub(crate) fn count(&mut self, group: &GroupId, add: impl Fn(&mut Today)) {
        let day = self.day();
        add(self.queue_mut(group).today.on_mut(day));
        add(self.tenant.today.on_mut(day));
    }

    /// A decision, for the call's story.
    pub(crate) fn tell(&mut self, call: &Call, title: impl Into<String>, detail: impl Into<String>) {
        let line = story::decision(call, self.moment(), title.into(), detail.into());
        self.effects.story.push(line);
    }

    /// Counts a call against a limit until it ends. False: there is no room, and nothing was counted.
    pub(crate) fn take_channel(
        &mut self,
        call: &mut Call,
        key: String,
        allowed: Option<u32>,
        per_second: Option<u32>,
    ) -> bool {
        let second = self.now() / 1000;
        let usage = self.tenant.usage.entry(key.clone()).or_default();
        let begun = if usage.second == second { usage.begun } else { 0 };
        if allowed.is_some_and(|most| usage.used >= most) || per_second.is_some_and(|most| begun >= most) {
            return false;
        }
        *usage = Usage { used: usage.used + 1, allowed, second, begun: begun + 1, ..*usage };
        call.channels.push(key);
        true
    }

    /// Gives back one channel that a call was counted against.
    pub(crate) fn give_channel_back(&mut self, call: &mut Call, key: &str) {
        if let Some(index) = call.channels.iter().position(|held| held == key) {
            call.channels.remove(index);
            self.count_down(key);
        }
    }

    fn count_down(&mut self, key: &str) {
        if let Some(usage) = self.tenant.usage.get_mut(key) {
            usage.used = usage.used.saturating_sub(1);
        }
    }

    /// Gives back all that a call was counted against.
    pub(crate) fn give_channels_back(&mut self, call: &mut Call) {
        for key in call.channels.drain(..) {
            self.count_down(&key);
        }
    }

    /// A name for a new call or leg.
    pub(crate) fn draw(&mut self) -> u128 {
        u128::from(self.seed.next()) << 64 | u128::from(self.seed.next())
    }

    /// An edge that speaks `transport`: the preferred one if it does.
    pub(crate) fn edge_for(&self, transport: Transport, preferred: &str) -> Option<String> {
        let speaks = |name: &str| {
            let node = self.state.nodes.get(name);
            node.is_some_and(|node| node.info.contacts.iter().any(|(known, _)| *known == transport))
        };
        if speaks(preferred) {
            return Some(preferred.to_owned());
        }
        self.state.nodes.keys().find(|name| speaks(name)).cloned()
    }
}
