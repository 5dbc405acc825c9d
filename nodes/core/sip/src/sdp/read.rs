//! Reads a description of the far end: which of its lines is our audio, and what it says. Lenient where
//! trunks are sloppy (attributes that do not parse are skipped), strict about addresses and ports.

use std::net::{IpAddr, SocketAddr};

use sdp_types::{Connection, Media};
use serde::{Deserialize, Serialize};

use super::{Audio, Codec, Direction, Error};

/// More media lines than this is no phone call; answering them all would only cost us.
const MAX_LINES: usize = 32;
/// So many formats of a line are looked at; no phone knows as many codecs.
const MAX_FORMATS: usize = 32;
/// RTP payload types are numbers of 7 bits.
const PAYLOAD_TYPES: usize = 128;
const TELEPHONE_EVENT: &str = "TELEPHONE-EVENT";

/// One `m=` line as far as a refusal must repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) media: String,
    pub(super) proto: String,
    pub(super) format: String,
}

/// The far end's description: all its lines, and the audio we take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Description {
    pub(super) lines: Vec<Line>,
    pub(super) index: usize,
    pub(super) audio: Audio,
}

/// Reads an offer: takes the first usable audio line.
pub(super) fn offer(body: &[u8]) -> Result<Description, Error> {
    let session = parse(body)?;
    let mut refusal = Error::NoCommonAudio;
    for (index, media) in session.medias.iter().enumerate() {
        match audio(&session, media) {
            Ok(audio) => return Ok(Description { lines: lines(&session), index, audio }),
            Err(error @ Error::Address(_)) => refusal = error,
            Err(_) => {}
        }
    }
    Err(refusal)
}

/// Reads an answer: our audio is the line at `index`, as in the offer.
pub(super) fn answer(body: &[u8], index: usize) -> Result<Description, Error> {
    let session = parse(body)?;
    let media = session.medias.get(index).ok_or(Error::NoCommonAudio)?;
    Ok(Description { lines: lines(&session), index, audio: audio(&session, media)? })
}

fn parse(body: &[u8]) -> Result<sdp_types::Session, Error> {
    let session = sdp_types::Session::parse(body).map_err(|error| Error::Malformed(error.to_string()))?;
    if session.medias.len() > MAX_LINES {
        return Err(Error::Malformed(format!("more than {MAX_LINES} media lines")));
    }
    Ok(session)
}

fn lines(session: &sdp_types::Session) -> Vec<Line> {
    let line = |media: &Media| Line {
        media: media.media.clone(),
        proto: media.proto.clone(),
        format: media.fmt.split_whitespace().next().unwrap_or("0").to_owned(),
    };
    session.medias.iter().map(line).collect()
}

fn audio(session: &sdp_types::Session, media: &Media) -> Result<Audio, Error> {
    let plain = media.media.eq_ignore_ascii_case("audio") && media.proto.eq_ignore_ascii_case("RTP/AVP");
    if !plain || media.port == 0 {
        return Err(Error::NoCommonAudio);
    }
    let (codecs, telephone_event) = encodings(media);
    if codecs.is_empty() {
        return Err(Error::NoCommonAudio);
    }
    let ip = address(media.connections.first().or(session.connection.as_ref()))?;
    Ok(Audio {
        remote: SocketAddr::new(ip, media.port),
        rtcp: rtcp(media, ip),
        codecs,
        telephone_event,
        ptime_ms: ptime(media),
        direction: direction(session, media, ip),
    })
}

fn address(connection: Option<&Connection>) -> Result<IpAddr, Error> {
    let text = connection.map(|connection| connection.connection_address.as_str()).unwrap_or_default();
    match text.trim().parse::<IpAddr>() {
        Ok(ip) if !ip.is_multicast() => Ok(ip),
        _ => Err(Error::Address(text.to_owned())),
    }
}

