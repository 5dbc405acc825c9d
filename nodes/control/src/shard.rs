//! A shard group's actor on this node: follows what the log applies and, while this node leads, keeps a face for every
//! object and passes each its effects. Followers only keep the stories and count.

mod checks;
mod faces;
mod health;
mod nodes;
mod orphans;
mod takeover;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use mangrove_domain::{Effects, Hold, ObjectRef, Record, Standing, State};
use mangrove_membership::{Fence, Leadership};
use mangrove_proto::id::TenantId;
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::{Notify, watch};

use crate::{
    clock::Clock,
    face,
    hub::Hub,
    machine::{Applied, Shared},
    metrics,
    outbox::Outbox,
    pace::{Pace, Turn},
    peers::Peers,
    progress::Progress,
    proposer::Proposer,
    routes::Table,
    storybook::Storybook,
    trace,
};
use checks::Checks;
use faces::Seat;
use health::Health;
use orphans::Orphans;

/// From a change to the check of the invariants by time.
const CHECK_AFTER: Duration = Duration::from_secs(10);

/// What a shard is told.
#[derive(Debug)]
pub(crate) enum Message {
    Applied(Applied),
    Leadership(Leadership),
    /// A node's roles became known or changed.
    NodesChanged,
    /// A node's edge or media role began (again): what is owed there goes out.
    Began(String),
    /// The live events that wait are due.
    Draw,
    /// These effects were not taken a while ago: they go out again if they are still owed.
    Undelivered {
        object: ObjectRef,
        effects: BTreeSet<u64>,
    },
    /// The pause after a face's fall is over.
    Rested(ObjectRef),
    /// Something changed a while ago: the invariants are checked.
    Check,
}

/// What a shard works with.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub group: u32,
    pub shared: Shared,
    pub progress: Progress,
    pub proposer: Proposer,
    pub peers: Peers,
    pub hub: Hub,
    pub stories: Storybook,
    pub outbox: Outbox,
    pub table: Table,
    /// The proposer stamps with this clock; none while another node leads.
    pub clock: watch::Sender<Option<Clock>>,
    /// Wakes who hands reports on to tenants' homes.
    pub moving: Arc<Notify>,
    /// Before an effect that was not taken goes out again.
    pub retry: Duration,
    /// Before a face that fell is made again, the first time.
    pub respawn: Duration,
}

/// The actor's type; all data is in its state.
#[derive(Debug)]
pub(crate) struct Shard;

#[derive(Debug)]
pub(crate) struct ShardState {
    context: Context,
    leading: Option<Leading>,
    checks: Checks,
    /// The newest record that a call's span was told of.
    traced: u64,
    pace: Pace,
}

/// One leadership: ends with it, faces and all.
#[derive(Debug)]
struct Leading {
    fence: Fence,
    clock: Clock,
    faces: BTreeMap<ObjectRef, Seat>,
    health: Health,
    orphans: Orphans,
}

impl Actor for Shard {
    type Msg = Message;
    type State = ShardState;
    type Arguments = Context;

    async fn pre_start(
        &self,
        _: ActorRef<Message>,
        context: Context,
    ) -> Result<ShardState, ActorProcessingErr> {
        let checks = Checks::new(context.group);
        Ok(ShardState { context, leading: None, checks, traced: 0, pace: Pace::default() })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut ShardState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Applied(Applied::Commands { index, fence, effects }) => {
                state.applied(&myself, fence, effects).await?;
                state.context.progress.processed(index);
            }
            Message::Applied(Applied::Blank { index, term }) => {
                tracing::debug!(group = state.context.group, index, term, "a leader's blank entry");
            }
            Message::Applied(Applied::Restored { index }) => state.restored(index),
            Message::Leadership(Leadership::Leader { fence, .. }) => state.lead(&myself, fence).await?,
            Message::Leadership(_) => state.step_down(),
            Message::NodesChanged => state.announce_nodes(),
            Message::Began(node) => state.began(&myself, &node).await?,
            Message::Draw => {
                let turn = state.pace.due(Instant::now());
                state.draw(&myself, turn);
            }
            Message::Undelivered { object, effects } => state.repeat(&myself, object, &effects).await?,
            Message::Rested(object) => state.rise(&myself, object).await?,
            Message::Check => state.check(),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Message>,
        event: SupervisionEvent,
        state: &mut ShardState,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(cell, error) = event {
            tracing::error!(group = state.context.group, actor = %cell.get_id(), %error, "a face fell");
            state.fell(&myself, cell.get_id());
        }
        Ok(())
    }
}

