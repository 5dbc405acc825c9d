//! A media node in another process. Batches share one stream; when it breaks, all that wait for an answer fail as
//! unavailable and the next batch opens another.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use async_trait::async_trait;
use mangrove_proto::{
    media::{Holdings, HoldingsRequest, MediaCommands, MediaExecuted, media_client::MediaClient},
    service::{self, Error, address},
};
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, Streaming, transport::Channel};

/// Batches on their way before `execute` waits for room.
const WINDOW: usize = 64;
/// A batch or question must be answered within this.
const DEADLINE: Duration = Duration::from_secs(5);

/// What answers, in messages.
const NODE: &str = "the media node";

type Answer = oneshot::Sender<Result<MediaExecuted, Error>>;
type Waiting = Arc<Mutex<VecDeque<Answer>>>;

/// The client of one media node.
#[derive(Debug)]
pub struct Client {
    name: String,
    client: MediaClient<Channel>,
    open: tokio::sync::Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    commands: mpsc::Sender<MediaCommands>,
    waiting: Waiting,
}

impl Client {
    /// The media role of the node `name`, at whoever carries it, over a channel that may connect lazily.
    pub fn new(name: impl Into<String>, channel: Channel) -> Self {
        let client = MediaClient::new(channel);
        Self { name: name.into(), client, open: tokio::sync::Mutex::new(None) }
    }

    /// Sends one batch and gives where its answer will come.
    async fn send(&self, commands: MediaCommands) -> Option<oneshot::Receiver<Result<MediaExecuted, Error>>> {
        let mut open = self.open.lock().await;
        let stream = match &mut *open {
            Some(stream) if !stream.commands.is_closed() => stream,
            closed => closed.insert(self.open_stream()),
        };
        let (answer, answered) = oneshot::channel();
        stream.waiting.lock().push_back(answer);
        stream.commands.send(commands).await.ok().map(|()| answered)
    }

    fn open_stream(&self) -> Open {
        let (commands, outgoing) = mpsc::channel(WINDOW);
        let waiting = Waiting::default();
        let (mut client, answers) = (self.client.clone(), waiting.clone());
        let mut request = Request::new(ReceiverStream::new(outgoing));
        address(&mut request, &self.name);
        tokio::spawn(async move {
            let outcome = match client.execute(request).await {
                Ok(stream) => read(stream.into_inner(), &answers).await,
                Err(status) => status,
            };
            let failed = std::mem::take(&mut *answers.lock());
            for answer in failed {
                let _ = answer.send(Err(Error::from_status(&outcome, NODE)));
            }
        });
        Open { commands, waiting }
    }
}

/// Hands out answers in order until the stream ends; says why it did.
async fn read(mut stream: Streaming<MediaExecuted>, waiting: &Waiting) -> Status {
    loop {
        match stream.message().await {
            Ok(Some(executed)) => {
                if let Some(answer) = waiting.lock().pop_front() {
                    // Whoever asked may have given up.
                    let _ = answer.send(Ok(executed));
                }
            }
            Ok(None) => return Status::unavailable("the stream of commands was closed"),
            Err(status) => return status,
        }
    }
}

fn unavailable(why: &str) -> Error {
    Error::Unavailable { what: NODE.to_owned(), why: why.to_owned() }
}

#[async_trait]
impl service::Media for Client {
    async fn execute(&self, commands: MediaCommands) -> Result<MediaExecuted, Error> {
        let answered = async {
            let answer = self.send(commands).await.ok_or_else(|| unavailable("the stream broke"))?;
            answer.await.unwrap_or_else(|_| Err(unavailable("the stream broke")))
        };
        tokio::time::timeout(DEADLINE, answered)
            .await
            .unwrap_or_else(|_| Err(unavailable("no answer in time")))
    }

    async fn hold(&self, request: HoldingsRequest) -> Result<Holdings, Error> {
        let (mut client, mut request) = (self.client.clone(), Request::new(request));
        address(&mut request, &self.name);
        match tokio::time::timeout(DEADLINE, client.hold(request)).await {
            Ok(Ok(holdings)) => Ok(holdings.into_inner()),
            Ok(Err(status)) => Err(Error::from_status(&status, NODE)),
            Err(_) => Err(unavailable("no answer in time")),
        }
    }
}
