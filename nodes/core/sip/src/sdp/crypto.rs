//! Keys of SRTP in a description (`a=crypto`, RFC 4568): which suites are known, how a line is read, and what is wanted
//! of a session. No key is made here: ours come from outside, and are shown to nobody but the far end.

use std::fmt;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use bytes::Bytes;
use sdp_types::Media;
use serde::{Deserialize, Serialize};

/// So many lines of a far end are looked at; nobody knows as many suites.
const MAX_LINES: usize = 32;
/// The way to exchange keys that there is.
const INLINE: &str = "inline:";
/// Keys have no padding in most suites; in the others some leave it out.
static BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether a session's sound is SRTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Security {
    /// No: keys are not looked at, RTP/SAVP is refused.
    #[default]
    Off,
    /// If the far end offers it. What we offer is plain.
    Accept,
    /// The same, and what we offer is RTP/AVP with a key, which the far end may pass over (RFC 8643).
    Prefer,
    /// Yes: we offer RTP/SAVP, and what brings no key is refused.
    Require,
}

impl Security {
    /// Whether what we offer has a key.
    pub fn offers(self) -> bool {
        matches!(self, Self::Prefer | Self::Require)
    }

    /// Whether it is plain for good; what is not written.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's way to ask")]
    pub fn is_off(&self) -> bool {
        *self == Self::Off
    }
}

/// How packets are encrypted and authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Suite {
    /// `AES_CM_128_HMAC_SHA1_80`.
    Cm80,
    /// `AES_CM_128_HMAC_SHA1_32`.
    Cm32,
    /// `AEAD_AES_128_GCM`.
    Gcm128,
    /// `AEAD_AES_256_GCM`.
    Gcm256,
}

impl Suite {
    /// All that are taken.
    pub const ALL: [Self; 4] = [Self::Cm80, Self::Cm32, Self::Gcm128, Self::Gcm256];
    /// The one that we offer: whoever has SDES must have it (RFC 4568 section 6.2.1), and an INVITE over UDP has little
    /// room.
    pub const OFFERED: Self = Self::Cm80;

    /// Its name in descriptions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cm80 => "AES_CM_128_HMAC_SHA1_80",
            Self::Cm32 => "AES_CM_128_HMAC_SHA1_32",
            Self::Gcm128 => "AEAD_AES_128_GCM",
            Self::Gcm256 => "AEAD_AES_256_GCM",
        }
    }

    /// Bytes of a master key with its salt.
    pub fn key_length(self) -> usize {
        match self {
            Self::Cm80 | Self::Cm32 => 30,
            Self::Gcm128 => 28,
            Self::Gcm256 => 44,
        }
    }

    /// Names are taken in any case: they are tokens of SDP, which some far ends write as they like.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name().eq_ignore_ascii_case(name))
    }
}

/// A master key with its salt behind it. `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key(Bytes);

impl Key {
    /// Its bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// Our key: what we send is encrypted with it. A session has one for its whole life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ours {
    /// What it is for.
    pub suite: Suite,
    /// Of the suite's length.
    pub key: Key,
}

impl Ours {
    /// None when it has another length than the suite's.
    pub fn new(suite: Suite, key: Bytes) -> Option<Self> {
        (key.len() == suite.key_length()).then_some(Self { suite, key: Key(key) })
    }

    /// The value of our line under a tag.
    pub(super) fn line(&self, tag: u32) -> String {
        format!("{tag} {} {INLINE}{}", self.suite.name(), BASE64.encode(&self.key.0))
    }
}

/// The far end's key, and the line that it came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crypto {
    /// Names the line; an answer repeats it.
    pub tag: u32,
    /// Of both directions.
    pub suite: Suite,
    /// What the far end sends is encrypted with it.
    pub key: Key,
}

impl Crypto {
    /// The first line of these suites that can be taken.
    pub(super) fn first(media: &Media, suites: &[Suite]) -> Option<Self> {
        let lines = media.get_attribute_values("crypto").flatten().take(MAX_LINES);
        lines.filter_map(Self::read).find(|line| suites.contains(&line.suite))
    }

    /// `<tag> <suite> inline:<key>[|<lifetime>] [<parameter> ...]`.
    fn read(value: &str) -> Option<Self> {
        let mut words = value.split_whitespace();
        let tag = words.next()?.parse().ok()?;
        let suite = Suite::named(words.next()?)?;
        let key = inline(words.next()?).filter(|key| key.len() == suite.key_length())?;
        words.all(is_harmless).then_some(Self { tag, suite, key: Key(key) })
    }
}

/// One key without a master key identifier: with one, every packet would carry it, and there could be several keys. A
/// lifetime is no limit to us: it is longer than a call.
fn inline(text: &str) -> Option<Bytes> {
    let (method, rest) = text.split_at_checked(INLINE.len())?;
    let mut parts = rest.split('|');
    let key = parts.next()?;
    let has_identifier = parts.any(|part| part.contains(':'));
    let is_one = method.eq_ignore_ascii_case(INLINE) && !rest.contains(';') && !has_identifier;
    BASE64.decode(key).ok().filter(|_| is_one).map(Bytes::from)
}

/// A session parameter that needs nothing of us: a hint for the replay window, or one that may be passed over (RFC 4568
/// section 6.3).
fn is_harmless(parameter: &str) -> bool {
    parameter.starts_with('-') || parameter.starts_with("WSH=")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj";

    #[test]
    fn lines_are_read_as_far_ends_write_them() {
        let wide = "A".repeat(59);
        for (line, expected) in [
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}"), Some((1, Suite::Cm80))),
            (format!("2 aes_cm_128_hmac_sha1_32 INLINE:{KEY}|2^20"), Some((2, Suite::Cm32))),
            (
                format!("3 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2147483648 WSH=64 -X=1"),
                Some((3, Suite::Cm80)),
            ),
            (format!("4 AEAD_AES_256_GCM inline:{wide}="), Some((4, Suite::Gcm256))),
            (format!("5 AEAD_AES_256_GCM inline:{wide}"), Some((5, Suite::Gcm256))),
            (format!("6 AEAD_AES_128_GCM inline:{KEY}"), None),
            (format!("7 F8_128_HMAC_SHA1_80 inline:{KEY}"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^20|1:4"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|1:4"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY};inline:{KEY}"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} UNENCRYPTED_SRTP"), None),
            (format!("1 AES_CM_128_HMAC_SHA1_80 inline:{KEY} KDR=1"), None),
            (format!("x AES_CM_128_HMAC_SHA1_80 inline:{KEY}"), None),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:???".to_owned(), None),
            ("1 AES_CM_128_HMAC_SHA1_80".to_owned(), None),
            (String::new(), None),
        ] {
            let read = Crypto::read(&line);
            assert_eq!(read.map(|read| (read.tag, read.suite)), expected, "{line}");
        }
    }

    #[test]
    fn our_line_is_read_back_and_shown_to_nobody() {
        for suite in Suite::ALL {
            assert_eq!(Ours::new(suite, vec![7_u8; suite.key_length() + 1].into()), None);
            let ours = Ours::new(suite, vec![7_u8; suite.key_length()].into()).unwrap();
            let read = Crypto::read(&ours.line(9)).unwrap();
            assert_eq!((read.tag, read.suite, &read.key), (9, suite, &ours.key));
            let shown = format!("{ours:?} {read:?}");
            assert!(!shown.contains('7') && shown.contains("Key(…)"), "{shown}");
        }
    }
}