impl ShardState {
    async fn applied(
        &mut self,
        myself: &ActorRef<Message>,
        by: mangrove_domain::Fence,
        effects: Vec<Effects>,
    ) -> Result<(), ActorProcessingErr> {
        let current = self.context.shared.get();
        let count = effects.len() as u64;
        let outbox = effects.iter().any(|effects| effects.outbox);
        let kept = effects.iter().any(|effects| effects.kept);
        let (mut actions, mut touched) = (Vec::new(), BTreeSet::new());
        for effects in effects {
            self.context.stories.add(effects.story);
            actions.extend(effects.actions);
            touched.extend(effects.touched);
        }
        for tenant in moved(&current.state, &touched) {
            self.context.hub.forget_tenant(tenant);
        }
        if self.context.hub.is_watched() {
            let turn = self.pace.take(touched.iter().cloned(), Instant::now());
            self.draw(myself, turn);
        }
        self.context.table.refresh(self.context.group, &current, &touched);
        if self.leading.is_some() {
            self.checks.count(&current.state, &touched);
        }
        self.forget_calls(&current.state, &touched);
        if outbox && trace::is_on() {
            self.tell_ends(&current.state);
        }
        if self.leads_by(by) {
            self.pass(myself, &current, actions, touched).await?;
        }
        if outbox && self.leading.is_some() {
            self.context.outbox.wake();
        }
        if kept {
            self.context.moving.notify_one();
        }
        self.check_later(myself, count);
        Ok(())
    }

    /// A picture shows the state as it is now, under its present index.
    fn draw(&self, myself: &ActorRef<Message>, turn: Turn) {
        match turn {
            Turn::Draw(touched) => self.context.hub.publish(&self.context.shared.get(), &touched),
            Turn::Wait(pause) => drop(myself.send_after(pause, || Message::Draw)),
            Turn::Rest => {}
        }
    }

    /// Stories of calls that are no more, or no more here: written for the last time by who leads, the first to go elsewhere.
    fn forget_calls(&self, state: &State, touched: &BTreeSet<ObjectRef>) {
        let has_gone = |tenant: &_| state.tenant(tenant).is_none() && state.hold(tenant).is_some();
        let (mut over, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for object in touched.iter().filter(|object| !exists(state, object)) {
            if let ObjectRef::Call(tenant, call) = object {
                let calls = if has_gone(tenant) { &mut gone } else { &mut over };
                calls.insert((tenant.clone(), *call));
            }
        }
        over.iter().chain(&gone).for_each(|key| self.context.stories.finish(key));
        if self.leading.is_some() {
            self.context.outbox.forget(over);
            self.context.outbox.hand_on(gone);
        }
    }

    /// Tells the faces of calls whose records are new how those ended.
    fn tell_ends(&mut self, state: &State) {
        let told = self.traced;
        for (number, record) in state.outbox().filter(|(number, _)| *number > told) {
            self.traced = number;
            let Record::Cdr(cdr) = record else { continue };
            let call = ObjectRef::Call(cdr.tenant.clone(), cdr.call);
            if let Some(seat) = self.leading.as_ref().and_then(|leading| leading.faces.get(&call)) {
                // A face that just died tells nothing any more.
                let _ = seat.face.cast(face::Message::Ended(trace::Ended::of(cdr)));
            }
        }
    }

    /// What an earlier leadership committed is in the state, and what of it is owed was sent when this one began.
    fn leads_by(&self, by: mangrove_domain::Fence) -> bool {
        let same = |fence: Fence| (fence.incarnation, fence.term) == (by.incarnation, by.term);
        self.leading.as_ref().is_some_and(|leading| same(leading.fence))
    }

    fn restored(&self, index: u64) {
        self.context.hub.forget();
        self.context.table.rebuild(self.context.group, &self.context.shared.get());
        self.context.progress.processed(index);
    }

    fn step_down(&mut self) {
        self.context.clock.send_replace(None);
        if let Some(leading) = self.leading.take() {
            tracing::info!(group = self.context.group, term = leading.fence.term, "leads no more");
            metrics::leads(-1.0);
            leading.faces.values().for_each(|seat| seat.face.stop(None));
            self.checks.count_none();
        }
    }

    /// After so many commands the invariants are checked now, after fewer in a while. Nothing ticks in an idle group.
    fn check_later(&mut self, myself: &ActorRef<Message>, commands: u64) {
        if self.checks.note(commands) {
            self.checks.check(&self.context.shared.get().state);
        } else if !self.checks.armed {
            self.checks.armed = true;
            myself.send_after(CHECK_AFTER, || Message::Check);
        }
    }

    fn check(&mut self) {
        self.checks.armed = false;
        // A session that another media node refused is still to leave its own.
        self.announce_nodes();
        self.checks.check(&self.context.shared.get().state);
    }
}

/// Tenants that have come or gone.
fn moved<'t>(state: &State, touched: &'t BTreeSet<ObjectRef>) -> impl Iterator<Item = &'t TenantId> {
    let tenants = touched.iter().filter_map(|object| match object {
        ObjectRef::Tenant(tenant) => Some(tenant),
        _ => None,
    });
    let standing = |tenant: &TenantId| state.hold(tenant).map(Hold::standing);
    tenants.filter(move |tenant| matches!(standing(tenant), Some(Standing::Arriving | Standing::Gone)))
}

fn exists(state: &State, object: &ObjectRef) -> bool {
    let Some(tenant) = state.tenant(object.tenant()) else { return false };
    match object {
        ObjectRef::Tenant(_) => true,
        ObjectRef::Call(_, call) => tenant.call(*call).is_some(),
        ObjectRef::Agent(_, agent) => tenant.agent(agent).is_some(),
        ObjectRef::Queue(_, queue) => tenant.queue(queue).is_some(),
    }
}

/// Calls in progress, over all tenants.
pub(crate) fn call_count(state: &State) -> usize {
    state.tenants().map(|(_, tenant)| tenant.active_calls()).sum()
}
