//! One side of a connection, as hyper uses it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::Connected;

use super::Net;
use super::pipe::Read;
use crate::time;

/// Reads from one pipe and writes to the other.
pub(crate) struct End {
    net: Net,
    reads: u64,
    writes: u64,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl End {
    pub(super) fn new(net: Net, reads: u64, writes: u64) -> Self {
        Self { net, reads, writes, alarm: None }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.net.0.lock().end(self.reads, self.writes);
    }
}

impl Connected for End {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for End {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let read = {
                let mut net = self.net.0.lock();
                let pipe = net.pipes.get_mut(&self.reads);
                pipe.map_or(Read::End, |pipe| pipe.read(time::now(), buffer.remaining(), cx.waker()))
            };
            match read {
                Read::Bytes(bytes) => {
                    buffer.put_slice(&bytes);
                    return Poll::Ready(Ok(()));
                }
                Read::End => return Poll::Ready(Ok(())),
                Read::Later(None) => return Poll::Pending,
                Read::Later(Some(at)) => {
                    let wait = Duration::from_millis(at.saturating_sub(time::now()).max(1));
                    let alarm = self.alarm.insert(Box::pin(sleep(wait)));
                    if alarm.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let sent = self.net.0.lock().send(self.writes, Bytes::copy_from_slice(bytes));
        Poll::Ready(sent.map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
