//! A WebSocket as HTTP has it, in the words of the edge.

use std::{future::ready, io};

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures::{SinkExt, StreamExt};
use mangrove_edge::websocket::{Frame, Socket};

/// What a close frame without a code stands for (RFC 6455 section 7.1.5); it is never sent.
const NO_CODE: u16 = 1005;

/// Both directions of a WebSocket whose handshake is done.
pub(super) fn of(socket: WebSocket) -> Socket {
    let (outgoing, incoming) = socket.split();
    let incoming = incoming.map(|message| message.map(read).map_err(io::Error::other));
    let outgoing = outgoing.sink_map_err(io::Error::other);
    Socket::new(incoming, outgoing.with(|frame: Frame| ready(Ok::<Message, io::Error>(written(frame)))))
}

fn read(message: Message) -> Frame {
    match message {
        Message::Text(_) | Message::Binary(_) => Frame::Message(message.into_data()),
        Message::Ping(_) => Frame::Ping,
        Message::Pong(_) => Frame::Pong,
        Message::Close(close) => Frame::Close(close.map_or(NO_CODE, |close| close.code)),
    }
}

/// As text if it is UTF-8: pages expect that (RFC 7118 section 4.2).
fn written(frame: Frame) -> Message {
    match frame {
        Frame::Message(bytes) => match Utf8Bytes::try_from(bytes.clone()) {
            Ok(text) => Message::Text(text),
            Err(_) => Message::Binary(bytes),
        },
        Frame::Ping => Message::Ping(Default::default()),
        Frame::Pong => Message::Pong(Default::default()),
        Frame::Close(code) => Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::default() })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_utf_8_goes_as_text_and_everything_else_as_it_is() {
        let text = || Frame::Message("BYE".into());
        let binary = || Frame::Message(vec![0xff].into());
        assert_eq!(written(text()), Message::Text("BYE".into()));
        assert!(matches!(written(binary()), Message::Binary(_)));
        for frame in [text(), binary(), Frame::Ping, Frame::Pong, Frame::Close(1001)] {
            assert_eq!(read(written(frame.clone())), frame);
        }
        assert_eq!(read(Message::Close(None)), Frame::Close(NO_CODE));
    }
}
