//! The faces of a leadership: each object has one, which gets the object's effects in order and its next due time, and
//! another one when it fell.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use mangrove_domain::{Action, Effect, ObjectRef};
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef};

use super::{Context, Message, ShardState, exists, health::Verdict};
use crate::{
    clock::Clock,
    face::{self, Face},
    machine::Current,
    metrics,
};

/// An object's face and the due time that it was told last.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) face: ActorRef<face::Message>,
    pub(super) due: Option<u64>,
}

impl ShardState {
    /// Gives each face its effects and its next due time. Order within an object is kept.
    pub(super) async fn pass(
        &mut self,
        myself: &ActorRef<Message>,
        current: &Current,
        actions: Vec<Effect>,
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

    pub(super) async fn tell_face(
        &mut self,
        myself: &ActorRef<Message>,
        current: &Current,
        object: ObjectRef,
        actions: Vec<Action>,
    ) -> Result<(), ActorProcessingErr> {
        let exists = exists(&current.state, &object);
        let due = current.state.due(&object);
        let Some(leading) = &mut self.leading else { return Ok(()) };
        if leading.health.is_down(&object) {
            // It is told all that is owed when it rises, unless it is no more.
            if !exists {
                leading.health.forget(&object);
            }
            return Ok(());
        }
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

    /// An object whose face fell gets another one after a pause, unless that fell too often.
    pub(super) fn fell(&mut self, myself: &ActorRef<Message>, dead: ActorId) {
        let Some(leading) = &mut self.leading else { return };
        let fallen = leading.faces.iter().find(|(_, seat)| seat.face.get_id() == dead);
        let Some(object) = fallen.map(|(object, _)| object.clone()) else { return };
        leading.faces.remove(&object);
        match leading.health.fell(object.clone(), Instant::now()) {
            Verdict::Again(pause) => {
                myself.send_after(pause, move || Message::Rested(object));
            }
            Verdict::GivenUp => {
                metrics::given_up();
                tracing::error!(
                    group = self.context.group,
                    ?object,
                    "a face fell too often, its object gets nothing more from this leader"
                );
            }
        }
    }

    /// The new face is told all that is owed.
    pub(super) async fn rise(
        &mut self,
        myself: &ActorRef<Message>,
        object: ObjectRef,
    ) -> Result<(), ActorProcessingErr> {
        let Some(leading) = &mut self.leading else { return Ok(()) };
        leading.health.is_up(&object);
        let current = self.context.shared.get();
        self.take_over(myself, &current, object).await
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
        shard: shard.clone(),
        retry: context.retry,
    };
    let (face, _) = Face::spawn_linked(None, Face, (object, face), shard.get_cell()).await?;
    Ok(face)
}
