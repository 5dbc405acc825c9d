//! Writes our description: one line of audio, or of T.38, in its place, every other line refused with port 0.

use std::{net::IpAddr, sync::Arc};

use sdp_types::{Connection, Media, MediaType, Origin, TransportProto};

use super::codecs::{self, TELEPHONE_EVENT};
use super::fax;
use super::formats::Formats;
use super::read::Line;
use super::webrtc;
use super::{Codec, Direction, MediaAddress, Ours, TelephoneEvent};

/// Everything our next description says, apart from its version.
#[derive(Debug)]
pub(super) struct Text<'a> {
    pub(super) id: u64,
    pub(super) origin: IpAddr,
    pub(super) local: MediaAddress,
    pub(super) direction: Direction,
    pub(super) stream: Stream<'a>,
    /// The lines of the session so far; empty before the first offer.
    pub(super) lines: &'a [Line],
    /// Which of them is our stream.
    pub(super) index: usize,
}

/// What our line says beside address and direction.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream<'a> {
    Audio {
        formats: &'a Formats,
        secret: Option<&'a Secret>,
        /// Where the far end is a browser.
        browser: Option<&'a webrtc::Said>,
    },
    /// T.38 with these attributes.
    Fax(&'a [String]),
}

/// How our audio is SRTP.
#[derive(Debug)]
pub(super) struct Secret {
    pub(super) ours: Arc<Ours>,
    /// The tag of our line: the far end's, if it answers one.
    pub(super) tag: u32,
    /// Whether its profile says so, too.
    pub(super) is_savp: bool,
}

impl Text<'_> {
    /// The description under a version of the `o=` line.
    pub(super) fn render(&self, version: u64) -> String {
        let mut session = sdp_types::Session::new(Origin::with_ip_addr(self.id, version, self.origin), "-");
        session.set_connection(Connection::from_ip_addr(self.local.ip));
        session.add_time(sdp_types::Time::new(0, 0));
        if let Stream::Audio { browser: Some(browser), .. } = self.stream {
            browser.head(&mut session);
        }
        for index in 0..self.lines.len().max(1) {
            session.add_media(match self.lines.get(index) {
                Some(line) if index != self.index => refused(line),
                _ => self.stream(),
            });
        }
        let mut bytes = Vec::new();
        session.write(&mut bytes).expect("writing to memory does not fail");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn stream(&self) -> Media {
        match self.stream {
            Stream::Audio { formats, secret, browser } => self.audio(formats, secret, browser),
            Stream::Fax(terms) => fax::media(self.local.port, terms, self.direction),
        }
    }

    fn audio(&self, formats: &Formats, secret: Option<&Secret>, browser: Option<&webrtc::Said>) -> Media {
        let format = formats.numbers().map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
        let profile = match secret {
            Some(Secret { is_savp: true, .. }) => TransportProto::RtpSavp,
            _ => TransportProto::RtpAvp,
        };
        let mut media = Media::new(MediaType::Audio, self.local.port, profile, format);
        formats.codecs.iter().for_each(|codec| describe(codec, &mut media));
        for TelephoneEvent { payload_type, clock, .. } in &formats.events {
            let encoding = format!("{payload_type} {TELEPHONE_EVENT}/{clock}");
            media.add_attribute_with_value("rtpmap", encoding);
            media.add_attribute_with_value("fmtp", format!("{payload_type} 0-16"));
        }
        media.add_attribute_with_value("ptime", "20");
        if let Some(Secret { ours, tag, .. }) = secret {
            media.add_attribute_with_value("crypto", ours.line(*tag));
        }
        if let Some(browser) = browser {
            browser.line(self.local, &mut media);
        }
        media.add_attribute_from_str(self.direction.attribute());
        media
    }
}

/// A codec's `rtpmap`, and what we say of ourselves.
fn describe(codec: &Codec, media: &mut Media) {
    let Codec { payload_type, name, clock, channels, .. } = codec;
    let channels = if *channels == 1 { String::new() } else { format!("/{channels}") };
    media.add_attribute_with_value("rtpmap", format!("{payload_type} {name}/{clock}{channels}"));
    let fmtp = codecs::fmtp(name);
    if !fmtp.is_empty() {
        media.add_attribute_with_value("fmtp", format!("{payload_type} {fmtp}"));
    }
}

fn refused(line: &Line) -> Media {
    let mut media = Media::new(MediaType::Audio, 0, TransportProto::RtpAvp, &line.format);
    media.media.clone_from(&line.media);
    media.proto.clone_from(&line.proto);
    if let Some(mid) = &line.mid {
        media.add_attribute_with_value("mid", mid);
    }
    media
}
