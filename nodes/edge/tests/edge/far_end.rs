//! Phones and carriers: real sockets, messages written by hand. Pages in browsers: frames without sockets.

use std::{io, net::SocketAddr, time::Duration};

use futures::{SinkExt, StreamExt, channel::mpsc};
use mangrove_edge::{
    Edge,
    websocket::{self, Refused, Seat, Socket},
};
use mangrove_sip::{
    Message,
    wire::{Frame, StreamFramer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    time::timeout,
};

use crate::house::{http, leg};

const PATIENCE: Duration = Duration::from_secs(10);

/// A request with its mandatory headers; `more` are lines of their own.
pub(crate) fn request(
    method: &str,
    uri: &str,
    from: SocketAddr,
    transport: &str,
    id: &str,
    more: &str,
) -> String {
    format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{transport} {from};branch=z9hG4bK{id};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:101@acme.example>;tag=theirs\r\nTo: <{uri}>\r\nCall-ID: {id}\r\nCSeq: 1 {method}\r\n\
         Contact: <sip:101@{from}>\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

/// A request in a dialog of our leg.
pub(crate) fn in_dialog(method: &str, from: SocketAddr, transport: &str, id: &str) -> String {
    let uri = format!("sip:acme.{}@127.0.0.1", leg());
    request(method, &uri, from, transport, id, "")
        .replace(&format!("To: <{uri}>"), &format!("To: <{uri}>;tag=ours"))
}

pub(crate) struct UdpEnd {
    socket: UdpSocket,
    edge: SocketAddr,
}

impl UdpEnd {
    pub(crate) async fn bind(address: &str, edge: SocketAddr) -> Self {
        Self { socket: UdpSocket::bind(address).await.unwrap(), edge }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub(crate) async fn send(&self, bytes: impl AsRef<[u8]>) {
        self.socket.send_to(bytes.as_ref(), self.edge).await.unwrap();
    }

    pub(crate) async fn datagram(&self) -> Vec<u8> {
        let mut buffer = vec![0; 65_535];
        let (length, _) =
            timeout(PATIENCE, self.socket.recv_from(&mut buffer)).await.expect("no message").unwrap();
        buffer.truncate(length);
        buffer
    }

    pub(crate) async fn receive(&self) -> Message {
        Message::parse(&self.datagram().await).unwrap()
    }

    pub(crate) fn invite(&self, id: &str) -> String {
        request("INVITE", "sip:74951234567@acme.example", self.local(), "UDP", id, "")
    }

    /// Asks for our capabilities; its answer shows that everything before was handled.
    pub(crate) fn ping(&self, id: &str) -> String {
        request("OPTIONS", "sip:acme.example", self.local(), "UDP", id, "")
    }

    /// Nothing was sent to us for what we sent before.
    pub(crate) async fn hears_nothing(&self, id: &str) {
        self.send(self.ping(id)).await;
        let message = self.receive().await;
        assert_eq!((message.status(), message.call_id()), (Some(200), Some(id)), "{message:?}");
    }
}

pub(crate) struct TcpEnd {
    stream: TcpStream,
    framer: StreamFramer,
}

impl TcpEnd {
    /// Waits for the edge to connect.
    pub(crate) async fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = timeout(PATIENCE, listener.accept()).await.expect("nobody connected").unwrap();
        Self { stream, framer: StreamFramer::new() }
    }

    pub(crate) async fn connect(edge: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(edge).await.unwrap(), framer: StreamFramer::new() }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// We have nothing more to say, but listen.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// The next thing said to us; None at the end.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(frame) = self.framer.next() {
                return Some(frame.unwrap());
            }
            match timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("neither message nor end") {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.framer.push(&buffer[..length]),
            }
        }
    }

    pub(crate) async fn receive(&mut self) -> Message {
        match self.frame().await {
            Some(Frame::Message(message)) => *message,
            other => panic!("{other:?} is no message"),
        }
    }

    pub(crate) fn request(&self, method: &str, uri: &str, id: &str, more: &str) -> String {
        request(method, uri, self.local(), "TCP", id, more)
    }
}

/// A browser's end of a WebSocket.
pub(crate) struct Page {
    said: mpsc::UnboundedSender<websocket::Frame>,
    heard: mpsc::UnboundedReceiver<websocket::Frame>,
    pub(crate) remote: SocketAddr,
}

impl Page {
    /// Over a WebSocket from this port of loopback.
    pub(crate) fn open(edge: &Edge, port: u16) -> Result<Self, Refused> {
        Self::read_by(edge, port, |frame| frame)
    }

    /// The same, where what the edge reads goes through this first.
    pub(crate) fn read_by(
        edge: &Edge,
        port: u16,
        read: impl Fn(websocket::Frame) -> websocket::Frame + Send + 'static,
    ) -> Result<Self, Refused> {
        let remote = SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Self::at(edge.accept_websocket(remote, http(), false)?, remote, read))
    }

    /// A page that shows this ticket.
    pub(crate) fn with_ticket(edge: &Edge, port: u16, ticket: &str) -> Result<Self, Refused> {
        let remote = SocketAddr::from(([127, 0, 0, 1], port));
        Ok(Self::at(edge.accept_page(remote, http(), false, ticket)?, remote, |frame| frame))
    }

    fn at(
        seat: Seat,
        remote: SocketAddr,
        read: impl Fn(websocket::Frame) -> websocket::Frame + Send + 'static,
    ) -> Self {
        let (said, incoming) = mpsc::unbounded::<websocket::Frame>();
        let (outgoing, heard) = mpsc::unbounded();
        let incoming = incoming.map(move |frame| Ok(read(frame)));
        seat.begin(Socket::new(incoming, outgoing.sink_map_err(io::Error::other)));
        Self { said, heard, remote }
    }

    pub(crate) fn say(&self, frame: websocket::Frame) {
        self.said.unbounded_send(frame).unwrap();
    }

    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) {
        self.say(websocket::Frame::Message(bytes.as_ref().to_vec().into()));
    }

    /// The next thing said to us; None at the end.
    pub(crate) async fn frame(&mut self) -> Option<websocket::Frame> {
        timeout(PATIENCE, self.heard.next()).await.expect("neither frame nor end")
    }

    /// The next message, whatever pings come before it.
    pub(crate) async fn receive(&mut self) -> Message {
        loop {
            match self.frame().await {
                Some(websocket::Frame::Message(bytes)) => return Message::parse(&bytes).unwrap(),
                Some(websocket::Frame::Ping) => {}
                other => panic!("{other:?} is no message"),
            }
        }
    }
}
