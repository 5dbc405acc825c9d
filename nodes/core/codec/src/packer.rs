//! Sound cut into frames of one length, encoded and numbered. What does not fill a frame waits for more.

use crate::{Encoder, Encoding, Error, Frame, MOST_BYTES};

/// The way out of a transcoder.
#[derive(Debug)]
pub(crate) struct Packer {
    encoder: Encoder,
    /// The frame that is being filled.
    frame: Box<[i16]>,
    filled: usize,
    payload: Box<[u8]>,
    /// The next frame's numbers, and what is to be said of it.
    sequence: u16,
    timestamp: u32,
    marker: bool,
    anew: bool,
}

impl Packer {
    pub(crate) fn new(encoding: Encoding, frame_ms: u32) -> Result<Self, Error> {
        if !encoding.makes(frame_ms) {
            return Err(Error::Length);
        }
        Ok(Self {
            encoder: Encoder::new(encoding)?,
            frame: vec![0i16; encoding.samples_of_ms(frame_ms)].into(),
            filled: 0,
            payload: vec![0u8; MOST_BYTES].into(),
            sequence: 0,
            timestamp: 0,
            marker: true,
            anew: true,
        })
    }

    pub(crate) fn encoding(&self) -> Encoding {
        self.encoder.encoding()
    }

    /// The next frame begins a talkspurt.
    pub(crate) fn mark(&mut self) {
        self.marker = true;
    }

    /// Another stream begins: what waits is dropped, the next frame says so. Numbers go on.
    pub(crate) fn restart(&mut self) {
        (self.filled, self.marker, self.anew) = (0, true, true);
    }

    /// Takes sound that follows what came before.
    pub(crate) fn push(&mut self, samples: &[i16], each: &mut impl FnMut(Frame<'_>)) {
        let mut rest = samples;
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(rest.len().min(self.frame.len() - self.filled));
            self.frame[self.filled..self.filled + part.len()].copy_from_slice(part);
            self.advance(part.len(), each);
            rest = behind;
        }
    }

    /// Nothing is said for so many samples. Where that is a frame or longer, what waits goes out, filled up with
    /// silence, and the timestamps step over the rest; else the silence is sound like any other.
    pub(crate) fn pause(&mut self, samples: usize, each: &mut impl FnMut(Frame<'_>)) {
        let filler = if samples < self.frame.len() {
            samples
        } else if self.filled == 0 {
            0
        } else {
            self.frame.len() - self.filled
        };
        self.fill(filler, each);
        let rest = samples - filler;
        if rest > 0 {
            self.timestamp = self.timestamp.wrapping_add(self.encoder.encoding().ticks(rest));
            self.marker = true;
        }
    }

    fn fill(&mut self, samples: usize, each: &mut impl FnMut(Frame<'_>)) {
        let mut rest = samples;
        while rest > 0 {
            let part = rest.min(self.frame.len() - self.filled);
            self.frame[self.filled..self.filled + part].fill(0);
            self.advance(part, each);
            rest -= part;
        }
    }

    fn advance(&mut self, samples: usize, each: &mut impl FnMut(Frame<'_>)) {
        self.filled += samples;
        if self.filled == self.frame.len() {
            self.filled = 0;
            self.send(each);
        }
    }

    fn send(&mut self, each: &mut impl FnMut(Frame<'_>)) {
        let timestamp = self.timestamp;
        self.timestamp = timestamp.wrapping_add(self.encoder.encoding().ticks(self.frame.len()));
        // A frame that its library refuses, which none does, is a pause of its length.
        let Ok(length) = self.encoder.encode_into(&self.frame, &mut self.payload) else { return self.mark() };
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        each(Frame {
            payload: &self.payload[..length],
            sequence,
            timestamp,
            marker: std::mem::take(&mut self.marker),
            anew: std::mem::take(&mut self.anew),
        });
    }
}
