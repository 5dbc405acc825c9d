//! What a new leadership does first, and what goes out again later: all that the state owes to the outside.

use std::collections::{BTreeMap, BTreeSet};

use mangrove_domain::{Action, Command, ObjectRef, State};
use mangrove_membership::Fence;
use ractor::{ActorProcessingErr, ActorRef};

use super::{Leading, Message, ShardState, health::Health, orphans::Orphans};
use crate::{
    clock::{self, Clock},
    machine::Current,
    metrics, owed,
    storybook::Key,
};

impl ShardState {
    /// Takes over: everything owed to the outside is sent again, then new commands may come.
    pub(super) async fn lead(
        &mut self,
        myself: &ActorRef<Message>,
        fence: Fence,
    ) -> Result<(), ActorProcessingErr> {
        if self.leading.as_ref().is_some_and(|leading| leading.fence == fence) {
            return Ok(());
        }
        self.step_down();
        let current = self.context.shared.get();
        let gap_ms = current.gap(clock::wall());
        let clock = Clock::after(current.now, gap_ms, fence.term);
        tracing::info!(group = self.context.group, term = fence.term, index = fence.index, "leads");
        metrics::leads(1.0);
        let health = Health::new(self.context.respawn);
        let orphans = Orphans::default();
        self.leading = Some(Leading { fence, clock, faces: BTreeMap::new(), health, orphans });
        self.checks.count_all(&current.state);
        self.context.clock.send_replace(Some(clock));
        self.context.proposer.cast(Command::LeaderStarted { gap_ms });
        self.announce_nodes();
        for object in current.state.objects() {
            self.take_over(myself, &current, object).await?;
        }
        for node in self.context.peers.media_nodes() {
            self.end_orphans(node);
        }
        self.forget_left_over(&current.state);
        self.context.outbox.wake();
        Ok(())
    }

    /// Calls that were forgotten before: the last lines of their stories may not have been written then.
    fn forget_left_over(&self, state: &State) {
        let gone =
            |(tenant, call): &Key| state.tenant(tenant).is_some_and(|tenant| tenant.call(*call).is_none());
        let calls = self.context.stories.left_over(|key| !gone(key));
        calls.iter().for_each(|key| self.context.stories.finish(key));
        self.context.outbox.forget(calls);
    }

    pub(super) async fn take_over(
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
        owed::of(current, object, leading.fence, leading.clock.now())
    }

    /// A node that begins has forgotten what it was told before, or holds what it was told before it was lost.
    pub(super) async fn began(
        &mut self,
        myself: &ActorRef<Message>,
        node: &str,
    ) -> Result<(), ActorProcessingErr> {
        self.announce_nodes();
        if self.leading.is_none() {
            return Ok(());
        }
        self.end_orphans(node.to_owned());
        let current = self.context.shared.get();
        for object in current.state.objects() {
            let mut owed = self.owed(&current, &object);
            owed.retain(|action| owed::node(action) == node);
            if !owed.is_empty() {
                self.tell_face(myself, &current, object, owed).await?;
            }
        }
        Ok(())
    }

    fn end_orphans(&mut self, node: String) {
        if let Some(leading) = &mut self.leading {
            leading.orphans.end(&self.context, node, leading.fence);
        }
    }

    /// Sends again what was not taken, as far as it is still owed.
    pub(super) async fn repeat(
        &mut self,
        myself: &ActorRef<Message>,
        object: ObjectRef,
        effects: &BTreeSet<u64>,
    ) -> Result<(), ActorProcessingErr> {
        let current = self.context.shared.get();
        let mut owed = self.owed(&current, &object);
        owed.retain(|action| effects.contains(&owed::id(action)));
        if owed.is_empty() {
            return Ok(());
        }
        self.tell_face(myself, &current, object, owed).await
    }
}
