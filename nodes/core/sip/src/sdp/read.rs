//! Reads a description of the far end: which of its lines is our audio, and what it says. Lenient where
//! trunks are sloppy (attributes that do not parse are skipped), strict about addresses and ports.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use sdp_types::{Connection, Media};
use serde::{Deserialize, Serialize};

use super::encodings::Encodings;
use super::webrtc;
use super::{Audio, Codec, Crypto, Direction, Error, Suite, Webrtc};

/// More media lines than this is no phone call; answering them all would only cost us.
const MAX_LINES: usize = 32;

/// One `m=` line as far as a refusal must repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) media: String,
    pub(super) proto: String,
    pub(super) format: String,
    /// Its name, where browsers may ask for it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mid: Option<String>,
}

/// The far end's description: all its lines, and the audio we take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Description {
    pub(super) lines: Vec<Line>,
    pub(super) index: usize,
    pub(super) audio: Audio,
}

impl Description {
    /// Whether its audio is SRTP by its profile.
    pub(super) fn is_savp(&self) -> bool {
        self.lines.get(self.index).is_some_and(Line::is_savp)
    }

    /// The profile of its audio.
    pub(super) fn proto(&self) -> &str {
        self.lines.get(self.index).map_or("", |line| line.proto.as_str())
    }
}

impl Line {
    pub(super) fn is_savp(&self) -> bool {
        is_savp(&self.proto)
    }

    pub(super) fn is_audio(&self) -> bool {
        self.media.eq_ignore_ascii_case("audio")
    }
}

fn is_savp(proto: &str) -> bool {
    proto.eq_ignore_ascii_case("RTP/SAVP")
}

/// By which ways of its own sound may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ways {
    /// RTP and SRTP with keys from descriptions.
    Plain,
    /// As browsers do it.
    Webrtc,
    /// Either.
    All,
}

impl Ways {
    fn allow(self, is_webrtc: bool) -> bool {
        self == Self::All || is_webrtc == (self == Self::Webrtc)
    }
}

/// What a description may say, for it to be taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken<'a> {
    /// Any of them.
    pub(super) codecs: &'a [Codec],
    /// Keys for any of them.
    pub(super) suites: &'a [Suite],
    /// Such a key must be there.
    pub(super) is_secret: bool,
    pub(super) ways: Ways,
}

/// Reads an offer: takes the first audio line with a codec that is taken, and a key where there must be one.
pub(super) fn offer(body: &[u8], taken: Taken<'_>) -> Result<Description, Error> {
    let session = parse(body)?;
    let mut refusal = Error::NoCommonAudio;
    for (index, media) in session.medias.iter().enumerate() {
        match audio(&session, media, taken) {
            Ok(audio) => {
                return Ok(Description { lines: lines(&session, audio.webrtc.is_some()), index, audio });
            }
            Err(error @ (Error::Address(_) | Error::NoCommonSecurity)) => refusal = error,
            Err(_) => {}
        }
    }
    Err(refusal)
}

/// Reads an answer: our audio is the line at `index`, as in the offer, which listed what is `taken`. Whoever answers our
/// key with one that we can't use would not understand us.
pub(super) fn answer(body: &[u8], index: usize, taken: Taken<'_>) -> Result<Description, Error> {
    let session = parse(body)?;
    let media = session.medias.get(index).ok_or(Error::NoCommonAudio)?;
    let audio = audio(&session, media, taken)?;
    if !taken.suites.is_empty() && audio.crypto.is_none() && media.has_attribute("crypto") {
        return Err(Error::NoCommonSecurity);
    }
    Ok(Description { lines: lines(&session, audio.webrtc.is_some()), index, audio })
}

pub(super) fn parse(body: &[u8]) -> Result<sdp_types::Session, Error> {
    let session = sdp_types::Session::parse(body).map_err(|error| Error::Malformed(error.to_string()))?;
    if session.medias.len() > MAX_LINES {
        return Err(Error::Malformed(format!("more than {MAX_LINES} media lines")));
    }
    Ok(session)
}

pub(super) fn lines(session: &sdp_types::Session, is_of_browser: bool) -> Vec<Line> {
    let line = |media: &Media| Line {
        media: media.media.clone(),
        proto: media.proto.clone(),
        format: media.fmt.split_whitespace().next().unwrap_or("0").to_owned(),
        mid: webrtc::mid(media).filter(|_| is_of_browser),
    };
    session.medias.iter().map(line).collect()
}

fn audio(session: &sdp_types::Session, media: &Media, taken: Taken<'_>) -> Result<Audio, Error> {
    let is_secret = is_savp(&media.proto);
    let is_webrtc = webrtc::is_profile(&media.proto);
    let is_rtp = (is_secret || is_webrtc || media.proto.eq_ignore_ascii_case("RTP/AVP"))
        && taken.ways.allow(is_webrtc);
    if !media.media.eq_ignore_ascii_case("audio") || !is_rtp || media.port == 0 {
        return Err(Error::NoCommonAudio);
    }
    let Encodings { codecs, events, noise } = Encodings::of(media, taken.codecs);
    if codecs.is_empty() {
        return Err(Error::NoCommonAudio);
    }
    let webrtc = Webrtc::read(session, media).filter(|_| is_webrtc);
    let crypto = Crypto::first(media, taken.suites).filter(|_| !is_webrtc);
    let has_keys = crypto.is_some() || webrtc.is_some();
    if !has_keys && (is_secret || is_webrtc || taken.is_secret) {
        return Err(Error::NoCommonSecurity);
    }
    let connection = media.connections.first().or(session.connection.as_ref());
    let ip = match address(connection) {
        // Browsers say 0.0.0.0, or a name of their own network's.
        Err(_) if is_webrtc => Ipv4Addr::UNSPECIFIED.into(),
        read => read?,
    };
    let mut audio = Audio {
        remote: SocketAddr::new(ip, media.port),
        rtcp: rtcp(media, ip),
        codecs,
        telephone_event: None,
        events: Vec::new(),
        noise,
        crypto,
        webrtc,
        ptime_ms: ptime(media),
        direction: direction(session, media, ip.is_unspecified() && !is_webrtc),
    };
    audio.set_events(events);
    Ok(audio)
}

pub(super) fn address(connection: Option<&Connection>) -> Result<IpAddr, Error> {
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

/// The far end's direction turned round to ours; `is_held` says that it names no address, which is a hold of the old kind
/// (RFC 3264 8.4).
pub(super) fn direction(session: &sdp_types::Session, media: &Media, is_held: bool) -> Direction {
    let all = [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive];
    let here = all.into_iter().find(|direction| media.has_attribute(direction.attribute()));
    let above = || all.into_iter().find(|direction| session.has_attribute(direction.attribute()));
    let theirs = here.or_else(above).unwrap_or(Direction::SendRecv);
    let ours = theirs.reversed();
    if is_held { ours.within(Direction::RecvOnly) } else { ours }
}
