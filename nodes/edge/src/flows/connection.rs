//! One connection, however it is framed: what comes in goes to signalling, what is queued goes out, and it ends when
//! either side stops behaving. What could not be written is reported, never silently lost.

use std::{io, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::FutureExt;
use mangrove_sip::{
    Destination, Source,
    wire::{self, Frame},
};
use tokio::{sync::mpsc, time};
use tokio_util::sync::CancellationToken;

use super::{Context, Flow, Flows, Packet, end::End};
use crate::{
    metrics::{CONNECTIONS_REFUSED, PANICS},
    options::Limits,
    signalling::Signalling,
};

/// Answer to a ping (RFC 5626 section 4.4.1).
const PONG: &[u8] = b"\r\n";
/// For what was answered just before the end.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(200);

/// The two directions of a connection, in the framing of its transport.
pub(super) trait Wire: Send + 'static {
    /// Carries messages both ways until the connection ends. What it takes out of the outbox it writes, or reports
    /// ([`Connection::in_time`]); what is left there the caller reports.
    fn carry(
        self,
        connection: &Connection,
        outbox: &mut mpsc::Receiver<Packet>,
    ) -> impl Future<Output = End> + Send;
}

/// What the task of one connection works with.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) flow: Arc<Flow>,
    pub(super) limits: Arc<Limits>,
    local: SocketAddr,
    signalling: Arc<Signalling>,
    stop: CancellationToken,
}

/// Runs the connection in a task of its own. Its end, be it a panic, removes the flow and tells everybody who heard of it.
pub(super) fn start(
    wire: impl Wire,
    flow: Arc<Flow>,
    local: SocketAddr,
    mut outbox: mpsc::Receiver<Packet>,
    context: &Context,
) {
    let Some(signalling) = context.signalling.upgrade() else { return };
    let (flows, limits, stop) = (context.flows.clone(), context.limits.clone(), context.stop.clone());
    context.tasks.spawn(async move {
        let connection = Connection { flow, limits, local, signalling, stop };
        let carried = AssertUnwindSafe(wire.carry(&connection, &mut outbox)).catch_unwind().await;
        let end = carried.unwrap_or(End::Panicked);
        connection.ended(&end, outbox, &flows);
    });
}

/// Reports what waits in the outbox as not sent.
pub(super) fn fail_all(mut outbox: mpsc::Receiver<Packet>, flow: &Flow, signalling: &Signalling) {
    outbox.close();
    while let Ok(packet) = outbox.try_recv() {
        signalling.not_sent(flow.transport, packet.destination);
    }
}

impl Connection {
    /// Both directions until one of them ends, or the connection is to end.
    pub(super) async fn until_over(
        &self,
        read: impl Future<Output = End>,
        write: impl Future<Output = End>,
    ) -> End {
        tokio::select! {
            end = read => end,
            end = write => end,
            () = self.flow.close.cancelled() => End::Stopped,
            () = self.stop.cancelled() => End::Stopped,
        }
    }

    /// Takes a frame. Ok(true): it was a message, whatever became of it.
    pub(super) fn take(&self, frame: Result<Frame, wire::Error>) -> Result<bool, End> {
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

    /// Waits until something is written, for as long as a far end may refuse to read. `failing` is what to call failed
    /// when it is not.
    pub(super) async fn in_time(
        &self,
        failing: Option<Destination>,
        writing: impl Future<Output = io::Result<()>>,
    ) -> Result<(), End> {
        let end = match time::timeout(self.limits.write_time, writing).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => End::Io(error),
            Err(_) => End::Stuck,
        };
        self.signalling.not_sent(self.flow.transport, failing);
        Err(end)
    }

    fn source(&self) -> Source {
        let Flow { transport, remote, token, .. } = &*self.flow;
        Source { transport: *transport, remote: *remote, local: self.local, flow: Some(token.clone()) }
    }

    fn ended(&self, end: &End, outbox: mpsc::Receiver<Packet>, flows: &Flows) {
        let Self { flow, signalling, .. } = self;
        tracing::debug!(flow = flow.token, transport = %flow.transport, remote = %flow.remote, %end, "connection ended");
        if let Some(reason) = end.our_reason() {
            metrics::counter!(CONNECTIONS_REFUSED, "reason" => reason).increment(1);
        }
        if matches!(end, End::Panicked) {
            metrics::counter!(PANICS).increment(1);
            tracing::error!(flow = flow.token, remote = %flow.remote, "handling a connection panicked");
        }
        flows.remove(flow);
        signalling.flow_closed(flow);
        fail_all(outbox, flow, signalling);
    }
}
