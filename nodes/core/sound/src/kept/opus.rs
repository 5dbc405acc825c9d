//! Opus in Ogg: packets of 20 ms, a page a second, so that a player finds any place.

use mangrove_codec::{KEPT_FRAME, KeptEncoder, MOST_BYTES};
use ogg::{PacketWriteEndInfo, PacketWriter};

use super::{Error, RATE};

/// The stream's number; a file has one stream.
const SERIAL: u32 = 1;
/// Packets of one page.
const PAGE: u64 = 50;
/// Places are counted at 48 kHz, whatever the rate was.
const TICKS: u64 = 48_000 / RATE as u64;
const FRAME: u64 = KEPT_FRAME as u64;

/// A stream of one or two channels.
pub(super) struct Stream {
    encoder: KeptEncoder,
    pages: PacketWriter<'static, Vec<u8>>,
    channels: usize,
    /// Samples, of each channel, that players leave out at the beginning.
    ahead: u64,
    /// Not yet a frame.
    waiting: Vec<i16>,
    frames: u64,
    /// Samples of each channel that came in.
    taken: u64,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("frames", &self.frames).finish_non_exhaustive()
    }
}

impl Stream {
    pub(super) fn new(channels: usize) -> Result<Self, Error> {
        let mut encoder = KeptEncoder::new(channels)?;
        let ahead = encoder.lookahead()? as u64;
        let mut pages = PacketWriter::new(Vec::new());
        for packet in [head(channels, ahead), tags()] {
            pages.write_packet(packet, SERIAL, PacketWriteEndInfo::EndPage, 0)?;
        }
        Ok(Self { encoder, pages, channels, ahead, waiting: Vec::new(), frames: 0, taken: 0 })
    }

    /// Takes samples, the channels in turns, and adds to `out` the pages that are full.
    pub(super) fn add(&mut self, samples: &[i16], out: &mut Vec<u8>) -> Result<(), Error> {
        self.taken += (samples.len() / self.channels) as u64;
        self.waiting.extend_from_slice(samples);
        let waiting = std::mem::take(&mut self.waiting);
        let frames = waiting.chunks_exact(KEPT_FRAME * self.channels);
        self.waiting = frames.remainder().to_vec();
        for frame in frames {
            self.encode(frame, false)?;
        }
        out.append(self.pages.inner_mut());
        Ok(())
    }

    /// Adds the rest: silence until a decoder gives the last that came in, and says where that ends.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        let needed = (self.taken + self.ahead).div_ceil(FRAME).max(self.frames + 1) - self.frames;
        let mut rest = std::mem::take(&mut self.waiting);
        rest.resize(needed as usize * KEPT_FRAME * self.channels, 0);
        let mut frames = rest.chunks_exact(KEPT_FRAME * self.channels).peekable();
        while let Some(frame) = frames.next() {
            self.encode(frame, frames.peek().is_none())?;
        }
        out.append(self.pages.inner_mut());
        Ok(())
    }

    fn encode(&mut self, frame: &[i16], is_last: bool) -> Result<(), Error> {
        let mut packet = vec![0; MOST_BYTES];
        let length = self.encoder.encode_into(frame, &mut packet)?;
        packet.truncate(length);
        self.frames += 1;
        let place = if is_last { self.taken + self.ahead } else { self.frames * FRAME };
        let ends = match self.frames % PAGE {
            _ if is_last => PacketWriteEndInfo::EndStream,
            0 => PacketWriteEndInfo::EndPage,
            _ => PacketWriteEndInfo::NormalPacket,
        };
        Ok(self.pages.write_packet(packet, SERIAL, ends, place * TICKS)?)
    }
}

/// RFC 7845 section 5.1. Two channels are two streams (family 1), one is plain (family 0).
fn head(channels: usize, ahead: u64) -> Vec<u8> {
    let mut head = b"OpusHead\x01".to_vec();
    head.push(channels as u8);
    head.extend(((ahead * TICKS) as u16).to_le_bytes());
    head.extend(RATE.to_le_bytes());
    // No gain.
    head.extend([0, 0]);
    match channels {
        1 => head.push(0),
        // Two streams, neither of them stereo, the first one left.
        _ => head.extend([1, 2, 0, 0, 1]),
    }
    head
}

/// RFC 7845 section 5.2: who made it, and no more.
fn tags() -> Vec<u8> {
    let maker = b"mangrove";
    let mut tags = b"OpusTags".to_vec();
    tags.extend((maker.len() as u32).to_le_bytes());
    tags.extend(maker);
    tags.extend(0_u32.to_le_bytes());
    tags
}
