//! What browsers say beside their codecs (RFC 8829): credentials of ICE (RFC 8839), the fingerprint of a certificate
//! (RFC 8122), and that all goes over one socket (RFC 5761, RFC 8843). We are ICE's lite side and the server of DTLS: the
//! far end's candidates and credentials mean nothing to us, for it is always the one who asks.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use sdp_types::{Media, Session as Text};
use serde::{Deserialize, Serialize};

use super::MediaAddress;

/// What our offers say. Browsers say the same.
pub(super) const PROFILE: &str = "UDP/TLS/RTP/SAVPF";
/// The same without feedback, which we send none of.
const PLAINER: &str = "UDP/TLS/RTP/SAVP";
/// The name of our line, where the far end gives it none.
const MID: &str = "0";
/// A name of a line is kept up to this length.
const MAX_MID: usize = 64;
/// Bytes of SHA-256.
const DIGEST: usize = 32;
/// How a fingerprint by it begins.
const SHA_256: &str = "sha-256";
/// Of a host candidate of one component, alone (RFC 8445 section 5.1.2.1).
const PRIORITY: u32 = (126 << 24) | (65_535 << 8) | 255;

/// The SHA-256 of a certificate.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(Bytes);

impl Fingerprint {
    /// None when it has another length.
    pub fn new(digest: Bytes) -> Option<Self> {
        (digest.len() == DIGEST).then_some(Self(digest))
    }

    /// Its 32 bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// `sha-256 4A:AD:…`.
    fn read(value: &str) -> Option<Self> {
        let (function, digits) = value.trim().split_once(' ')?;
        if !function.eq_ignore_ascii_case(SHA_256) {
            return None;
        }
        let bytes = digits.trim().split(':').map(|byte| u8::from_str_radix(byte, 16).ok());
        Self::new(bytes.collect::<Option<Vec<u8>>>()?.into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHA_256)?;
        self.0
            .iter()
            .enumerate()
            .try_for_each(|(index, byte)| write!(f, "{}{byte:02X}", if index == 0 { ' ' } else { ':' }))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// What a browser is told of the media node that it talks to. `Debug` leaves the password out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Names the stream in each of its questions.
    pub ufrag: String,
    /// Proves them.
    pub pwd: String,
    /// Of the media node's certificate.
    pub fingerprint: Fingerprint,
}

impl Credentials {
    /// None where one of them is none (RFC 8839 section 5.4).
    pub fn new(ufrag: &str, pwd: &str, fingerprint: Bytes) -> Option<Self> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
        let is_word = |text: &str| text.bytes().all(is_letter);
        let are_good = (4..=256).contains(&ufrag.len()) && (22..=256).contains(&pwd.len());
        let fingerprint = Fingerprint::new(fingerprint)?;
        let credentials = Self { ufrag: ufrag.to_owned(), pwd: pwd.to_owned(), fingerprint };
        (are_good && is_word(ufrag) && is_word(pwd)).then_some(credentials)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("ufrag", &self.ufrag)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

/// What a far end that is a browser says of its line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webrtc {
    /// Of the certificate that it will show.
    pub fingerprint: Fingerprint,
    /// The line's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mid: Option<String>,
    /// Whether it names the line as one of those that share a socket.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_bundled: bool,
}

/// Whether a line's profile is a browser's.
pub(super) fn is_profile(proto: &str) -> bool {
    proto.eq_ignore_ascii_case(PROFILE) || proto.eq_ignore_ascii_case(PLAINER)
}

/// Which of the two it is answered with.
pub(super) fn profile(proto: &str) -> &'static str {
    if proto.eq_ignore_ascii_case(PLAINER) { PLAINER } else { PROFILE }
}

/// A line's name, as far as it is one.
pub(super) fn mid(media: &Media) -> Option<String> {
    let mid = media.get_first_attribute_value("mid").flatten().map(str::trim);
    mid.filter(|mid| !mid.is_empty() && mid.len() <= MAX_MID && !mid.contains(' ')).map(str::to_owned)
}

impl Webrtc {
    /// None where a line lacks what we can't do without: ICE, a fingerprint by SHA-256, RTCP beside RTP, and a far end
    /// that may be the client.
    pub(super) fn read(session: &Text, media: &Media) -> Option<Self> {
        let said = |name: &'static str| {
            let here = media.get_first_attribute_value(name);
            here.or_else(|| session.get_first_attribute_value(name)).flatten()
        };
        let is_passive = said("setup").is_some_and(|role| role.trim().eq_ignore_ascii_case("passive"));
        if is_passive || said("ice-ufrag").is_none() || !media.has_attribute("rtcp-mux") {
            return None;
        }
        let prints = media.get_attribute_values("fingerprint");
        let mut prints = prints.chain(session.get_attribute_values("fingerprint")).flatten();
        let mid = mid(media);
        let is_bundled = mid.as_deref().is_some_and(|mid| bundles(session, mid));
        Some(Self { fingerprint: prints.find_map(Fingerprint::read)?, mid, is_bundled })
    }
}

