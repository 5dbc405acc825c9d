//! A shard group's actor on this node: follows what the log applies and, while this node leads, keeps a face for every
//! object and passes each its effects. Followers only keep the stories and count.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use mangrove_domain::{Action, Command, Effects, ObjectRef, State, invariant};
use mangrove_membership::{Fence, Leadership};
use mangrove_proto::{
    id::{CallId, TenantId},
    media::{Holding, MediaCommand, SetSession},
};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::watch;

use crate::{
    clock::{self, Clock},
    face::{self, Face},
    hub::Hub,
    machine::{Applied, Current, Shared},
    metrics,
    outbox::Outbox,
    pace::{Pace, Turn},
    peers::Peers,
    proposer::Proposer,
    routes::Table,
    storybook::Storybook,
};

/// Entries between two checks of the invariants in production: they walk the whole state.
const CHECK_EVERY: u64 = 4096;

/// What a shard is told.
#[derive(Debug)]
pub(crate) enum Message {
    Applied(Applied),
    Leadership(Leadership),
    /// A node's roles became known or changed.
    NodesChanged,
    /// The live events that wait are due.
    Draw,
}

/// What a shard works with.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub group: u32,
    pub shared: Shared,
    pub proposer: Proposer,
    pub peers: Peers,
    pub hub: Hub,
    pub stories: Storybook,
    pub outbox: Outbox,
    pub table: Table,
    /// The proposer stamps with this clock; none while another node leads.
    pub clock: watch::Sender<Option<Clock>>,
}

/// The actor's type; all data is in its state.
#[derive(Debug)]
pub(crate) struct Shard;

#[derive(Debug)]
pub(crate) struct ShardState {
    context: Context,
    leading: Option<Leading>,
    since_check: u64,
    pace: Pace,
}

/// One leadership: ends with it, faces and all.
#[derive(Debug)]
struct Leading {
    fence: Fence,
    clock: Clock,
    faces: BTreeMap<ObjectRef, Seat>,
}

/// An object's face and the due time that it was told last.
#[derive(Debug)]
struct Seat {
    face: ActorRef<face::Message>,
    due: Option<u64>,
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
        Ok(ShardState { context, leading: None, since_check: 0, pace: Pace::default() })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut ShardState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Applied(Applied::Commands { fence, effects }) => {
                state.applied(&myself, fence, effects).await?;
            }
            Message::Applied(Applied::Blank { index, term }) => {
                tracing::debug!(group = state.context.group, index, term, "a leader's blank entry");
            }
            Message::Applied(Applied::Restored) => state.restored(),
            Message::Leadership(Leadership::Leader { fence, .. }) => state.lead(&myself, fence).await?,
            Message::Leadership(_) => state.step_down(),
            Message::NodesChanged => state.announce_nodes(),
            Message::Draw => {
                let turn = state.pace.due(Instant::now());
                state.draw(&myself, turn);
            }
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
            tracing::error!(group = state.context.group, actor = %cell.get_id(), %error, "a face failed and is made again");
            state.respawn(&myself, cell.get_id()).await?;
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
        let (mut actions, mut touched) = (Vec::new(), BTreeSet::new());
        for effects in effects {
            self.context.stories.add(effects.story);
            actions.extend(effects.actions);
            touched.extend(effects.touched);
        }
        if self.context.hub.is_watched() {
            let turn = self.pace.take(touched.iter().cloned(), Instant::now());
            self.draw(myself, turn);
        }
        self.context.table.refresh(self.context.group, &current.state, &touched);
        if self.leads_by(by) {
            self.pass(myself, &current, actions, touched).await?;
        }
        if outbox && self.leading.is_some() {
            self.context.outbox.wake();
        }
        self.check(&current, count);
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

