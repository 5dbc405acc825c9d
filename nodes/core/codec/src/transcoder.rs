//! A stream of one encoding made into a stream of another, for one listener, driven by its packets: each is decoded in
//! its turn, what was lost before it is made up, and the frames that are full by then come out. Nothing waits for
//! anything but for its frame to be full.

use crate::{
    Decoder, Encoding, Error, LONGEST_MS, Resampler,
    order::{Order, Verdict},
    packer::Packer,
};

/// A packet that came in, as its RTP header has it.
#[derive(Debug, Clone, Copy)]
pub struct Packet<'a> {
    /// Names the stream (endpoint and SSRC): numbers of another are not comparable, and a change of it begins anew.
    pub source: u64,
    pub sequence: u16,
    /// In the clock of the encoding that comes in.
    pub timestamp: u32,
    pub marker: bool,
    pub payload: &'a [u8],
}

/// A frame that goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    pub payload: &'a [u8],
    /// One more than the last frame's; the first has 0.
    pub sequence: u16,
    /// In the clock of the encoding that goes out (`Encoding::clock_rate`); the first frame has 0. Steps by a frame's
    /// length, and by more where nothing was said.
    pub timestamp: u32,
    /// It begins a talkspurt (RFC 3551 section 4.1).
    pub marker: bool,
    /// It is the first of another stream than the last frame's: how much time passed between them, its timestamp does
    /// not know.
    pub anew: bool,
}

/// One listener's way from one encoding to another. After `new` nothing allocates, and nothing panics.
#[derive(Debug)]
pub struct Transcoder {
    decoder: Decoder,
    order: Order,
    resampler: Resampler,
    packer: Packer,
    /// What was decoded, at the rate of what comes in.
    heard: Box<[i16]>,
    /// The same at the rate of what goes out.
    sound: Box<[i16]>,
    /// Samples that were made up, at the rate of what comes in.
    made_up: u64,
}

impl Transcoder {
    /// Frames that go out are `frame_ms` long: `Error::Length` where the encoding has none such (`Encoding::makes`; ask
    /// `Encoding::frame_ms`). Packets that come in may have any length up to `LONGEST_MS`, and it may change.
    pub fn new(from: Encoding, to: Encoding, frame_ms: u32) -> Result<Self, Error> {
        Ok(Self {
            decoder: Decoder::new(from)?,
            order: Order::new(from.clock_rate()),
            resampler: Resampler::new(from.sample_rate(), to.sample_rate()),
            packer: Packer::new(to, frame_ms)?,
            heard: vec![0i16; from.samples_of_ms(LONGEST_MS)].into(),
            sound: vec![0i16; to.samples_of_ms(LONGEST_MS)].into(),
            made_up: 0,
        })
    }

    /// What it takes.
    pub fn incoming(&self) -> Encoding {
        self.decoder.encoding()
    }

    /// What it gives.
    pub fn outgoing(&self) -> Encoding {
        self.packer.encoding()
    }

    /// How much was made up so far in place of lost packets, in milliseconds.
    pub fn made_up_ms(&self) -> u64 {
        self.made_up * 1000 / u64::from(self.incoming().sample_rate())
    }

    /// Takes the next packet in order of arrival, and gives each frame that is full by then, none or many: a packet of
    /// 60 ms is three frames of 20, one after a gap brings what is made up for up to three lost packets. Late and doubled
    /// packets give none. A payload that is none of the encoding counts as lost.
    pub fn feed(&mut self, packet: &Packet<'_>, mut each: impl FnMut(Frame<'_>)) {
        // An empty packet keeps an address translation open (RFC 6263 section 4.1): nothing is lost.
        if packet.payload.is_empty() {
            return self.skip(packet.source, packet.sequence);
        }
        let Ok(samples) = self.decoder.samples(packet.payload) else { return };
        match self.order.judge(packet, self.incoming().ticks(samples)) {
            Verdict::Stale => return,
            Verdict::Anew => self.begin(),
            Verdict::Follows { lost, silent } => self.bridge(lost, silent, packet.payload, &mut each),
        }
        if packet.marker {
            self.packer.mark();
        }
        let decoded = self.decoder.decode_into(packet.payload, &mut self.heard);
        let count = decoded.unwrap_or_else(|_| self.decoder.conceal_into(samples, None, &mut self.heard));
        self.pass_on(count, &mut each);
    }

    /// Takes a packet of the same stream that has no sound of this encoding (digits, comfort noise of RFC 3389): its
    /// number is not missing.
    pub fn skip(&mut self, source: u64, sequence: u16) {
        self.order.skip(source, sequence);
    }

    /// Packets are not fed for a while: what comes then begins anew, and nothing is made up for what was not heard.
    pub fn pause(&mut self) {
        self.order.forget();
    }

    fn begin(&mut self) {
        self.decoder.reset();
        self.resampler.reset();
        self.packer.restart();
    }

    /// What lies between the last packet and this one, in ticks of what comes in.
    fn bridge(&mut self, lost: u32, silent: u32, next: &[u8], each: &mut impl FnMut(Frame<'_>)) {
        let mut rest = self.incoming().samples(silent);
        if lost > 0 {
            let wanted = self.incoming().samples(lost);
            let next = (silent == 0).then_some(next);
            let made = self.decoder.conceal_into(wanted, next, &mut self.heard);
            self.made_up += made as u64;
            self.pass_on(made, each);
            rest += wanted - made;
        }
        if rest > 0 {
            self.resampler.reset();
            self.packer.pause(self.resampler.length(rest), each);
        }
    }

    fn pass_on(&mut self, count: usize, each: &mut impl FnMut(Frame<'_>)) {
        let count = self.resampler.resample_into(&self.heard[..count], &mut self.sound);
        self.packer.push(&self.sound[..count], each);
    }
}
