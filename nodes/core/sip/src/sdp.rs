//! Offer and answer of one audio stream (RFC 3264) over `sdp-types`: the codecs of [`all`] with digits and comfort
//! noise beside them. Which of them a session takes is said with each call: [`g711`], or more.
//!
//! A payload type has a direction: what the far end numbers is what we send under, what we number is what we expect.
//! [`Codec`] and [`TelephoneEvent`] have both numbers, [`Session`] keeps ours the same for its whole life.
//!
//! [`Session`] remembers what was said and what was agreed, so that the `o=` version rises only when our
//! text changes and a refused offer leaves the former agreement as it was. Names are never resolved here:
//! a description whose address is no IP literal is refused. Video and lines of other profiles than RTP/AVP, RTP/SAVP and
//! those of browsers are answered with port 0 and stay in place in every later description.
//!
//! Once audio is agreed on, T.38 may take its place ([`Fax`]) and give it back: what was agreed on for audio is kept
//! meanwhile. Beside audio that is taken a line of T.38 is refused as any other.
//!
//! Where a session may be SRTP ([`Security`]), keys come with the descriptions (RFC 4568). It has one key of ours for its
//! whole life, for the suite that [`Session::key_due`] names before the first agreement; later descriptions keep profile
//! and suite.
//!
//! A far end may also be a browser ([`Webrtc`], RFC 8829): then keys come by DTLS, and what it must be told of its media
//! node ([`Credentials`]) is said with the address. A session that is not [`Security::Off`] takes its offers; what is
//! offered is a browser's where there are credentials ([`Session::introduce`]). A session stays what it was agreed on.

mod codecs;
mod crypto;
mod encodings;
mod events;
mod fax;
mod formats;
mod keyless;
mod numbers;
mod read;
mod session;
#[cfg(test)]
mod tests;
mod webrtc;
mod write;

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

pub use codecs::{all, g711};
pub use crypto::{Crypto, Key, Ours, Security, Suite};
pub use events::TelephoneEvent;
pub use fax::Fax;
pub use keyless::keyless;
pub use session::Session;
pub use webrtc::{Credentials, Fingerprint, Webrtc};

/// Why a description cannot be used. [`Error::status`] is the SIP answer to whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not SDP at all, or a line breaks the grammar.
    #[error("session description is malformed: {0}")]
    Malformed(String),
    /// No audio line over RTP with a codec that is taken, or the stream was refused (port 0).
    #[error("no audio line over RTP/AVP or RTP/SAVP with a codec that is taken here, offer PCMA or PCMU")]
    NoCommonAudio,
    /// No line of T.38 over UDPTL, or it was refused (port 0), or the stream must stay SRTP.
    #[error("no image line over udptl with t38 that could take the sound's place")]
    NoCommonFax,
    /// The stream must be SRTP, and there is no key for it in a suite that is known here, or for the session's.
    #[error(
        "no usable key for SRTP, offer a=crypto with AES_CM_128_HMAC_SHA1_80 and without master key identifier, or as a \
         browser a=ice-ufrag, a=rtcp-mux and a=fingerprint by sha-256"
    )]
    NoCommonSecurity,
    /// The connection line is missing, is no unicast IP literal, or the port is unusable.
    #[error("connection address {0:?} is not a unicast ip address")]
    Address(String),
    /// An answer where no offer of ours is outstanding, or the other way round.
    #[error("no offer is outstanding")]
    NoOffer,
}

impl Error {
    /// The status of the response that refuses the description: 400, 488, or 500 for a step of our own
    /// out of order.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::NoCommonAudio | Self::NoCommonFax | Self::NoCommonSecurity | Self::Address(_) => 488,
            Self::NoOffer => 500,
        }
    }
}

/// Where our media node listens for one leg's RTP; RTCP is on the next port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaAddress {
    /// The advertised address.
    pub ip: IpAddr,
    /// The RTP port.
    pub port: u16,
}

/// Who sends. In [`Audio`] and in every argument it is seen from **our** side: `RecvOnly` means that we
/// only listen, that is, the far end holds us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Direction {
    /// Both speak.
    SendRecv,
    /// We speak, the far end listens.
    SendOnly,
    /// The far end speaks, we listen.
    RecvOnly,
    /// Nobody speaks.
    Inactive,
}

impl Direction {
    /// Whether our side sends.
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether our side receives.
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    fn new(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    fn reversed(self) -> Self {
        Self::new(self.receives(), self.sends())
    }

    fn within(self, limit: Self) -> Self {
        Self::new(self.sends() && limit.sends(), self.receives() && limit.receives())
    }

    fn attribute(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }
}

/// One audio encoding under its payload type. In a list that says what is offered or taken the number is the one that
/// we prefer, and the last two fields are empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Codec {
    /// RTP payload type, as the far end numbers it: what we send it under.
    pub payload_type: u8,
    /// The name in `rtpmap`, as [`all`] writes it.
    pub name: String,
    /// Clock rate of RTP in Hz.
    pub clock: u32,
    /// Channels in `rtpmap`: 2 for opus, whatever is in it.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub channels: u8,
    /// What the far end says of it (`a=fmtp`), where that can matter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fmtp: String,
    /// What we expect it under, where that is another number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<u8>,
}

fn one() -> u8 {
    1
}

fn is_one(channels: &u8) -> bool {
    *channels == 1
}

impl Codec {
    /// The number under which it comes in.
    pub fn expected(&self) -> u8 {
        self.ours.unwrap_or(self.payload_type)
    }
}

/// What the far end said about its audio, cut down to what both sides can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audio {
    /// Where the far end wants RTP. Unspecified (`0.0.0.0`) when it holds us the old way.
    pub remote: SocketAddr,
    /// Where it wants RTCP if it said so (RFC 3605); otherwise the port after `remote`.
    pub rtcp: Option<SocketAddr>,
    /// Common codecs, preferred first; never empty. Send the first, accept all.
    pub codecs: Vec<Codec>,
    /// Payload type under which RFC 4733 digits at 8000 Hz are sent, if both sides use them. See [`Audio::event`].
    pub telephone_event: Option<u8>,
    /// Digits at other clock rates, and those at 8000 Hz where another number is expected than sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<TelephoneEvent>,
    /// Payload type of comfort noise at 8000 Hz (RFC 3389) both ways, if both sides use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise: Option<u8>,
    /// The far end's key, where the stream is SRTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crypto: Option<Crypto>,
    /// What a browser says of its line. Its address means nothing: it is where it proves to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webrtc: Option<Webrtc>,
    /// Packet length the far end asks for, in milliseconds; 20 unless it said otherwise.
    pub ptime_ms: u8,
    /// Seen from our side: `RecvOnly` and `Inactive` mean that the far end holds us.
    pub direction: Direction,
}

impl Audio {
    /// Leaves only codecs of a list, in the order that they have, and digits at their clocks.
    fn cut_down(&mut self, codecs: &[Codec]) {
        let has = |name: &str| codecs.iter().any(|codec| codec.name == name);
        self.codecs.retain(|codec| has(&codec.name));
        self.noise = self.noise.filter(|_| has(codecs::NOISE));
        let left = &self.codecs;
        self.events.retain(|event| {
            event.clock == codecs::RATE || left.iter().any(|codec| codec.clock == event.clock)
        });
    }
}
