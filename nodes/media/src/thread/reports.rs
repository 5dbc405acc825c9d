//! RTCP: our reports about every five seconds, and what the far end's say about the round trip. Nothing that comes
//! from another IP than the far end's sound has any effect, nor have goodbyes.

use std::net::SocketAddr;

use mangrove_rtp::rtcp::{self, Packet, SenderReport};

use super::{endpoint::Endpoint, worker::Worker};
use crate::metrics as names;

/// RFC 3550 section 6.2: half to one and a half times five seconds, so that reports don't march in step.
fn pause_us() -> u64 {
    rand::random_range(2_500_000..7_500_000)
}

impl Worker {
    /// Takes one compound of an endpoint whose RTCP socket is ready.
    pub(super) fn read_rtcp(&mut self, index: usize) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let Ok((length, from)) = endpoint.rtcp.recv_from(&mut self.buffer[..]) else { return };
        // A browser's come beside its sound.
        let to = endpoint.latch.destination().filter(|_| endpoint.browser.is_none());
        if to.is_none_or(|to| to.ip() != from.ip()) {
            self.counts.foreign += 1;
            return;
        }
        self.take_rtcp(index, length, from);
    }

    /// Takes one that came to a browser's only socket.
    pub(super) fn hear_rtcp(&mut self, index: usize, length: usize, from: SocketAddr) {
        if self.endpoints.get_mut(index).is_some_and(|endpoint| endpoint.may_come(from)) {
            self.take_rtcp(index, length, from);
        } else {
            self.counts.foreign += 1;
        }
    }

    fn take_rtcp(&mut self, index: usize, length: usize, from: SocketAddr) {
        let now_us = self.now_us;
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let Some(length) = endpoint.open_rtcp(&mut self.buffer[..length]) else {
            self.counts.unauthentic += 1;
            return;
        };
        let Ok(packets) = rtcp::read(&self.buffer[..length]) else {
            self.counts.malformed += 1;
            return;
        };
        if endpoint.latch.is_elsewhere() {
            endpoint.reports.from = Some(from);
        }
        for packet in packets {
            heed(endpoint, &packet, now_us);
        }
    }

    /// Reports if it is time and there is something to report.
    pub(super) fn send_reports(&mut self, index: usize) {
        let now_us = self.now_us;
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        if now_us < endpoint.reports.due_us {
            return;
        }
        let first = std::mem::replace(&mut endpoint.reports.due_us, now_us + pause_us()) == 0;
        let Some(to) = address(endpoint) else { return };
        if first || !compose(endpoint, &mut self.compound, now_us) {
            return;
        }
        if let Some(guard) = &mut endpoint.guard
            && !guard.seal_rtcp(&mut self.compound)
        {
            return;
        }
        if let Err(error) = endpoint.send_report(&self.compound, to) {
            tracing::trace!(endpoint = %endpoint.id, %error, "a report was not sent");
        }
    }
}

/// Where the far end takes reports: the port above its RTP, or where its own really come from. T.38 knows none.
fn address(endpoint: &Endpoint) -> Option<SocketAddr> {
    if endpoint.udptl {
        return None;
    }
    if endpoint.browser.is_some() {
        return endpoint.destination();
    }
    if endpoint.reports.from.is_some() {
        return endpoint.reports.from;
    }
    let to = endpoint.latch.destination()?;
    Some(SocketAddr::new(to.ip(), to.port().checked_add(1)?))
}

fn heed(endpoint: &mut Endpoint, packet: &Packet, now_us: u64) {
    let blocks = match packet {
        Packet::SenderReport(report, blocks) => {
            endpoint.reports.heard = Some((rtcp::middle(report.ntp), now_us));
            blocks
        }
        Packet::ReceiverReport { blocks, .. } => blocks,
        Packet::Goodbye | Packet::Other(_) => return,
    };
    let ours = blocks.iter().filter(|block| block.ssrc == endpoint.outgoing.ssrc());
    for trip in ours.filter_map(|block| block.round_trip_us(Endpoint::ntp())) {
        metrics::histogram!(names::ROUND_TRIP).record(trip as f64 / 1e6);
    }
}

/// A sender report when we sent since the last one, else a receiver report; false when there is nothing to say.
fn compose(endpoint: &mut Endpoint, compound: &mut Vec<u8>, now_us: u64) -> bool {
    compound.clear();
    let block = endpoint.block(now_us);
    let (ssrc, packets) = (endpoint.outgoing.ssrc(), endpoint.outgoing.packets());
    if packets > endpoint.reports.sent {
        let report = SenderReport {
            ssrc,
            ntp: Endpoint::ntp(),
            timestamp: endpoint.outgoing.now(now_us),
            packets: packets as u32,
            octets: endpoint.outgoing.octets() as u32,
        };
        rtcp::sender_report(compound, &report, block.as_slice());
    } else if block.is_some() {
        rtcp::receiver_report(compound, ssrc, block.as_slice());
    } else {
        return false;
    }
    endpoint.reports.sent = packets;
    // A name that tells nothing about us but stays the same for the stream (RFC 7022 section 4.2).
    rtcp::cname(compound, ssrc, &format!("{ssrc:08x}"));
    true
}
