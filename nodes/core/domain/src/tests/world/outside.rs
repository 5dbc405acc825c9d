//! What hears the effects, and what it does about them by itself.

use bytes::Bytes;
use mangrove_proto::{
    edge::{self, edge_command::Op},
    id::CallId,
    media::{self, media_event::Fact},
};
use mangrove_sip::Message;

use super::{Pending, World, phone_address, tenant_id};
use crate::tests::far_end::{FarEnd, browser_sdp, image, is_fax, sdp, secret};

/// Where far ends send their sound, at a media node.
fn address_of(node: &str) -> &'static str {
    if node == "m1" { "10.0.0.2" } else { "10.0.0.3" }
}

/// The key that a node makes where it is told to: other nodes make others.
fn made_key(node: &str, endpoint: &media::Endpoint) -> Bytes {
    let is_asked = endpoint.srtp.as_ref().is_some_and(|srtp| srtp.ours.is_empty());
    let byte = node.bytes().last().unwrap_or_default();
    if is_asked { vec![byte; 30].into() } else { Bytes::new() }
}

/// What a node says of itself to a browser: other nodes say other words.
fn made_words(node: &str, endpoint: &media::Endpoint) -> Option<media::Webrtc> {
    let webrtc = endpoint.webrtc.as_ref()?;
    let byte = node.bytes().last().unwrap_or_default();
    let fingerprint = Bytes::from(vec![byte; 32]);
    if !webrtc.ufrag.is_empty() && (webrtc.fingerprint == fingerprint || endpoint.srtp.is_some()) {
        return Some(webrtc.clone());
    }
    let pwd = format!("{node}-password-of-22-characters").replace('-', "+");
    Some(media::Webrtc { ufrag: format!("{node}ufrag"), pwd, fingerprint, ..Default::default() })
}

/// What the node says of a pause that it did not know before.
fn paused(before: &media::SetSession, now: &media::SetSession) -> Option<media::RecordingPaused> {
    let pause = |set: &media::SetSession| {
        let recording = set.recording.as_ref()?;
        Some((recording.id.clone(), recording.pause?))
    };
    let (recording, pause) = pause(now).filter(|new| pause(before).as_ref() != Some(new))?;
    Some(media::RecordingPaused { recording, pause })
}

impl World {
    pub(super) fn media_hears(&mut self, node: String, command: media::MediaCommand) {
        let set = command.set.expect("a session");
        let call: CallId = set.session.parse().expect("a call's session");
        let known = self.state.tenant(&tenant_id()).and_then(|tenant| tenant.call(call));
        if known.is_none_or(|call| call.media.node == node) {
            self.sessions.insert(call, set.clone());
        }
        let before = self.held.insert((node.clone(), call), set.clone());
        if before.as_ref().is_some_and(|before| before.version == set.version) {
            return;
        }
        assert!(
            before.as_ref().is_none_or(|before| before.version < set.version),
            "{node}: {before:?} {set:?}"
        );
        let before = before.unwrap_or_default();
        let paused = (!set.close).then(|| self::paused(&before, &set)).flatten();
        self.closed(&node, call, before, &set);
        if set.close {
            return;
        }
        if let Some(paused) = paused {
            self.pending.push(Pending::Media(node.clone(), call, Fact::RecordingPaused(paused)));
        }
        let mut addresses = Vec::new();
        for endpoint in &set.endpoints {
            let next = 20_000 + 2 * self.ports.len() as u16;
            let port = *self.ports.entry(endpoint.id.clone()).or_insert(next);
            addresses.push(media::EndpointAddress {
                endpoint: endpoint.id.clone(),
                address: format!("{}:{port}", address_of(&node)),
                key: made_key(&node, endpoint),
                webrtc: made_words(&node, endpoint),
            });
        }
        let ready = media::Ready { version: set.version, addresses };
        self.pending.push(Pending::Media(node, call, Fact::Ready(ready)));
    }