/// Whether a session has this line share its socket with others, or alone in the first place.
fn bundles(session: &Text, mid: &str) -> bool {
    let groups = session.get_attribute_values("group").flatten();
    let mut bundles = groups.filter_map(|group| group.strip_prefix("BUNDLE "));
    bundles.any(|group| group.split_whitespace().any(|one| one == mid))
}

/// What our next description says of a browser's line.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) ours: Arc<Credentials>,
    pub(super) profile: &'static str,
    pub(super) mid: Option<String>,
    pub(super) is_bundled: bool,
    /// An answer says who is the client; an offer leaves that to the far end (RFC 8842 section 5.2).
    pub(super) is_answer: bool,
}

impl Said {
    /// What is agreed is said again; without an agreement the line is named by us.
    pub(super) fn offer(ours: Arc<Credentials>, agreed: Option<&Webrtc>) -> Self {
        let (mid, is_bundled) = match agreed {
            Some(agreed) => (agreed.mid.clone(), agreed.is_bundled),
            None => (Some(MID.to_owned()), true),
        };
        Self { ours, profile: PROFILE, mid, is_bundled, is_answer: false }
    }

    /// The lines above all media.
    pub(super) fn head(&self, session: &mut Text) {
        if let Some(mid) = self.mid.as_deref().filter(|_| self.is_bundled) {
            session.add_attribute_with_value("group", format!("BUNDLE {mid}"));
        }
        session.add_attribute_from_str("ice-lite");
        session.add_attribute_with_value("msid-semantic", "WMS *");
    }

    /// The lines of our audio.
    pub(super) fn line(&self, local: MediaAddress, media: &mut Media) {
        let Credentials { ufrag, pwd, fingerprint } = &*self.ours;
        self.profile.clone_into(&mut media.proto);
        if let Some(mid) = &self.mid {
            media.add_attribute_with_value("mid", mid);
        }
        media.add_attribute_with_value("msid", "mangrove audio");
        media.add_attribute_from_str("rtcp-mux");
        media.add_attribute_with_value("ice-ufrag", ufrag);
        media.add_attribute_with_value("ice-pwd", pwd);
        media.add_attribute_with_value("fingerprint", fingerprint);
        media.add_attribute_with_value("setup", if self.is_answer { "passive" } else { "actpass" });
        let MediaAddress { ip, port } = local;
        media.add_attribute_with_value("candidate", format!("1 1 udp {PRIORITY} {ip} {port} typ host"));
        media.add_attribute_from_str("end-of-candidates");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: &str = "sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:\
        10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F";

    #[test]
    fn fingerprints_are_read_and_written() {
        let read = Fingerprint::read(&DIGITS.replace("sha", "SHA").replace("0A", "0a")).unwrap();
        assert_eq!(read.bytes()[..], (0..32).collect::<Vec<u8>>()[..]);
        assert_eq!(read.to_string(), DIGITS);
        let others = [DIGITS.replace("1F", "1G"), format!("{DIGITS}:20"), DIGITS.replace("256", "1")];
        for wrong in ["", "sha-256", "sha-256 00:01"].map(str::to_owned).iter().chain(&others) {
            assert_eq!(Fingerprint::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn credentials_are_words_that_cannot_be_guessed_and_are_shown_to_nobody() {
        let digest = || Bytes::from(vec![7_u8; 32]);
        let pwd = "VOkJxbRl1RmTxUk/WvJxBt";
        let good = Credentials::new("evtj", pwd, digest()).unwrap();
        let shown = format!("{good:?}");
        assert!(shown.contains("evtj") && !shown.contains(pwd), "{shown}");
        for (ufrag, pwd, digest) in [
            ("evt", pwd, digest()),
            ("evtj", &pwd[1..], digest()),
            ("ev\r\n", pwd, digest()),
            ("evtj", "VOkJxbRl1RmTxUk WvJxBt", digest()),
            ("evtj", pwd, Bytes::from(vec![7_u8; 31])),
        ] {
            assert_eq!(Credentials::new(ufrag, pwd, digest), None);
        }
    }
}