    /// What an earlier leadership committed is in the state, and what of it is owed was sent when this one began.
    fn leads_by(&self, by: mangrove_domain::Fence) -> bool {
        let same = |fence: Fence| (fence.incarnation, fence.term) == (by.incarnation, by.term);
        self.leading.as_ref().is_some_and(|leading| same(leading.fence))
    }

    /// Gives each face its effects and its next due time. Order within an object is kept.
    async fn pass(
        &mut self,
        myself: &ActorRef<Message>,
        current: &Current,
        actions: Vec<mangrove_domain::Effect>,
        touched: BTreeSet<ObjectRef>,
    ) -> Result<(), ActorProcessingErr> {
        let mut parcels: BTreeMap<ObjectRef, Vec<Action>> =
            touched.into_iter().map(|object| (object, Vec::new())).collect();
        for effect in actions {
            parcels.entry(effect.object).or_default().push(effect.action);
        }
        for (object, actions) in parcels {
            self.tell_face(myself, current, object, actions).await?;
        }
        Ok(())
    }

    async fn tell_face(
        &mut self,
        myself: &ActorRef<Message>,
        current: &Current,
        object: ObjectRef,
        actions: Vec<Action>,
    ) -> Result<(), ActorProcessingErr> {
        let exists = exists(&current.state, &object);
        let due = current.state.due(&object);
        let Some(leading) = &mut self.leading else { return Ok(()) };
        if !leading.faces.contains_key(&object) {
            if !exists && actions.is_empty() {
                return Ok(());
            }
            let face = spawn(myself, &self.context, leading.clock, object.clone()).await?;
            leading.faces.insert(object.clone(), Seat { face, due: None });
        }
        let Some(seat) = leading.faces.get_mut(&object) else { return Ok(()) };
        if !actions.is_empty() || seat.due != due {
            seat.due = due;
            // A face that just died is made again by supervision, with all that is owed.
            let _ = seat.face.cast(face::Message::Carry { actions, due });
        }
        if !exists && let Some(seat) = leading.faces.remove(&object) {
            // Not a stop: what is queued before is carried out first.
            let _ = seat.face.drain();
        }
        Ok(())
    }

    /// Takes over: everything owed to the outside is sent again, then new commands may come.
    async fn lead(&mut self, myself: &ActorRef<Message>, fence: Fence) -> Result<(), ActorProcessingErr> {
        if self.leading.as_ref().is_some_and(|leading| leading.fence == fence) {
            return Ok(());
        }
        self.step_down();
        let current = self.context.shared.get();
        let clock = Clock::after(current.now, current.wall, fence.term);
        tracing::info!(group = self.context.group, term = fence.term, index = fence.index, "leads");
        metrics::leads(1.0);
        self.leading = Some(Leading { fence, clock, faces: BTreeMap::new() });
        self.context.clock.send_replace(Some(clock));
        self.context
            .proposer
            .cast(Command::LeaderStarted { gap_ms: clock::gap(current.wall, clock::wall()) });
        self.announce_nodes();
        self.end_orphans(&current).await;
        for object in current.state.objects() {
            self.take_over(myself, &current, object).await?;
        }
        self.context.outbox.wake();
        Ok(())
    }

    async fn take_over(
        &mut self,
        myself: &ActorRef<Message>,
        current: &Current,
        object: ObjectRef,
    ) -> Result<(), ActorProcessingErr> {
        let owed = self.owed(current, &object);
        self.tell_face(myself, current, object, owed).await
    }

    fn owed(&self, current: &Current, object: &ObjectRef) -> Vec<Action> {
        let Some(leading) = &self.leading else { return Vec::new() };
        let stamp = mangrove_domain::Stamp {
            now: leading.clock.now(),
            wall: clock::wall(),
            seed: 0,
            index: leading.fence.index,
            ordinal: 0,
            fence: mangrove_domain::Fence {
                incarnation: leading.fence.incarnation,
                term: leading.fence.term,
            },
        };
        current.state.owed(object, stamp).into_iter().map(|effect| effect.action).collect()
    }