    /// What the media node tells of endpoints and recordings that are gone.
    fn closed(&mut self, node: &str, call: CallId, before: media::SetSession, now: &media::SetSession) {
        for endpoint in before.endpoints {
            if !now.endpoints.iter().any(|kept| kept.id == endpoint.id) {
                let counters =
                    media::Counters { endpoint: endpoint.id, packets_received: 7, ..Default::default() };
                self.pending.push(Pending::Media(node.to_owned(), call, Fact::Counters(counters)));
            }
        }
        let ends = (now.close || now.recording.is_none()) && !now.goes_on;
        if let Some(recording) = before.recording.filter(|_| ends) {
            let finished = media::RecordingFinished {
                recording: recording.id,
                object: recording.object,
                duration_ms: 1,
                opus: recording.opus,
                mixed: recording.mixed,
                ..Default::default()
            };
            self.pending.push(Pending::Media(node.to_owned(), call, Fact::RecordingFinished(finished)));
        }
    }

    pub(super) fn edge_hears(&mut self, command: edge::EdgeCommand) {
        let (bytes, branch) = match command.op.expect("an operation") {
            Op::Request(request) => (request.message, request.branch),
            Op::Response(response) => (response.message, String::new()),
        };
        let mut message = Message::parse(&bytes).expect("what we send can be read");
        if message.is_request() {
            // The edge's part.
            message.push_front("Via", format!("SIP/2.0/UDP 10.0.0.1:5060;branch={branch}"));
        }
        let call_id = message.call_id().unwrap_or_default().to_owned();
        let known = self.ends.iter().position(|end| end.call_id == call_id);
        let Some(index) = known else {
            if message.is_request() && message.method().as_str() == "INVITE" {
                self.ring(message, &command.leg, &branch);
            }
            return;
        };
        if self.ends[index].leg.is_empty() {
            self.ends[index].leg.clone_from(&command.leg);
        }
        assert!(message.is_response() || branch.contains(&command.leg), "branch {branch} names its leg");
        self.ends[index].hear(message.clone());
        self.react(index, &message);
    }

    fn ring(&mut self, invite: Message, leg: &str, branch: &str) {
        let user = invite.request_uri().ok().and_then(|uri| uri.user).unwrap_or_default();
        let end = FarEnd::called(invite, (leg, branch), &phone_address(&user), self.ends.len() as u32);
        self.ends.push(end);
        let index = self.ends.len() - 1;
        let invite = self.ends[index].invite.clone();
        let ringing = self.ends[index].reply(&invite, 180, "");
        self.pending.push(Pending::Sip(index, ringing));
    }

    /// What a phone does without being asked.
    fn react(&mut self, index: usize, message: &Message) {
        let method = message.method();
        let end = &mut self.ends[index];
        let answer = match (message.status(), method.as_str()) {
            (None, "CANCEL") if end.answered.is_none() => {
                end.answered = Some(487);
                let (done, gone) = (end.reply(message, 200, ""), end.reply(&end.invite.clone(), 487, ""));
                self.pending.push(Pending::Sip(index, done));
                gone
            }
            (None, "BYE" | "NOTIFY" | "CANCEL" | "UPDATE") => end.reply(message, 200, ""),
            (None, "INVITE") if is_fax(message) => match end.fax {
                0 => return,
                200 => end.reply(message, 200, &image(5_200, "T38FaxVersion:3", 9)),
                refusal => end.reply(message, refusal, ""),
            },
            (None, "INVITE") if end.answered.is_some() || end.calls => {
                let plain = sdp(4100, "sendrecv", 9);
                let offer = String::from_utf8_lossy(message.body());
                let answer = if offer.contains("a=crypto") {
                    secret(&plain)
                } else if offer.contains("a=ice-ufrag") {
                    browser_sdp("sendrecv", "active", 9)
                } else {
                    plain
                };
                end.reply(message, 200, &answer)
            }
            (Some(200), "INVITE") if end.calls => end.ack(),
            _ => return,
        };
        self.pending.push(Pending::Sip(index, answer));
    }
}
