//! A packet's way through: read, opened where it is SRTP, judged, counted, recorded, and passed on in place to whoever
//! hears its endpoint and takes it so; `convert` does for the others.

use mangrove_rtp::{
    align::{Side, Sound},
    digit::Digit,
    g711,
    header::Header,
    latch::Verdict,
};

use super::{
    endpoint::{Endpoint, Hears},
    formats::Content,
    housekeeping::Counts,
    keys,
    tap::Tap,
    voice::Heard,
    worker::Worker,
};
use mangrove_proto::media::{self, media_event::Fact};

impl Worker {
    /// Takes one packet of an endpoint whose socket is ready.
    pub(super) fn read_rtp(&mut self, index: usize) {
        let now_us = self.now_us;
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        // An error is an ICMP answer to something we sent: reading it has cleared it.
        let Ok((length, from)) = endpoint.rtp().recv_from(&mut self.buffer[..]) else { return };
        if endpoint.browser.is_some() && !self.sort(index, length, from) {
            return;
        }
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        if !endpoint.may_come(from) {
            self.counts.foreign += 1;
            return;
        }
        if endpoint.udptl {
            return self.take_udptl(index, length, from);
        }
        let Some(length) = endpoint.open(&mut self.buffer[..length]) else {
            self.counts.unauthentic += 1;
            return;
        };
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
        let (hall, seat) = (endpoint.hall, endpoint.seat);
        let payload = &self.buffer[header.payload.clone()];
        let (mut digits, mut is_held_back, mut is_late) = ([None, None, None], false, false);
        let mut is_secret = false;
        match content {
            Content::Sound(encoding) => {
                endpoint.hush.hear(header, endpoint.formats.clock_of(content), now_us);
                is_late = endpoint.hush.is_of_the_pause(header, now_us);
                if let Some(recording) = endpoint.tap.filter(|_| !is_late) {
                    let heard = Heard { endpoint: index, header, encoding, payload, now_us };
                    record(endpoint, recording, &heard, (&mut self.tap, &mut self.counts));
                }
            }
            Content::Digits(clock) => {
                is_held_back = keys::is_held_back(endpoint, header, payload);
                is_secret = endpoint.hush.press(header, clock, endpoint.is_private, now_us);
                digits = press(endpoint, header, clock, payload, now_us);
            }
            Content::Noise | Content::Other => {}
        }
        if let Hears::Echo(echo) = &mut endpoint.hears {
            echo.keep(&self.buffer[..length], header, content, now_us);
        }
        if !matches!(content, Content::Sound(_)) {
            endpoint.ear.skip(source(index, header.ssrc), header.sequence);
        }
        // Before it is changed in place for those who hear this endpoint alone.
        if let Some(hall) = hall.filter(|_| !is_held_back) {
            self.hear_in_hall(hall, (index, header), content, is_late);
        }
        if let (Some(seat), Content::Sound(encoding)) = (seat, content) {
            self.hear_in_conference(seat, (index, header), encoding);
        }
        match is_held_back {
            true => self.keep_back(index, header),
            false => self.pass_on(index, length, header, content),
        }
        digits.into_iter().flatten().for_each(|digit| self.report_digit(index, digit, is_secret));
    }

    /// Nobody hears the endpoint for now.
    fn hold_back(&mut self, index: usize) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let listeners = std::mem::take(&mut endpoint.listeners);
        for listener in &listeners {
            if let Some(listener) = self.endpoints.get_mut(*listener) {
                listener.pause();
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
        let is_made_anew = !matches!(content, Content::Sound(_)) && self.is_transcoded(from, to);
        let Some(listener) = self.endpoints.get_mut(to) else { return content };
        if !listener.is_sending() {
            listener.pause();
            return content;
        }
        let carried = match content {
            Content::Sound(encoding) => {
                let carrier = listener.formats.carrier(encoding);
                carrier.map(|codec| (codec.payload_type, Content::Sound(codec.encoding)))
            }
            // What comes between frames of a transcoder's has numbers of its own, from before the first frame on: an event
            // under two timestamps would be two.
            _ if is_made_anew || listener.voice.is_some() => None,
            _ => listener.formats.type_of(content).map(|payload_type| (payload_type, content)),
        };
        let Some((payload_type, after)) = carried else {
            self.convert_to(to, from, header, content);
            return content;
        };
        let source = source(from, header.ssrc);
        if let Some(voice) = &mut listener.voice {
            voice.skip(source, header.sequence);
        }
        change_law(content, after, &mut self.buffer[header.payload.clone()]);
        if listener.guard.is_some() && listener.outgoing.is_astray(header, source) {
            listener.outgoing.pause();
        }
        let packet = &mut self.buffer[..length];
        listener.outgoing.forward(packet, header, payload_type, source, self.now_us);
        listener.transmit(packet);
        self.counts.sent += 1;
        after
    }

    /// Says where media really comes from, unless it is where the SDP said and always was.
    pub(super) fn report_latched(&mut self, index: usize) {
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

    /// Says that a key was pressed; which one unless a recording is paused, or was when it was pressed.
    pub(super) fn report_digit(&mut self, index: usize, digit: Digit, is_secret: bool) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let is_secret = is_secret || endpoint.is_private;
        let key = if is_secret { String::new() } else { digit.key.to_string() };
        let told =
            media::Digit { endpoint: endpoint.id.to_string(), digit: key, duration_ms: digit.duration_ms };
        self.surroundings.outbox.post(&endpoint.owner, Fact::Digit(told));
        self.look_for_code(index, digit.key);
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

/// Adds what a packet says to the recording of its endpoint.
fn record(
    endpoint: &mut Endpoint,
    recording: (u64, Side),
    heard: &Heard<'_>,
    (tap, counts): (&mut Tap, &mut Counts),
) {
    let Heard { header, encoding, payload, now_us, .. } = *heard;
    let stream = source(heard.endpoint, header.ssrc);
    match encoding.law() {
        Some(law) => {
            endpoint.ear.skip(stream, header.sequence);
            let sound = Sound { stream, timestamp: header.timestamp, law, payload };
            tap.add(recording, &sound, now_us);
        }
        None => endpoint.ear.record(recording, heard, tap, counts),
    }
}

/// All that is changed in a payload that is passed on: one law becomes the other.
pub(super) fn change_law(from: Content, to: Content, payload: &mut [u8]) {
    let law = |content: Content| match content {
        Content::Sound(encoding) => encoding.law(),
        _ => None,
    };
    if let (Some(from), Some(to)) = (law(from), law(to)) {
        g711::transcode(from, to, payload);
    }
}

/// The name of a stream: numbers of different ones are not comparable.
pub(super) fn source(endpoint: usize, ssrc: u32) -> u64 {
    ((endpoint as u64) << 32) | u64::from(ssrc)
}
