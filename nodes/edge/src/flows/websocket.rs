//! SIP over WebSocket (RFC 7118): each WebSocket message, text or binary, is one SIP message, and needs no Content-Length
//! (section 5.1). Who serves HTTP takes a [`Seat`], upgrades the connection, and begins with a [`Socket`]; nothing here
//! knows HTTP.
//!
//! Nobody can connect to a browser: what can't go over its WebSocket can't go, and when that ends, what waits for an answer
//! over it has failed.

mod seat;

pub use seat::{Refused, Seat};

use std::{fmt, io, pin::Pin, time::Duration};

use bytes::Bytes;
use futures::{Sink, SinkExt, Stream, StreamExt};
use mangrove_sip::{Message, wire};
use tokio::{
    sync::{Notify, mpsc},
    time,
};

use super::{
    Packet,
    connection::{Connection, LAST_WORDS, Wire},
    end::End,
    patience::Patience,
};

/// The longest message taken, in bytes: as much as over TCP.
pub const LONGEST: usize = wire::HEAD_LIMIT + wire::BODY_LIMIT;

/// The edge goes (RFC 6455 section 7.4.1).
const GOING_AWAY: u16 = 1001;
/// The far end broke a rule of ours.
const POLICY: u16 = 1008;
const TOO_LONG: u16 = 1009;

/// What travels over a WebSocket, either way (RFC 6455).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A whole message. It leaves as text if it is UTF-8, else as binary (RFC 7118 section 4.2).
    Message(Bytes),
    /// One that came in was answered already by who read it; one that goes out asks whether the far end is there.
    Ping,
    /// The answer to a ping.
    Pong,
    /// The end, with its code.
    Close(u16),
}

type Incoming = Pin<Box<dyn Stream<Item = io::Result<Frame>> + Send>>;
type Outgoing = Pin<Box<dyn Sink<Frame, Error = io::Error> + Send>>;

/// A WebSocket after its handshake.
pub struct Socket {
    incoming: Incoming,
    outgoing: Outgoing,
}

impl Socket {
    /// Of its two directions. `incoming` ends, or gives an error, when the connection does.
    pub fn new(
        incoming: impl Stream<Item = io::Result<Frame>> + Send + 'static,
        outgoing: impl Sink<Frame, Error = io::Error> + Send + 'static,
    ) -> Self {
        Self { incoming: Box::pin(incoming), outgoing: Box::pin(outgoing) }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").finish_non_exhaustive()
    }
}

impl Wire for Socket {
    async fn carry(self, connection: &Connection, outbox: &mut mpsc::Receiver<Packet>) -> End {
        let Self { incoming, mut outgoing } = self;
        let silence = Notify::new();
        let reading = read(connection, incoming, &silence);
        let writing = write(connection, &mut outgoing, outbox, &silence);
        let end = connection.until_over(reading, writing).await;
        if let Some(farewell) = farewell(&end) {
            // Who does not take it at once goes without.
            let _ = time::timeout(LAST_WORDS, part(farewell, &mut outgoing, outbox)).await;
        }
        end
    }
}

async fn read(connection: &Connection, mut incoming: Incoming, silence: &Notify) -> End {
    let Connection { flow, limits, .. } = connection;
    let mut patience = Patience::new(flow.is_trusted(), limits);
    loop {
        let frame = match patience.until(next(&mut incoming, limits.ping_time, silence)).await {
            Ok(Ok(frame)) => frame,
            Ok(Err(end)) | Err(end) => return end,
        };
        let taken = match frame {
            Frame::Message(bytes) if bytes.len() > LONGEST => Err(End::TooLong),
            Frame::Message(bytes) => connection.take(sip(&bytes)),
            Frame::Close(_) => Err(End::Closed),
            Frame::Ping | Frame::Pong => Ok(false),
        };
        match taken {
            Ok(message) => patience.after_reading(message, false, flow.is_trusted(), limits),
            Err(end) => return end,
        }
    }
}

/// What comes next. A far end that says nothing for a while is pinged, and has gone if it says nothing to that either:
/// a browser whose machine sleeps does not close anything.
async fn next(incoming: &mut Incoming, pause: Duration, silence: &Notify) -> Result<Frame, End> {
    let heard = match time::timeout(pause, incoming.next()).await {
        Ok(heard) => heard,
        Err(_) => {
            silence.notify_one();
            time::timeout(pause, incoming.next()).await.map_err(|_| End::Gone)?
        }
    };
    match heard {
        Some(frame) => frame.map_err(End::Io),
        None => Err(End::Closed),
    }
}

/// What a WebSocket message says: a SIP message, or a keep-alive of line breaks (RFC 7118 section 6).
fn sip(bytes: &[u8]) -> Result<wire::Frame, wire::Error> {
    match bytes {
        [] | [b'\r', b'\n'] => Ok(wire::Frame::Pong),
        _ if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n')) => Ok(wire::Frame::Ping),
        _ => Message::parse(bytes).map(|message| wire::Frame::Message(Box::new(message))),
    }
}

async fn write(
    connection: &Connection,
    outgoing: &mut Outgoing,
    outbox: &mut mpsc::Receiver<Packet>,
    silence: &Notify,
) -> End {
    loop {
        let (frame, failing) = tokio::select! {
            packet = outbox.recv() => match packet {
                Some(Packet { bytes, destination }) => (Frame::Message(bytes), destination),
                None => return End::Stopped,
            },
            () = silence.notified() => (Frame::Ping, None),
        };
        if let Err(end) = connection.in_time(failing, outgoing.send(frame)).await {
            return end;
        }
    }
}

/// How we part from a far end that may hear it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Farewell {
    /// It has said that it goes: the closing handshake ends.
    Answer,
    /// We go, and say why.
    Say(u16),
}

fn farewell(end: &End) -> Option<Farewell> {
    match end {
        End::Closed => Some(Farewell::Answer),
        End::Stopped => Some(Farewell::Say(GOING_AWAY)),
        End::TooLong => Some(Farewell::Say(TOO_LONG)),
        End::Slow | End::Idle | End::FramingLost => Some(Farewell::Say(POLICY)),
        End::Stuck | End::Gone | End::Panicked | End::Io(_) => None,
    }
}

/// Answers given just before the end still go out.
async fn part(
    farewell: Farewell,
    outgoing: &mut Outgoing,
    outbox: &mut mpsc::Receiver<Packet>,
) -> io::Result<()> {
    if let Farewell::Say(code) = farewell {
        while let Ok(packet) = outbox.try_recv() {
            outgoing.send(Frame::Message(packet.bytes)).await?;
        }
        outgoing.send(Frame::Close(code)).await?;
    }
    outgoing.close().await
}