    /// Sessions that media nodes hold though no call of ours has them.
    async fn end_orphans(&self, current: &Current) {
        let Some(fence) = self.leading.as_ref().map(|leading| leading.fence) else { return };
        for (node, holding) in self.context.peers.holdings(self.context.group).await {
            if has_session(&current.state, &holding) {
                continue;
            }
            let set = SetSession {
                session: holding.session,
                version: holding.version + 1,
                close: true,
                ..SetSession::default()
            };
            let tenant = current.state.tenant(&TenantId::from(holding.tenant.as_str()));
            let fence = mangrove_proto::common::Fence {
                incarnation: fence.incarnation,
                tenant_epoch: tenant.map_or(0, mangrove_domain::Tenant::epoch),
                term: fence.term,
                index: fence.index,
            };
            let command =
                MediaCommand { effect: 0, tenant: holding.tenant, fence: Some(fence), set: Some(set) };
            if let Err(error) =
                self.context.peers.execute(self.context.group, Action::Media { node, command }).await
            {
                tracing::warn!(group = self.context.group, %error, "orphaned media session stays until its node ends it");
            }
        }
    }

    async fn respawn(
        &mut self,
        myself: &ActorRef<Message>,
        dead: ractor::ActorId,
    ) -> Result<(), ActorProcessingErr> {
        let Some(leading) = &mut self.leading else { return Ok(()) };
        let Some(object) = leading
            .faces
            .iter()
            .find(|(_, seat)| seat.face.get_id() == dead)
            .map(|(object, _)| object.clone())
        else {
            return Ok(());
        };
        leading.faces.remove(&object);
        let current = self.context.shared.get();
        self.take_over(myself, &current, object).await
    }

    fn restored(&self) {
        let state = self.context.shared.get().state;
        self.context.hub.forget();
        self.context.table.rebuild(self.context.group, &state);
    }

    fn step_down(&mut self) {
        self.context.clock.send_replace(None);
        if let Some(leading) = self.leading.take() {
            tracing::info!(group = self.context.group, term = leading.fence.term, "leads no more");
            metrics::leads(-1.0);
            leading.faces.values().for_each(|seat| seat.face.stop(None));
        }
    }

    fn announce_nodes(&self) {
        if self.leading.is_some() {
            for node in self.context.peers.infos() {
                self.context.proposer.cast(Command::NodeAnnounced { node });
            }
        }
    }

    /// Invariants are checked in production too; a broken one is an alarm, never a crash.
    fn check(&mut self, current: &Current, commands: u64) {
        self.since_check += commands;
        if self.since_check < CHECK_EVERY {
            return;
        }
        self.since_check = 0;
        metrics::calls(self.context.group, call_count(&current.state));
        for violation in invariant::check(&current.state) {
            metrics::violated(violation.id);
            tracing::error!(
                group = self.context.group,
                invariant = violation.id,
                what = violation.what,
                "invariant broken"
            );
        }
    }
}

async fn spawn(
    shard: &ActorRef<Message>,
    context: &Context,
    clock: Clock,
    object: ObjectRef,
) -> Result<ActorRef<face::Message>, ActorProcessingErr> {
    let face = face::Context {
        group: context.group,
        peers: context.peers.clone(),
        proposer: context.proposer.clone(),
        clock,
    };
    let (face, _) = Face::spawn_linked(None, Face, (object, face), shard.get_cell()).await?;
    Ok(face)
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

fn has_session(state: &State, holding: &Holding) -> bool {
    let tenant = state.tenant(&TenantId::from(holding.tenant.as_str()));
    let call = holding.session.parse::<CallId>().ok();
    tenant.zip(call).is_some_and(|(tenant, call)| tenant.call(call).is_some())
}

/// Calls in progress, over all tenants.
pub(crate) fn call_count(state: &State) -> usize {
    state.tenants().map(|(_, tenant)| tenant.active_calls()).sum()
}
