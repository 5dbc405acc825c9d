//! What can't be passed on as it is: sound in an encoding that the listener does not take, and digits beside it. Both are
//! made anew, as packets of the listener's own stream.

use mangrove_codec::Frame;
use mangrove_rtp::header::{self, Header};

use super::{
    announcer::Announcer,
    endpoint::{Endpoint, Hears},
    formats::Content,
    housekeeping::Counts,
    relay::source,
    voice::{Heard, Voice},
    worker::Worker,
};

/// The name of what an endpoint is sent out of a transcoder: no endpoint has so high a number.
const MADE: u64 = u64::MAX;
/// Bytes of a telephone event.
pub(super) const EVENT: usize = 4;

impl Worker {
    /// Gives the listener what it can take of the packet in the buffer, which stays as it is.
    pub(super) fn convert_to(&mut self, to: usize, from: usize, header: &Header, content: Content) {
        if let Content::Sound(encoding) = content {
            let (payload, now_us) = (&self.buffer[header.payload.clone()], self.now_us);
            let heard = Heard { endpoint: from, header, encoding, payload, now_us };
            let Some(listener) = self.endpoints.get_mut(to) else { return };
            let made = &mut self.made[..];
            let frames = listener.hear_transcoded(&heard, made, &mut self.counts);
            self.counts.sent += frames;
            return;
        }
        let source = source(from, header.ssrc);
        let Some(listener) = self.endpoints.get_mut(to) else { return };
        listener.leave_out(header, source);
        if let Content::Digits(clock) = content {
            let payload = &self.buffer[header.payload.clone()];
            let made = &mut self.made[..header::LENGTH + EVENT];
            let told = listener.retell((source, header.timestamp), clock, payload, made, self.now_us);
            self.counts.sent += u64::from(told);
        }
    }

    /// Whether sound of an endpoint, in the encoding that its far end is expected to speak, is made into another for a
    /// listener.
    pub(super) fn is_transcoded(&self, from: usize, to: usize) -> bool {
        let [speaker, listener] = [from, to].map(|index| self.endpoints.get(index));
        let spoken = speaker.and_then(|speaker| speaker.formats.codec);
        let is_carried = |listener: &Endpoint, sound| listener.formats.carrier(sound).is_some();
        spoken.zip(listener).is_some_and(|(spoken, listener)| !is_carried(listener, spoken.encoding))
    }

    /// Drops the endpoint's codecs that its present state does not need. Others are made when there is something for
    /// them.
    pub(super) fn drop_idle_codecs(&mut self, index: usize) {
        let Some(endpoint) = self.endpoints.get_mut(index) else { return };
        let is_heard = endpoint.ear.encoding().is_none_or(|heard| endpoint.formats.speaks(heard));
        if endpoint.tap.is_none() || !is_heard {
            endpoint.ear.close();
        }
        let Some([from, to]) = endpoint.voice.as_ref().map(|voice| voice.ways()) else { return };
        let is_sent = endpoint.formats.codec.is_some_and(|codec| codec.encoding == to);
        let peer = endpoint.hears.peer().filter(|_| is_sent);
        let is_said =
            peer.and_then(|peer| self.endpoints.get_mut(peer)).is_some_and(|p| p.formats.speaks(from));
        if let Some(endpoint) = self.endpoints.get_mut(index).filter(|_| !is_said) {
            endpoint.voice = None;
        }
    }
}

impl Endpoint {
    /// Sends what a packet says in the codec that the far end gets; how many frames those were.
    fn hear_transcoded(&mut self, heard: &Heard<'_>, made: &mut [u8], counts: &mut Counts) -> u64 {
        let Some(codec) = self.formats.codec else { return 0 };
        let ways = [heard.encoding, codec.encoding];
        let Some(mut voice) = Voice::take(&mut self.voice, ways, heard.now_us) else {
            self.outgoing.skip(heard.header, source(heard.endpoint, heard.header.ssrc));
            return 0;
        };
        let frames =
            voice.feed(heard, counts, |frame| self.say(&frame, codec.payload_type, made, heard.now_us));
        self.voice = Some(voice);
        frames
    }

    fn say(&mut self, frame: &Frame<'_>, payload_type: u8, made: &mut [u8], now_us: u64) {
        let Frame { payload, sequence, timestamp, marker, anew } = *frame;
        let end = header::LENGTH + payload.len();
        let Some(packet) = made.get_mut(..end) else { return };
        packet[header::LENGTH..].copy_from_slice(payload);
        header::write(packet, payload_type, marker, sequence, timestamp, 0);
        if anew {
            self.outgoing.pause();
        }
        let payload = header::LENGTH..end;
        let said = Header { payload_type, marker, sequence, timestamp, ssrc: 0, payload };
        self.outgoing.forward(packet, &said, payload_type, MADE, now_us);
        self.transmit(packet);
    }

    /// Sends a packet of a digit at the clock of what the far end gets; whether it takes digits.
    pub(super) fn retell(
        &mut self,
        from: (u64, u32),
        clock: u32,
        payload: &[u8],
        made: &mut [u8],
        now_us: u64,
    ) -> bool {
        let Some(event) = self.formats.event() else { return false };
        let now = self.outgoing.now(now_us);
        let Some(told) = self.teller.retell(from, payload, [clock, event.clock], now) else { return false };
        made[header::LENGTH..].copy_from_slice(&told.payload);
        self.outgoing.insert(made, event.payload_type, told.marker, told.timestamp, now_us);
        self.transmit(made);
        true
    }

    /// A packet is not passed on: its number is missing to nobody.
    pub(super) fn leave_out(&mut self, header: &Header, source: u64) {
        self.outgoing.skip(header, source);
        if let Some(voice) = &mut self.voice {
            voice.skip(source, header.sequence);
        }
    }

    /// Has an announcer if something is played in an encoding that needs one, and else none.
    pub(super) fn ready_announcer(&mut self) {
        let plays = matches!(self.hears, Hears::Play { playout: Some(_), .. });
        let codec = self.formats.codec.filter(|codec| plays && codec.encoding.law().is_none());
        let Some(codec) = codec else {
            self.announcer = None;
            return;
        };
        if self.announcer.as_ref().is_none_or(|announcer| announcer.encoding() != codec.encoding) {
            self.announcer = Announcer::new(codec.encoding);
        }
    }
}
