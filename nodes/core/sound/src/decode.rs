//! From a file's bytes to pieces of mono sound at the file's own rate.

use std::io::Cursor;

use symphonia::{
    core::{
        codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known::CODEC_ID_OPUS},
        errors::Error as Fault,
        formats::{FormatOptions, FormatReader, TrackType, probe::Hint},
        io::{MediaSourceStream, MediaSourceStreamOptions},
        meta::MetadataOptions,
        packet::Packet,
    },
    default::{get_codecs, get_probe},
};

use crate::{Error, opus::Opus};

/// So many frames in a row may be bad at a file's beginning: one that was cut out of another begins within a frame.
const BAD_AT_FIRST: u32 = 20;

/// The first sound in a file.
pub(crate) struct Track<'f> {
    format: Box<dyn FormatReader + 'f>,
    id: u32,
    codec: Codec,
    good: u32,
    bad: u32,
}

enum Codec {
    Opus(Box<Opus>),
    Other { decoder: Box<dyn AudioDecoder>, interleaved: Vec<f32> },
}

impl<'f> Track<'f> {
    pub(crate) fn open(file: &'f [u8]) -> Result<Self, Error> {
        let source = MediaSourceStream::new(Box::new(Cursor::new(file)), MediaSourceStreamOptions::default());
        let (format, meta) = (FormatOptions::default(), MetadataOptions::default());
        let unknown = |fault: Fault| Error::Unknown { why: fault.to_string() };
        let format = get_probe().probe(&Hint::new(), source, format, meta).map_err(unknown)?;
        let track = format.default_track(TrackType::Audio).ok_or(Error::Empty)?;
        let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
        let (id, codec) = (track.id, Codec::open(parameters.ok_or(Error::Empty)?)?);
        Ok(Self { format, id, codec, good: 0, bad: 0 })
    }

    /// Makes `piece` the next piece of sound and gives its rate; none at the end. The error says what is wrong.
    pub(crate) fn next(&mut self, piece: &mut Vec<f32>) -> Result<Option<u32>, String> {
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                // Cut off: what came before is there.
                Ok(None) | Err(Fault::IoError(_)) => return self.end(),
                Err(Fault::ResetRequired) => return Err("another sound follows in the same file".to_owned()),
                Err(fault) => return Err(fault.to_string()),
            };
            if packet.track_id != self.id {
                continue;
            }
            match self.codec.decode(&packet, piece) {
                Ok(rate) => {
                    self.good += 1;
                    return Ok(Some(rate));
                }
                Err(why) => self.pass_over(why)?,
            }
        }
    }

    fn pass_over(&mut self, why: String) -> Result<(), String> {
        self.bad += 1;
        if self.bad > self.good.max(BAD_AT_FIRST) { Err(why) } else { Ok(()) }
    }

    fn end(&self) -> Result<Option<u32>, String> {
        if self.bad > self.good { Err("most of it can't be decoded".to_owned()) } else { Ok(None) }
    }
}

impl Codec {
    fn open(parameters: &AudioCodecParameters) -> Result<Self, Error> {
        let coding = |why: String| Error::Coding { why };
        if parameters.codec == CODEC_ID_OPUS {
            let head = parameters.extra_data.as_deref().unwrap_or_default();
            return Opus::open(head).map(|opus| Self::Opus(Box::new(opus))).map_err(coding);
        }
        let decoder = get_codecs().make_audio_decoder(parameters, &AudioDecoderOptions::default());
        let decoder = decoder.map_err(|fault| coding(fault.to_string()))?;
        Ok(Self::Other { decoder, interleaved: Vec::new() })
    }

    fn decode(&mut self, packet: &Packet, piece: &mut Vec<f32>) -> Result<u32, String> {
        match self {
            Self::Opus(opus) => opus.decode(&packet.data, piece),
            Self::Other { decoder, interleaved } => {
                let buffer = decoder.decode(packet).map_err(|fault| fault.to_string())?;
                buffer.copy_to_vec_interleaved(interleaved);
                mix(interleaved, buffer.num_planes(), piece);
                Ok(buffer.spec().rate())
            }
        }
    }
}

/// The mean of all channels.
fn mix(interleaved: &[f32], channels: usize, piece: &mut Vec<f32>) {
    let channels = channels.max(1);
    piece.clear();
    piece.extend(interleaved.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32));
}
