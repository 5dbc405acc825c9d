//! The face of one object (call, agent, queue or tenant) on its group's leader: an actor that carries out the object's
//! effects in order and holds its timer. It owns no state: when it dies, the shard makes it again from State.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use mangrove_domain::{Action, Command, ObjectRef};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::AbortHandle;
use tracing::{Instrument, Span};

use crate::{clock::Clock, owed, peers::Peers, proposer::Proposer, shard, trace};

/// How long a due timer waits for its proposal before it proposes again.
const RETRY: Duration = Duration::from_secs(2);

/// What a shard tells a face.
#[derive(Debug)]
pub(crate) enum Message {
    /// Effects of one applied entry, and when the object's next timer is due.
    Carry { actions: Vec<Action>, due: Option<u64> },
    /// The timer ran out.
    Due,
    /// The pause after effects that were not taken is over.
    Retry,
    /// The call's record was written.
    Ended(trace::Ended),
}

/// What a face needs from its shard.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub group: u32,
    pub peers: Peers,
    pub proposer: Proposer,
    pub clock: Clock,
    pub shard: ActorRef<shard::Message>,
    /// Before effects that were not taken are asked for again, at most: the first times come sooner.
    pub retry: Duration,
}

/// The actor's type; all data is in its state.
#[derive(Debug)]
pub(crate) struct Face;

#[derive(Debug)]
pub(crate) struct FaceState {
    object: ObjectRef,
    context: Context,
    /// What the object waits for.
    due: Option<u64>,
    /// The one timer that runs. It may run out early: a due time moves with every message of a call, and mostly away.
    timer: Option<(Instant, AbortHandle)>,
    /// Effects that were not taken; while there are any, a `Retry` is on its way.
    undelivered: BTreeSet<u64>,
    /// Retries in a row.
    retries: u32,
    span: Span,
}

impl Actor for Face {
    type Msg = Message;
    type State = FaceState;
    type Arguments = (ObjectRef, Context);

    async fn pre_start(
        &self,
        _: ActorRef<Message>,
        (object, context): Self::Arguments,
    ) -> Result<FaceState, ActorProcessingErr> {
        let span = trace::call(&object);
        Ok(FaceState {
            object,
            context,
            due: None,
            timer: None,
            undelivered: BTreeSet::new(),
            retries: 0,
            span,
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Message>,
        message: Message,
        state: &mut FaceState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Message::Carry { actions, due } => {
                state.arm(&myself, due);
                state.carry_out(&myself, actions).await;
            }
            Message::Due => state.fire(&myself),
            Message::Retry => state.ask_again(),
            Message::Ended(ended) => ended.record(&state.span),
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Message>, state: &mut FaceState) -> Result<(), ActorProcessingErr> {
        state.disarm();
        Ok(())
    }
}

impl FaceState {
    async fn carry_out(&mut self, myself: &ActorRef<Message>, actions: Vec<Action>) {
        for action in actions {
            let (id, span) = (owed::id(&action), trace::effect(&self.span, &action));
            let done = self.context.peers.execute(self.context.group, action).instrument(span.clone()).await;
            if let Err(error) = done {
                span.record("error", tracing::field::display(&error));
                self.context.peers.missed.note(&self.object, &error);
                self.note_undelivered(myself, id);
            } else {
                self.retries = 0;
            }
        }
    }

    fn note_undelivered(&mut self, myself: &ActorRef<Message>, effect: u64) {
        if self.undelivered.is_empty() {
            myself.send_after(pause(self.context.retry, self.retries), || Message::Retry);
            self.retries += 1;
        }
        self.undelivered.insert(effect);
    }

    /// Only the shard can tell what is still owed.
    fn ask_again(&mut self) {
        let effects = std::mem::take(&mut self.undelivered);
        let message = shard::Message::Undelivered { object: self.object.clone(), effects };
        // A shard that is gone leads no more.
        let _ = self.context.shard.cast(message);
    }

    /// Sees to it that a timer runs out when the object is due, or before.
    fn arm(&mut self, myself: &ActorRef<Message>, due: Option<u64>) {
        self.due = due;
        let Some(due) = due else { return self.disarm() };
        self.wake_within(myself, self.context.clock.until(due));
    }

    fn wake_within(&mut self, myself: &ActorRef<Message>, wait: Duration) {
        let at = Instant::now() + wait;
        if self.timer.as_ref().is_some_and(|(armed, _)| *armed <= at) {
            return;
        }
        self.disarm();
        let timer = myself.send_after(wait, || Message::Due).abort_handle();
        self.timer = Some((at, timer));
    }

    fn disarm(&mut self) {
        if let Some((_, timer)) = self.timer.take() {
            timer.abort();
        }
    }

    /// Proposes what is due; again in a while, should the proposal get lost. What it changes arms the timer anew.
    fn fire(&mut self, myself: &ActorRef<Message>) {
        self.timer = None;
        let Some(due) = self.due else { return };
        let early = self.context.clock.until(due);
        if early.is_zero() {
            self.context.proposer.cast(Command::TimerDue { object: self.object.clone() });
        }
        self.wake_within(myself, if early.is_zero() { RETRY } else { early });
    }
}

/// Whoever takes the effects next, an heir or a node that starts, is there within moments: the pause begins with a
/// sixteenth of the longest and doubles.
fn pause(longest: Duration, retries: u32) -> Duration {
    longest / (1 << 4_u32.saturating_sub(retries))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest() {
        let pauses =
            [0, 1, 2, 3, 4, 5, 100].map(|retries| pause(Duration::from_millis(800), retries).as_millis());
        assert_eq!(pauses, [50, 100, 200, 400, 800, 800, 800]);
    }
}
