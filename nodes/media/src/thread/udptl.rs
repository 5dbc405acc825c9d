//! T.38: a datagram of UDPTL goes from one endpoint that faxes to the others that hear it, as it is. Where it may come from
//! is judged as for RTP; it is in no recording, and nothing else is done to it.

use mangrove_rtp::{latch::Verdict, udptl};

use super::{endpoint::Endpoint, worker::Worker};

/// UDPTL has one stream, which has no name.
const STREAM: u32 = 0;

/// Datagrams of T.38 that one endpoint took and sent.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) received: u64,
    pub(super) sent: u64,
}

impl Worker {
    /// Takes the datagram in the buffer.
    pub(super) fn take_udptl(&mut self, index: usize, length: usize, from: std::net::SocketAddr) {
        let Some(sequence) = udptl::sequence(&self.buffer[..length]) else {
            self.counts.malformed += 1;
            return;
        };
        let now_us = self.now_us;
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        match endpoint.admit(from, STREAM, sequence, now_us) {
            Verdict::Accept => {}
            Verdict::Moved => self.report_latched(index),
            Verdict::Unproven | Verdict::Foreign => {
                self.counts.foreign += 1;
                return;
            }
        }
        self.counts.received += 1;
        self.pass_udptl(index, length);
    }

    fn pass_udptl(&mut self, index: usize, length: usize) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        endpoint.faxed.received += 1;
        if !endpoint.receive {
            return;
        }
        let listeners = std::mem::take(&mut endpoint.listeners);
        for listener in &listeners {
            if let Some(listener) = self.endpoints.get_mut(*listener)
                && listener.send_udptl(&self.buffer[..length], self.now_us)
            {
                self.counts.sent += 1;
            }
        }
        if let Some(endpoint) = self.endpoints.get_mut(index) {
            endpoint.listeners = listeners;
        }
    }
}

impl Endpoint {
    /// Sends a datagram if the far end faxes, too, and may hear it. Who is sent a page says nothing meanwhile, for minutes:
    /// while it is sent something it is not taken for silent.
    fn send_udptl(&mut self, datagram: &[u8], now_us: u64) -> bool {
        if !self.udptl || !self.send || self.latch.destination().is_none() {
            return false;
        }
        if let Some(since) = &mut self.silence.since_us {
            *since = now_us;
        }
        self.faxed.sent += 1;
        self.transmit(datagram);
        true
    }
}