/// `a=rtcp:port [IN IP4 address]`, RFC 3605.
fn rtcp(media: &Media, ip: IpAddr) -> Option<SocketAddr> {
    let value = media.get_first_attribute_value("rtcp")??;
    let mut words = value.split_whitespace();
    let port: u16 = words.next()?.parse().ok().filter(|port| *port != 0)?;
    let named = words.nth(2).and_then(|address| address.parse::<IpAddr>().ok());
    Some(SocketAddr::new(named.filter(|address| !address.is_multicast()).unwrap_or(ip), port))
}

fn ptime(media: &Media) -> u8 {
    let value = media.get_first_attribute_value("ptime").flatten();
    value.and_then(|text| text.trim().parse().ok()).filter(|ms| (10..=120).contains(ms)).unwrap_or(20)
}

/// The far end's direction turned round to ours; an unspecified address is a hold of the old kind
/// (RFC 3264 8.4).
fn direction(session: &sdp_types::Session, media: &Media, ip: IpAddr) -> Direction {
    let all = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
    let here = all.into_iter().find(|direction| media.has_attribute(direction.attribute()));
    let above = || all.into_iter().find(|direction| session.has_attribute(direction.attribute()));
    let theirs = here.or_else(above).unwrap_or(Direction::SendRecv);
    let ours = theirs.reversed();
    if ip.is_unspecified() { ours.within(Direction::RecvOnly) } else { ours }
}

fn encodings(media: &Media) -> (Vec<Codec>, Option<u8>) {
    let mut codecs: Vec<Codec> = Vec::new();
    let mut telephone_event = None;
    let mapped = rtpmaps(media);
    for payload_type in formats(media) {
        match encoding(&mapped, payload_type) {
            Some((name @ ("PCMA" | "PCMU"), clock)) if !codecs.iter().any(|codec| codec.name == name) => {
                codecs.push(Codec { payload_type, name: name.to_owned(), clock });
            }
            Some((TELEPHONE_EVENT, _)) => telephone_event = telephone_event.or(Some(payload_type)),
            _ => {}
        }
    }
    (codecs, telephone_event)
}

/// The payload types of a media line in its order, each once.
fn formats(media: &Media) -> Vec<u8> {
    let mut seen = [false; PAYLOAD_TYPES];
    let numbers = media.fmt.split_whitespace().filter_map(|word| word.parse::<u8>().ok());
    let new =
        |number: &u8| seen.get_mut(usize::from(*number)).is_some_and(|seen| !std::mem::replace(seen, true));
    numbers.filter(new).take(MAX_FORMATS).collect()
}

type Encoding = (&'static str, u32);

/// What each payload type stands for, by the first `rtpmap` that says so in words we know.
fn rtpmaps(media: &Media) -> [Option<Encoding>; PAYLOAD_TYPES] {
    let mut mapped = [None; PAYLOAD_TYPES];
    for (number, encoding) in media.get_attribute_values("rtpmap").flatten().filter_map(rtpmap) {
        if let Some(slot) = mapped.get_mut(usize::from(number)) {
            slot.get_or_insert(encoding);
        }
    }
    mapped
}

/// The encoding of a payload type, if it runs at 8000 Hz; the static ones need no `rtpmap`.
fn encoding(mapped: &[Option<Encoding>; PAYLOAD_TYPES], payload_type: u8) -> Option<Encoding> {
    let told = mapped.get(usize::from(payload_type)).copied().flatten();
    let own = match payload_type {
        0 => Some(("PCMU", 8000)),
        8 => Some(("PCMA", 8000)),
        _ => None,
    };
    told.or(own).filter(|(_, clock)| *clock == 8000)
}

/// `<payload type> <name>/<clock>[/<channels>]`, one channel only. Names we do not speak are all alike to us.
fn rtpmap(value: &str) -> Option<(u8, Encoding)> {
    let (number, encoding) = value.trim().split_once(' ')?;
    let mut parts = encoding.trim().split('/');
    let told = parts.next()?;
    let name = ["PCMA", "PCMU", TELEPHONE_EVENT].into_iter().find(|known| known.eq_ignore_ascii_case(told));
    let clock = parts.next()?.parse().ok()?;
    let mono = parts.next().is_none_or(|channels| channels == "1");
    mono.then_some((number.parse().ok()?, (name.unwrap_or("?"), clock)))
}
