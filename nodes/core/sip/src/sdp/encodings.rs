//! Which formats of a far end's audio line are ours to take, and under which numbers it lists them.

use sdp_types::Media;

use super::codecs::{self, Kind, Known, RATE};
use super::{Codec, TelephoneEvent};

/// So many formats of a line are looked at; no phone knows as many codecs.
const MAX_FORMATS: usize = 32;
/// RTP payload types are numbers of 7 bits.
const PAYLOAD_TYPES: usize = 128;
/// What a far end says of a codec is kept up to this length; no codec here has as much to say.
const MAX_FMTP: usize = 200;

/// What a line lists of what is taken.
#[derive(Debug, Default)]
pub(super) struct Encodings {
    /// In the line's order, each codec once.
    pub(super) codecs: Vec<Codec>,
    pub(super) events: Vec<TelephoneEvent>,
    pub(super) noise: Option<u8>,
}

impl Encodings {
    /// Reads a line. Of the codecs only those in `taken` count, digits at 8000 Hz and at the clock of one of them.
    pub(super) fn of(media: &Media, taken: &[Codec]) -> Self {
        let mapped = rtpmaps(media, taken);
        let mut read = Self::default();
        for payload_type in formats(media) {
            match encoding(&mapped, payload_type) {
                Some(known) if known.kind == Kind::Digits => read.add_events(known, payload_type),
                Some(known) if taken.iter().any(|codec| codec.name == known.name) => {
                    read.add_codec(known, payload_type, media);
                }
                _ => {}
            }
        }
        let Self { codecs, events, .. } = &mut read;
        events.retain(|event| event.clock == RATE || codecs.iter().any(|codec| codec.clock == event.clock));
        read
    }

    fn add_codec(&mut self, known: &Known, payload_type: u8, media: &Media) {
        if known.kind == Kind::Noise {
            self.noise = self.noise.or(Some(payload_type));
        } else if !self.codecs.iter().any(|codec| codec.name == known.name) {
            let fmtp = fmtp(media, known, payload_type);
            self.codecs.push(Codec { fmtp, ..known.under(payload_type) });
        }
    }

    fn add_events(&mut self, known: &Known, payload_type: u8) {
        if !self.events.iter().any(|event| event.clock == known.clock) {
            self.events.push(TelephoneEvent::new(known.clock, payload_type));
        }
    }
}

/// The payload types of a media line in its order, each once.
fn formats(media: &Media) -> Vec<u8> {
    let mut seen = [false; PAYLOAD_TYPES];
    let numbers = media.fmt.split_whitespace().filter_map(|word| word.parse::<u8>().ok());
    let new =
        |number: &u8| seen.get_mut(usize::from(*number)).is_some_and(|seen| !std::mem::replace(seen, true));
    numbers.filter(new).take(MAX_FORMATS).collect()
}

/// What a payload type was said to be; none: something that is not known here.
type Told = Option<&'static Known>;

/// What each payload type stands for, by the first `rtpmap` that says so in words we know. Where nothing but G.711 is
/// taken, one with two channels says nothing, as in earlier builds.
fn rtpmaps(media: &Media, taken: &[Codec]) -> [Option<Told>; PAYLOAD_TYPES] {
    let most = if codecs::is_g711(taken) { 1 } else { 2 };
    let is_heard = |told: &(u8, Told)| told.1.is_none_or(|known| known.channels <= most);
    let mut mapped = [None; PAYLOAD_TYPES];
    for (number, told) in media.get_attribute_values("rtpmap").flatten().filter_map(rtpmap).filter(is_heard) {
        if let Some(slot) = mapped.get_mut(usize::from(number)) {
            slot.get_or_insert(told);
        }
    }
    mapped
}

/// The encoding of a payload type; the static ones need no `rtpmap`.
fn encoding(mapped: &[Option<Told>; PAYLOAD_TYPES], payload_type: u8) -> Told {
    let told = mapped.get(usize::from(payload_type)).copied().flatten();
    told.unwrap_or_else(|| codecs::fixed(payload_type))
}

/// `<payload type> <name>/<clock>[/<channels>]`. What is not known here and has several channels says nothing.
fn rtpmap(value: &str) -> Option<(u8, Told)> {
    let (number, encoding) = value.trim().split_once(' ')?;
    let mut parts = encoding.trim().split('/');
    let (name, clock) = (parts.next()?, parts.next()?.parse::<u32>().ok()?);
    let channels = match parts.next() {
        None | Some("1") => 1,
        Some("2") => 2,
        Some(_) => return None,
    };
    let known = codecs::find(name, clock, channels);
    (known.is_some() || channels == 1).then_some((number.parse().ok()?, known))
}

/// What the far end says of a codec that has something to say.
fn fmtp(media: &Media, known: &Known, payload_type: u8) -> String {
    if known.fmtp.is_empty() {
        return String::new();
    }
    let told = media.get_attribute_values("fmtp").flatten().filter_map(|value| value.trim().split_once(' '));
    let mut told = told.filter(|(number, _)| number.parse::<u8>() == Ok(payload_type));
    let text = told.next().map_or("", |(_, text)| text.trim());
    if text.len() <= MAX_FMTP { text.to_owned() } else { String::new() }
}
