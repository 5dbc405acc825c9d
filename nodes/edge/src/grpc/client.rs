//! The calling side: implements the trait over one stream, opened when needed and opened again after a failure.
//! A failed batch is the caller's to repeat: repeating is harmless.

use std::collections::VecDeque;

use async_trait::async_trait;
use mangrove_proto::{
    edge::{EdgeCommands, EdgeExecuted, edge_client::EdgeClient},
    service::{self, address},
};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Streaming, transport::Channel};

/// Batches under way to one edge; more wait.
const UNDER_WAY: usize = 64;

type Answer = oneshot::Sender<Result<EdgeExecuted, service::Error>>;
type Asked = (EdgeCommands, Answer);

/// An edge in another process. Batches are carried out in the order in which `execute` was called.
#[derive(Debug)]
pub struct Client {
    name: String,
    channel: Channel,
    stream: Mutex<Option<mpsc::Sender<Asked>>>,
}

impl Client {
    /// The edge of the node `name`, at whoever carries it. The channel connects when first used.
    pub fn new(name: impl Into<String>, channel: Channel) -> Self {
        Self { name: name.into(), channel, stream: Mutex::new(None) }
    }

    /// The stream's entrance; a stream that ended is replaced.
    fn entrance(&self) -> mpsc::Sender<Asked> {
        let mut stream = self.stream.lock();
        if let Some(entrance) = stream.as_ref().filter(|entrance| !entrance.is_closed()) {
            return entrance.clone();
        }
        let (entrance, asked) = mpsc::channel(UNDER_WAY);
        tokio::spawn(run(self.name.clone(), EdgeClient::new(self.channel.clone()), asked));
        *stream = Some(entrance.clone());
        entrance
    }
}

#[async_trait]
impl service::Edge for Client {
    async fn execute(&self, commands: EdgeCommands) -> Result<EdgeExecuted, service::Error> {
        let (answer, answered) = oneshot::channel();
        let gone = |_| unavailable(&self.name, "connection lost");
        self.entrance()
            .send((commands, answer))
            .await
            .map_err(|_| unavailable(&self.name, "connection lost"))?;
        answered.await.map_err(gone)?
    }
}

/// Carries batches out and answers back until either side ends; what is unanswered then has failed.
async fn run(name: String, mut client: EdgeClient<Channel>, mut asked: mpsc::Receiver<Asked>) {
    let (outgoing, sent) = mpsc::channel(UNDER_WAY);
    let mut waiting = VecDeque::new();
    let mut request = Request::new(ReceiverStream::new(sent));
    address(&mut request, &name);
    let opening = client.execute(request);
    let end = match opening.await {
        Ok(answers) => exchange(answers.into_inner(), &outgoing, &mut asked, &mut waiting).await,
        Err(status) => status.to_string(),
    };
    asked.close();
    while let Some((_, answer)) = asked.recv().await {
        waiting.push_back(answer);
    }
    tracing::debug!(edge = name, end, unanswered = waiting.len(), "stream to an edge ended");
    for answer in waiting {
        // A caller that stopped waiting needs no answer.
        let _ = answer.send(Err(unavailable(&name, &end)));
    }
}

async fn exchange(
    mut answers: Streaming<EdgeExecuted>,
    outgoing: &mpsc::Sender<EdgeCommands>,
    asked: &mut mpsc::Receiver<Asked>,
    waiting: &mut VecDeque<Answer>,
) -> String {
    loop {
        tokio::select! {
            next = asked.recv(), if waiting.len() < UNDER_WAY => {
                let Some((commands, answer)) = next else { return "no longer needed".into() };
                waiting.push_back(answer);
                if outgoing.send(commands).await.is_err() {
                    return "connection lost".into();
                }
            }
            answered = answers.message() => match answered {
                Ok(Some(executed)) => {
                    if let Some(answer) = waiting.pop_front() {
                        // As above.
                        let _ = answer.send(Ok(executed));
                    }
                }
                Ok(None) => return "edge ended the stream".into(),
                Err(status) => return status.to_string(),
            }
        }
    }
}

fn unavailable(name: &str, why: &str) -> service::Error {
    service::Error::Unavailable { what: format!("edge {name}"), why: why.to_owned() }
}
