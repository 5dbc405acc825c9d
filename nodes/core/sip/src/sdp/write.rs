//! Writes our description: one audio line in its place, every other line refused with port 0.

use std::net::IpAddr;

use sdp_types::{Connection, Media, MediaType, Origin, TransportProto};

use super::read::Line;
use super::{Codec, Direction, MediaAddress};

/// Everything our next description says, apart from its version.
#[derive(Debug)]
pub(super) struct Text<'a> {
    pub(super) id: u64,
    pub(super) origin: IpAddr,
    pub(super) local: MediaAddress,
    pub(super) direction: Direction,
    pub(super) codecs: &'a [Codec],
    pub(super) telephone_event: Option<u8>,
    /// The lines of the session so far; empty before the first offer.
    pub(super) lines: &'a [Line],
    /// Which of them is our audio.
    pub(super) index: usize,
}

impl Text<'_> {
    /// The description under a version of the `o=` line.
    pub(super) fn render(&self, version: u64) -> String {
        let mut session = sdp_types::Session::new(Origin::with_ip_addr(self.id, version, self.origin), "-");
        session.set_connection(Connection::from_ip_addr(self.local.ip));
        session.add_time(sdp_types::Time::new(0, 0));
        for index in 0..self.lines.len().max(1) {
            session.add_media(match self.lines.get(index) {
                Some(line) if index != self.index => refused(line),
                _ => self.audio(),
            });
        }
        let mut bytes = Vec::new();
        session.write(&mut bytes).expect("writing to memory does not fail");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn audio(&self) -> Media {
        let payloads = self.codecs.iter().map(|codec| codec.payload_type).chain(self.telephone_event);
        let format = payloads.map(|payload| payload.to_string()).collect::<Vec<_>>().join(" ");
        let mut media = Media::new(MediaType::Audio, self.local.port, TransportProto::RtpAvp, format);
        for Codec { payload_type, name, clock } in self.codecs {
            media.add_attribute_with_value("rtpmap", format!("{payload_type} {name}/{clock}"));
        }
        if let Some(payload_type) = self.telephone_event {
            media.add_attribute_with_value("rtpmap", format!("{payload_type} telephone-event/8000"));
            media.add_attribute_with_value("fmtp", format!("{payload_type} 0-16"));
        }
        media.add_attribute_with_value("ptime", "20");
        media.add_attribute_from_str(self.direction.attribute());
        media
    }
}

fn refused(line: &Line) -> Media {
    let mut media = Media::new(MediaType::Audio, 0, TransportProto::RtpAvp, &line.format);
    media.media.clone_from(&line.media);
    media.proto.clone_from(&line.proto);
    media
}
