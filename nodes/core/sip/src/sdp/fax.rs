//! T.38 over UDPTL in a description (`m=image <port> udptl t38`: RFC 3362, T.38 annex D): how such a line is read and
//! written. What its attributes say is between the two that fax, and kept as it was written; only address, port and
//! direction are ours.

use std::net::SocketAddr;

use sdp_types::{Attribute, Media, MediaType, TransportProto};
use serde::{Deserialize, Serialize};

use super::read::{self, Line};
use super::{Direction, Error};

/// So many attributes of a line are kept; T.38 knows a dozen.
const MAX_TERMS: usize = 32;
/// An attribute that is longer is left out: states keep what is read.
const MAX_TERM: usize = 200;
/// What names of T.38's attributes begin with, in any case.
const PREFIX: &str = "T38";
const PROTOCOL: &str = "udptl";
const FORMAT: &str = "t38";

/// What one side says of its fax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fax {
    /// Where the far end wants UDPTL. Unspecified (`0.0.0.0`) when it holds us the old way.
    pub remote: SocketAddr,
    /// Its attributes (`T38FaxVersion:0`), in order and as they were written.
    pub terms: Vec<String>,
    /// Seen from our side: `RecvOnly` and `Inactive` mean that the far end holds us.
    pub direction: Direction,
}

/// The far end's description: all its lines, and the fax we take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Description {
    pub(super) lines: Vec<Line>,
    pub(super) index: usize,
    pub(super) fax: Fax,
}

impl Line {
    /// Whether it is one for T.38, refused or not.
    pub(super) fn is_fax(&self) -> bool {
        is_fax(&self.media, &self.proto)
    }
}

fn is_fax(media: &str, proto: &str) -> bool {
    media.eq_ignore_ascii_case("image") && proto.eq_ignore_ascii_case(PROTOCOL)
}

/// Reads an offer: takes the first line of T.38.
pub(super) fn offer(body: &[u8]) -> Result<Description, Error> {
    let session = read::parse(body)?;
    let mut refusal = Error::NoCommonFax;
    for (index, media) in session.medias.iter().enumerate() {
        match fax(&session, media) {
            Ok(fax) => return Ok(Description { lines: read::lines(&session, false), index, fax }),
            Err(error @ Error::Address(_)) => refusal = error,
            Err(_) => {}
        }
    }
    Err(refusal)
}

/// Reads an answer: our fax is the line at `index`, as in the offer.
pub(super) fn answer(body: &[u8], index: usize) -> Result<Description, Error> {
    let session = read::parse(body)?;
    let media = session.medias.get(index).ok_or(Error::NoCommonFax)?;
    let fax = fax(&session, media)?;
    Ok(Description { lines: read::lines(&session, false), index, fax })
}

fn fax(session: &sdp_types::Session, media: &Media) -> Result<Fax, Error> {
    let has_format = media.fmt.split_whitespace().any(|format| format.eq_ignore_ascii_case(FORMAT));
    if !is_fax(&media.media, &media.proto) || !has_format || media.port == 0 {
        return Err(Error::NoCommonFax);
    }
    let ip = read::address(media.connections.first().or(session.connection.as_ref()))?;
    let terms = media.attributes.iter().filter_map(term).take(MAX_TERMS).collect();
    let direction = read::direction(session, media, ip.is_unspecified());
    Ok(Fax { remote: SocketAddr::new(ip, media.port), terms, direction })
}

/// An attribute as it is kept, if it is one of T.38's.
fn term(attribute: &Attribute) -> Option<String> {
    let begins = attribute.attribute.get(..PREFIX.len())?.eq_ignore_ascii_case(PREFIX);
    let name = &attribute.attribute;
    let text = attribute.value.as_ref().map_or_else(|| name.clone(), |value| format!("{name}:{value}"));
    Some(text).filter(|text| begins && text.len() <= MAX_TERM)
}

/// Our line. A direction that says nothing new is left out: gateways of T.38 hardly know the attribute.
pub(super) fn media(port: u16, terms: &[String], direction: Direction) -> Media {
    let mut media = Media::new(MediaType::Image, port, TransportProto::Other(PROTOCOL.into()), FORMAT);
    for term in terms {
        match term.split_once(':') {
            Some((name, value)) => media.add_attribute_with_value(name, value),
            None => media.add_attribute_from_str(term),
        }
    }
    if direction != Direction::SendRecv {
        media.add_attribute_from_str(direction.attribute());
    }
    media
}
