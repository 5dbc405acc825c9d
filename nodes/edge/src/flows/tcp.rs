//! SIP over TCP: a stream of bytes, cut into messages by their Content-Length (RFC 3261 section 18.3).

mod connect;
mod listen;

pub(crate) use listen::Listener;

use mangrove_sip::wire::StreamFramer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time,
};

use super::{
    Packet,
    connection::{Connection, LAST_WORDS, Wire},
    end::End,
    patience::Patience,
};

const READ_BUFFER: usize = 16 * 1024;

impl Wire for TcpStream {
    async fn carry(self, connection: &Connection, outbox: &mut mpsc::Receiver<Packet>) -> End {
        let (reader, mut writer) = self.into_split();
        let (reading, writing) = (read(connection, reader), write(connection, &mut writer, outbox));
        let end = connection.until_over(reading, writing).await;
        if matches!(end, End::Closed | End::FramingLost | End::Stopped) {
            last_words(&mut writer, outbox).await;
        }
        end
    }
}

async fn read(connection: &Connection, mut reader: OwnedReadHalf) -> End {
    let Connection { flow, limits, .. } = connection;
    let mut framer = StreamFramer::new();
    let mut buffer = vec![0; READ_BUFFER];
    let mut patience = Patience::new(flow.is_trusted(), limits);
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
            match connection.take(frame) {
                Ok(message) => messages |= message,
                Err(end) => return end,
            }
        }
        patience.after_reading(messages, framer.is_partial(), flow.is_trusted(), limits);
    }
}

async fn write(
    connection: &Connection,
    writer: &mut OwnedWriteHalf,
    outbox: &mut mpsc::Receiver<Packet>,
) -> End {
    while let Some(Packet { bytes, destination }) = outbox.recv().await {
        if let Err(end) = connection.in_time(destination, writer.write_all(&bytes)).await {
            return end;
        }
    }
    End::Stopped
}

/// Answers given just before the end still go out, if the far end takes them at once: it may have closed only its
/// own side.
async fn last_words(writer: &mut OwnedWriteHalf, outbox: &mut mpsc::Receiver<Packet>) {
    while let Ok(packet) = outbox.try_recv() {
        if !matches!(time::timeout(LAST_WORDS, writer.write_all(&packet.bytes)).await, Ok(Ok(()))) {
            return;
        }
    }
}
