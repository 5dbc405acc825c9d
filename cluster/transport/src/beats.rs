//! Heartbeats to one peer: those of all groups share a stream that lasts, and a message where they come together.
//!
//! A call of its own for each costs both sides several times what the heartbeat itself does, and it is what an idle
//! cluster spends its time with.

use std::collections::BTreeMap;
use std::time::Duration;

use mangrove_proto::cluster as proto;
use proto::beat_answer::Outcome;
use proto::raft_client::RaftClient;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

/// How long the first of a message waits for others: an eighth of a heartbeat, of which a follower may miss three.
const GATHERS: Duration = Duration::from_millis(10);
/// In one message at most.
const TOGETHER: usize = 256;

type Answer = Result<proto::AppendResponse, Status>;

/// The way for heartbeats to one peer, to be cloned. The stream begins with the first one, and again after it was lost.
#[derive(Debug, Clone)]
pub(crate) struct Beats(mpsc::UnboundedSender<Ask>);

#[derive(Debug)]
struct Ask {
    request: proto::AppendRequest,
    answer: oneshot::Sender<Answer>,
}

impl Beats {
    /// Over this channel. Must be called within a runtime, as making a channel must.
    pub(crate) fn over(channel: Channel) -> Self {
        let (beats, asks) = mpsc::unbounded_channel();
        let keeper = Keeper { client: RaftClient::new(channel), asks, waiting: BTreeMap::new(), number: 0 };
        tokio::spawn(keeper.run());
        Self(beats)
    }

    /// Sends one and waits for its answer; how long is the caller's to say.
    pub(crate) async fn ask(&self, request: proto::AppendRequest) -> Answer {
        let (answer, answered) = oneshot::channel();
        // A closed queue drops the answer's sender.
        let _ = self.0.send(Ask { request, answer });
        answered.await.unwrap_or_else(|_| Err(Status::unavailable("nobody sends heartbeats any more")))
    }
}

struct Keeper {
    client: RaftClient<Channel>,
    asks: mpsc::UnboundedReceiver<Ask>,
    waiting: BTreeMap<u64, oneshot::Sender<Answer>>,
    number: u64,
}

impl Keeper {
    async fn run(mut self) {
        let mut asks = Vec::new();
        while self.asks.recv_many(&mut asks, TOGETHER).await > 0 {
            let ended = self.stream(std::mem::take(&mut asks)).await;
            for (_, answer) in std::mem::take(&mut self.waiting) {
                // Who asked may have waited long enough.
                let _ = answer.send(Err(ended.clone()));
            }
        }
    }

    /// One stream from its first heartbeats to its end, and why it ended.
    async fn stream(&mut self, mut asks: Vec<Ask>) -> Status {
        let (beats, outgoing) = mpsc::unbounded_channel();
        // The receiver is below.
        let _ = beats.send(self.numbered(&mut asks));
        let mut answers = match self.client.beat(UnboundedReceiverStream::new(outgoing)).await {
            Ok(opened) => opened.into_inner(),
            Err(status) => return status,
        };
        let mut due = None;
        loop {
            tokio::select! {
                answer = next(&mut answers) => match answer {
                    Ok(beaten) => self.deliver(beaten),
                    Err(status) => return status,
                },
                count = self.asks.recv_many(&mut asks, TOGETHER), if asks.len() < TOGETHER => {
                    if count == 0 {
                        return Status::cancelled("nobody asks any more");
                    }
                    due = due.or_else(|| Some(Instant::now() + GATHERS));
                }
                () = wait(due), if due.is_some() => {
                    due = None;
                    if beats.send(self.numbered(&mut asks)).is_err() {
                        return Status::unavailable("the stream of heartbeats is closed");
                    }
                }
            }
        }
    }

    /// What goes out, with those noted who wait for it. Who gave up meanwhile is forgotten: what they sent says where a group
    /// stood when the stream was not there yet.
    fn numbered(&mut self, asks: &mut Vec<Ask>) -> proto::Beats {
        self.waiting.retain(|_, answer| !answer.is_closed());
        let beats = asks.drain(..).filter(|ask| !ask.answer.is_closed()).map(|ask| {
            self.number += 1;
            self.waiting.insert(self.number, ask.answer);
            proto::Beat { number: self.number, request: Some(ask.request) }
        });
        proto::Beats { beats: beats.collect() }
    }

    fn deliver(&mut self, beaten: proto::Beaten) {
        for proto::BeatAnswer { number, outcome } in beaten.answers {
            let Some(answer) = self.waiting.remove(&number) else { continue };
            let outcome = match outcome {
                Some(Outcome::Answered(response)) => Ok(response),
                Some(Outcome::Failed(why)) => Err(Status::unavailable(why)),
                None => Err(Status::internal("an answer that says nothing")),
            };
            // Who asked may have waited long enough.
            let _ = answer.send(outcome);
        }
    }
}

async fn next(answers: &mut Streaming<proto::Beaten>) -> Result<proto::Beaten, Status> {
    answers.message().await?.ok_or_else(|| Status::unavailable("the stream of heartbeats ended"))
}

async fn wait(due: Option<Instant>) {
    if let Some(due) = due {
        sleep_until(due).await;
    }
}
