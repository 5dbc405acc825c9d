//! One connection: cuts what it reads into messages, answers keep-alives, writes what is queued, and ends when
//! either side stops behaving. What could not be written is reported, never silently lost.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use mangrove_sip::{
    Source, Transport,
    wire::{self, Frame, StreamFramer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::{self, Instant},
};
use tokio_util::sync::CancellationToken;

use super::{Context, Flow, Packet};
use crate::{metrics::CONNECTIONS_REFUSED, options::Limits, signalling::Signalling};

const READ_BUFFER: usize = 16 * 1024;
/// Answer to a ping (RFC 5626 section 4.4.1).
const PONG: &[u8] = b"\r\n";
/// For what was answered just before the end.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("far end closed it")]
    Closed,
    #[error("closed by us")]
    Stopped,
    #[error("framing lost")]
    FramingLost,
    #[error("message did not arrive in time")]
    Slow,
    #[error("nothing acceptable came")]
    Idle,
    #[error("far end does not read")]
    Stuck,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What the task of one connection works with.
#[derive(Debug)]
struct Connection {
    flow: Arc<Flow>,
    local: SocketAddr,
    signalling: Arc<Signalling>,
    limits: Arc<Limits>,
}

/// Runs the connection in a task of its own. Its end removes the flow and tells everybody who heard of it.
pub(super) fn start(stream: TcpStream, flow: Arc<Flow>, packets: mpsc::Receiver<Packet>, context: &Context) {
    let Some(signalling) = context.signalling.upgrade() else { return };
    let (flows, limits, stop) = (context.flows.clone(), context.limits.clone(), context.stop.clone());
    context.tasks.spawn(async move {
        let local = stream.local_addr().unwrap_or(flow.remote);
        let connection = Connection { flow: flow.clone(), local, signalling: signalling.clone(), limits };
        let end = connection.run(stream, packets, &stop).await;
        tracing::debug!(flow = flow.token, remote = %flow.remote, %end, "connection ended");
        if let Some(reason) = end.our_reason() {
            metrics::counter!(CONNECTIONS_REFUSED, "reason" => reason).increment(1);
        }
        flows.remove(&flow);
        signalling.flow_closed(&flow);
    });
}

/// Reports what waits in the outbox as not sent.
pub(super) fn fail_all(mut packets: mpsc::Receiver<Packet>, signalling: &Signalling) {
    packets.close();
    while let Ok(packet) = packets.try_recv() {
        signalling.not_sent(Transport::Tcp, packet.destination);
    }
}

impl Connection {
    async fn run(
        &self,
        stream: TcpStream,
        mut packets: mpsc::Receiver<Packet>,
        stop: &CancellationToken,
    ) -> End {
        let (reader, mut writer) = stream.into_split();
        let end = tokio::select! {
            end = self.read(reader) => end,
            end = self.write(&mut writer, &mut packets) => end,
            () = self.flow.close.cancelled() => End::Stopped,
            () = stop.cancelled() => End::Stopped,
        };
        if matches!(end, End::Closed | End::FramingLost | End::Stopped) {
            last_words(&mut writer, &mut packets).await;
        }
        fail_all(packets, &self.signalling);
        end
    }

    async fn write(&self, writer: &mut OwnedWriteHalf, packets: &mut mpsc::Receiver<Packet>) -> End {
        while let Some(packet) = packets.recv().await {
            let end = match time::timeout(self.limits.write_time, writer.write_all(&packet.bytes)).await {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.into(),
                Err(_) => End::Stuck,
            };
            self.signalling.not_sent(Transport::Tcp, packet.destination);
            return end;
        }
        End::Stopped
    }

    async fn read(&self, mut reader: OwnedReadHalf) -> End {
        let mut framer = StreamFramer::new();
        let mut buffer = vec![0; READ_BUFFER];
        let mut patience = Patience::new(self.flow.is_trusted(), &self.limits);
        loop {
            let length = match patience.until(reader.read(&mut buffer)).await {
                Ok(Ok(0)) => return End::Closed,
                Ok(Ok(length)) => length,
                Ok(Err(error)) => return error.into(),
                Err(end) => return end,
            };
            framer.push(&buffer[..length]);
            let mut messages = false;
            while let Some(frame) = framer.next() {
                match self.take(frame) {
                    Ok(message) => messages |= message,
                    Err(end) => return end,
                }
            }
            patience.after_reading(messages, framer.is_partial(), self.flow.is_trusted(), &self.limits);
        }
    }

    /// Ok(true): the frame was a message, whatever became of it.
    fn take(&self, frame: Result<Frame, wire::Error>) -> Result<bool, End> {
        match frame {
            Ok(Frame::Message(message)) => self.signalling.message(*message, self.source()),
            Ok(Frame::Ping) => {
                self.flow
                    .send(Packet { bytes: Bytes::from_static(PONG), destination: None })
                    .map_err(|_| End::Stuck)?;
                return Ok(false);
            }
            Ok(Frame::Pong) => return Ok(false),
            Err(error) => {
                self.signalling.unreadable(&error, &self.source());
                if error.framing_lost {
                    return Err(End::FramingLost);
                }
            }
        }
        Ok(true)
    }

    fn source(&self) -> Source {
        let flow = Some(self.flow.token.clone());
        Source { transport: Transport::Tcp, remote: self.flow.remote, local: self.local, flow }
    }
}

/// Answers given just before the end still go out, if the far end takes them at once: it may have closed only its
/// own side.
async fn last_words(writer: &mut OwnedWriteHalf, packets: &mut mpsc::Receiver<Packet>) {
    while let Ok(packet) = packets.try_recv() {
        if !matches!(time::timeout(LAST_WORDS, writer.write_all(&packet.bytes)).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// How long the far end may take for what it does next.
#[derive(Debug)]
struct Patience {
    deadline: Option<Instant>,
    /// Whether the deadline is that of a message, not of silence.
    message: bool,
}

impl Patience {
    /// A stranger's connection begins with a message that has to arrive.
    fn new(trusted: bool, limits: &Limits) -> Self {
        Self { deadline: (!trusted).then(|| Instant::now() + limits.message_time), message: true }
    }

    async fn until<T>(&self, future: impl Future<Output = T>) -> Result<T, End> {
        let Some(deadline) = self.deadline else { return Ok(future.await) };
        let end = if self.message { End::Slow } else { End::Idle };
        time::timeout_at(deadline, future).await.map_err(|_| end)
    }

    /// A message that has begun keeps its deadline however slowly it trickles in, and a stranger's keep-alives
    /// buy it no time.
    fn after_reading(&mut self, messages: bool, partial: bool, trusted: bool, limits: &Limits) {
        let begun = self.message && self.deadline.is_some();
        if partial && (messages || !begun) {
            *self = Self { deadline: Some(Instant::now() + limits.message_time), message: true };
        } else if !partial && trusted {
            *self = Self { deadline: None, message: false };
        } else if !partial && messages {
            *self = Self { deadline: Some(Instant::now() + limits.idle_time), message: false };
        }
    }
}

impl End {
    fn our_reason(&self) -> Option<&'static str> {
        match self {
            Self::FramingLost => Some("framing_lost"),
            Self::Slow => Some("slow"),
            Self::Idle => Some("idle"),
            Self::Stuck => Some("stuck"),
            Self::Closed | Self::Stopped | Self::Io(_) => None,
        }
    }
}
