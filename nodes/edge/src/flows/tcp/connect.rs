//! Opens connections. What is to be sent meanwhile waits in the flow's outbox.

use std::{net::SocketAddr, sync::Arc};

use mangrove_sip::Transport;
use tokio::{net::TcpStream, sync::mpsc, time};

use super::listen;
use crate::flows::{Context, Flow, Packet, connection};

impl Context {
    /// Sends over the connection to this far end, opening one if there is none. Err gives the bytes back.
    pub(crate) fn send_to(&self, remote: SocketAddr, packet: Packet) -> Result<(), Packet> {
        if let Some(flow) = self.flows.by_remote(remote) {
            return flow.send(packet);
        }
        let Ok((flow, outbox)) = self.flows.add(Transport::Tcp, remote, false) else { return Err(packet) };
        let sent = flow.send(packet);
        self.tasks.spawn(open(flow, outbox, self.clone()));
        sent
    }
}

async fn open(flow: Arc<Flow>, outbox: mpsc::Receiver<Packet>, context: Context) {
    let connecting = time::timeout(context.limits.connect_time, TcpStream::connect(flow.remote));
    let stream = match context.stop.run_until_cancelled(connecting).await {
        Some(Ok(Ok(stream))) => stream,
        outcome => {
            tracing::info!(remote = %flow.remote, ?outcome, "connection could not be opened");
            context.flows.remove(&flow);
            if let Some(signalling) = context.signalling.upgrade() {
                connection::fail_all(outbox, &flow, &signalling);
            }
            return;
        }
    };
    listen::tune(&stream).unwrap_or_else(|error| tracing::debug!(%error, "connection stays untuned"));
    let local = stream.local_addr().unwrap_or(flow.remote);
    connection::start(stream, flow, local, outbox, &context);
}
