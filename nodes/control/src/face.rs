//! The face of one object (call, agent, queue or tenant) on its group's leader: an actor that carries out the object's
//! effects in order and holds its timer. It owns no state: when it dies, the shard makes it again from State.

use std::time::Duration;

use mangrove_domain::{Action, Command, ObjectRef};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::AbortHandle;

use crate::{clock::Clock, metrics, peers::Peers, proposer::Proposer};

/// How long a due timer waits for its proposal before it proposes again.
const RETRY: Duration = Duration::from_secs(2);

/// What a shard tells a face.
#[derive(Debug)]
pub(crate) enum Message {
    /// Effects of one applied entry, and when the object's next timer is due.
    Carry { actions: Vec<Action>, due: Option<u64> },
    /// The timer that was set for this instant ran out.
    Due(u64),
}

/// What a face needs from its shard.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub group: u32,
    pub peers: Peers,
    pub proposer: Proposer,
    pub clock: Clock,
}

/// The actor's type; all data is in its state.
#[derive(Debug)]
pub(crate) struct Face;

#[derive(Debug)]
pub(crate) struct FaceState {
    object: ObjectRef,
    context: Context,
    armed: Option<(u64, AbortHandle)>,
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
        Ok(FaceState { object, context, armed: None })
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
                state.carry_out(actions).await;
            }
            Message::Due(at) => state.fire(&myself, at),
        }
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<Message>, state: &mut FaceState) -> Result<(), ActorProcessingErr> {
        state.disarm();
        Ok(())
    }
}

impl FaceState {
    async fn carry_out(&self, actions: Vec<Action>) {
        for action in actions {
            if let Err(error) = self.context.peers.execute(self.context.group, action).await {
                metrics::undelivered();
                tracing::warn!(object = ?self.object, %error, "effect not delivered");
            }
        }
    }

    /// Sets the one timer to the object's next due time.
    fn arm(&mut self, myself: &ActorRef<Message>, due: Option<u64>) {
        if self.armed.as_ref().map(|(at, _)| *at) == due {
            return;
        }
        self.disarm();
        self.armed = due.map(|at| {
            let wait = self.context.clock.until(at);
            (at, myself.send_after(wait, move || Message::Due(at)).abort_handle())
        });
    }

    fn disarm(&mut self) {
        if let Some((_, timer)) = self.armed.take() {
            timer.abort();
        }
    }

    /// Proposes what is due; again in a while, should the proposal get lost. What it changes arms the timer anew. A
    /// timer that was set anew while its message waited says nothing any more.
    fn fire(&mut self, myself: &ActorRef<Message>, at: u64) {
        if self.armed.as_ref().is_none_or(|(armed, _)| *armed != at) {
            return;
        }
        self.context.proposer.cast(Command::TimerDue { object: self.object.clone() });
        let again = myself.send_after(RETRY, move || Message::Due(at)).abort_handle();
        self.armed = Some((at, again));
    }
}
