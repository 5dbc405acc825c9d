//! A packet's way through: read, judged, counted, recorded, and passed on in place to whoever hears its endpoint.

use mangrove_rtp::{digit::Digit, encoding::Encoding, g711, header::Header, latch::Verdict};

use super::{endpoint::Endpoint, formats::Content, worker::Worker};
use mangrove_proto::media::{self, media_event::Fact};

impl Worker {
    /// Takes one packet of an endpoint whose socket is ready.
    pub(super) fn read_rtp(&mut self, index: usize) {
        let now_us = self.now_us;
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        // An error is an ICMP answer to something we sent: reading it has cleared it.
        let Ok((length, from)) = endpoint.rtp().recv_from(&mut self.buffer[..]) else { return };
        let Some(header) = Header::read(&self.buffer[..length]) else {
            self.counts.malformed += 1;
            return;
        };
        match endpoint.admit(from, header.ssrc, header.sequence, now_us) {
            Verdict::Accept => {}
            Verdict::Moved => self.report_latched(index),
            Verdict::Unproven | Verdict::Foreign => {
                self.counts.foreign += 1;
                return;
            }
        }
        self.counts.received += 1;
        self.accept(index, length, &header);
    }

    fn accept(&mut self, index: usize, length: usize, header: &Header) {
        let now_us = self.now_us;
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let content = endpoint.formats.content(header.payload_type);
        endpoint.incoming.receive(header, endpoint.formats.clock_of(content), now_us);
        if !endpoint.receive {
            return self.hold_back(index);
        }
        let payload = &self.buffer[header.payload.clone()];
        let mut digits = [None, None, None];
        match content {
            Content::Sound(encoding) => {
                if let (Some((recording, side)), Some(law)) = (endpoint.tap, encoding.law()) {
                    self.tap.add(recording, side, index, header, law, payload, now_us);
                }
            }
            Content::Digits(clock) => digits = press(endpoint, header, clock, payload, now_us),
            Content::Noise | Content::Other => {}
        }
        self.pass_on(index, length, header, content);
        digits.into_iter().flatten().for_each(|digit| self.report_digit(index, digit));
    }

    /// Nobody hears the endpoint for now.
    fn hold_back(&mut self, index: usize) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let listeners = std::mem::take(&mut endpoint.listeners);
        for listener in &listeners {
            if let Some(listener) = self.endpoints.get_mut(*listener) {
                listener.outgoing.pause();
            }
        }
        if let Some(endpoint) = self.endpoints.get_mut(index) {
            endpoint.listeners = listeners;
        }
    }

    /// Rewrites the packet for each listener in turn.
    fn pass_on(&mut self, index: usize, length: usize, header: &Header, content: Content) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let listeners = std::mem::take(&mut endpoint.listeners);
        let mut content = content;
        for listener in &listeners {
            content = self.pass_to(*listener, index, length, header, content);
        }
        if let Some(endpoint) = self.endpoints.get_mut(index) {
            endpoint.listeners = listeners;
        }
    }

    /// Gives what the buffer holds afterwards: its law may have changed.
    fn pass_to(
        &mut self,
        to: usize,
        from: usize,
        length: usize,
        header: &Header,
        content: Content,
    ) -> Content {
        let Some(listener) = self.endpoints.get_mut(to) else { return content };
        if !listener.is_sending() {
            listener.outgoing.pause();
            return content;
        }
        let source = source(from, header.ssrc);
        let (payload_type, after) = match content {
            Content::Sound(encoding) => match listener.formats.carrier(encoding) {
                Some(codec) => {
                    change_law(encoding, codec.encoding, &mut self.buffer[header.payload.clone()]);
                    (Some(codec.payload_type), Content::Sound(codec.encoding))
                }
                None => (None, content),
            },
            _ => (listener.formats.type_of(content), content),
        };
        let Some(payload_type) = payload_type else {
            listener.outgoing.skip(header, source);
            return after;
        };
        let packet = &mut self.buffer[..length];
        listener.outgoing.forward(packet, header, payload_type, source, self.now_us);
        listener.transmit(packet);
        self.counts.sent += 1;
        after
    }

    /// Says where media really comes from, unless it is where the SDP said and always was.
    fn report_latched(&mut self, index: usize) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let Some(address) = endpoint.latch.believed() else { return };
        let elsewhere = endpoint.latch.is_elsewhere().then_some(address);
        if std::mem::replace(&mut endpoint.told, elsewhere) == elsewhere {
            return;
        }
        tracing::debug!(endpoint = %endpoint.id, %address, "media comes from another address than before");
        let latched = media::Latched { endpoint: endpoint.id.to_string(), address: address.to_string() };
        self.surroundings.outbox.post(&endpoint.owner, Fact::Latched(latched));
    }

    pub(super) fn report_digit(&mut self, index: usize, digit: Digit) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let digit = media::Digit {
            endpoint: endpoint.id.to_string(),
            digit: digit.key.to_string(),
            duration_ms: digit.duration_ms,
        };
        self.surroundings.outbox.post(&endpoint.owner, Fact::Digit(digit));
    }
}

/// The presses that a packet of digits ends: one of its stream before, and up to two of its own.
fn press(
    endpoint: &mut Endpoint,
    header: &Header,
    clock: u32,
    payload: &[u8],
    now_us: u64,
) -> [Option<Digit>; 3] {
    let is_other = endpoint.digits_ssrc.replace(header.ssrc).is_some_and(|ssrc| ssrc != header.ssrc);
    let last = if is_other { endpoint.digits.restart() } else { None };
    let mut ended = endpoint.digits.receive(header.timestamp, clock, payload, now_us);
    [last, ended.next(), ended.next()]
}

/// All that is changed in a payload: one law becomes the other.
fn change_law(from: Encoding, to: Encoding, payload: &mut [u8]) {
    if let (Some(from), Some(to)) = (from.law(), to.law()) {
        g711::transcode(from, to, payload);
    }
}

/// The name of a stream: numbers of different ones are not comparable.
pub(super) fn source(endpoint: usize, ssrc: u32) -> u64 {
    ((endpoint as u64) << 32) | u64::from(ssrc)
}
