//! What a far end speaks, as its media node is told. Nothing is said that a node takes for granted, so that endpoints
//! which speak G.711 alone are sent and stored as by earlier builds.

use mangrove_proto::media::{self, Endpoint};
use mangrove_sip::sdp::{Audio, Codec, TelephoneEvent};

use crate::rules::speaks_beyond_g711;

/// Fills in the endpoint's encodings: the first codec is sent, the others may be, and all may come in. Under rules that
/// know G.711 alone the first is all that is said, as by earlier builds.
pub(super) fn describe(audio: &Audio, rules: u32, endpoint: &mut Endpoint) {
    let mut codecs = audio.codecs.iter();
    let first = codecs.next();
    // Who speaks one law is heard in the other too, and gets it translated.
    let has_law = first.is_some_and(|codec| ["PCMA", "PCMU"].contains(&codec.name.as_str()));
    endpoint.codec = first.map(codec);
    let others = codecs.filter(|other| speaks_beyond_g711(rules) && !(has_law && is_fixed_law(other)));
    endpoint.accepts = others.map(codec).collect();
    endpoint.telephone_event = audio.telephone_event.map_or(0, u32::from);
    endpoint.events = audio.events.iter().map(event).collect();
    endpoint.comfort_noise = audio.noise.map(u32::from);
}

fn is_fixed_law(codec: &Codec) -> bool {
    matches!((codec.name.as_str(), codec.expected()), ("PCMA", 8) | ("PCMU", 0))
}

fn codec(codec: &Codec) -> media::Codec {
    media::Codec {
        payload_type: codec.payload_type.into(),
        name: codec.name.clone(),
        clock_rate: codec.clock,
        channels: Some(u32::from(codec.channels)).filter(|channels| *channels != 1),
        fmtp: codec.fmtp.clone(),
        expected: codec.ours.map(u32::from),
    }
}

fn event(event: &TelephoneEvent) -> media::TelephoneEvent {
    media::TelephoneEvent {
        payload_type: event.payload_type.into(),
        clock_rate: event.clock,
        expected: event.ours.map(u32::from),
    }
}

#[cfg(test)]
mod tests {
    use mangrove_sip::sdp::{Direction, MediaAddress, Session, all, g711};

    use super::*;
    use crate::rules::NEWEST;

    fn sdp(media: &str) -> Vec<u8> {
        format!("v=0\r\no=- 1 1 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\n{media}")
            .into_bytes()
    }

    fn described(audio: &Audio) -> Endpoint {
        let mut endpoint = Endpoint::default();
        describe(audio, NEWEST, &mut endpoint);
        endpoint
    }

    /// What the far end offers.
    fn offered(media: &str, taken: &[Codec]) -> Endpoint {
        described(&Session::new(1).receive_offer(&sdp(media), taken).unwrap())
    }

    /// What it answers to our offer.
    fn answered(media: &str, offered: &[Codec]) -> Endpoint {
        let mut session = Session::new(1);
        let local = MediaAddress { ip: [198, 51, 100, 1].into(), port: 20_000 };
        session.offer(local, offered, Direction::SendRecv);
        described(&session.receive_answer(&sdp(media)).unwrap())
    }

    fn plain(payload_type: u32, name: &str) -> media::Codec {
        media::Codec { payload_type, name: name.into(), clock_rate: 8_000, ..Default::default() }
    }

    const RICH: &str = "m=audio 4000 RTP/AVP 111 9 0 8 13 110 126\r\na=rtpmap:111 opus/48000/2\r\n\
        a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:110 telephone-event/48000\r\n\
        a=rtpmap:126 telephone-event/8000\r\n";

    #[test]
    fn of_g711_nothing_is_said_that_was_not_said_before() {
        let expected = Endpoint { codec: Some(plain(0, "PCMU")), telephone_event: 126, ..Default::default() };
        assert_eq!(offered(RICH, &g711()), expected);
    }

    #[test]
    fn of_g711_nothing_is_stored_that_earlier_builds_do_not_store() {
        let endpoint = offered(RICH, &g711());
        let stored = serde_json::to_value(&endpoint).unwrap();
        let is_new = |field: &str| stored.get(field).is_some() || stored["codec"].get(field).is_some();
        for field in ["events", "accepts", "comfort_noise", "channels", "fmtp", "expected"] {
            assert!(!is_new(field), "{field}: {stored}");
        }
        assert_eq!(serde_json::from_value::<Endpoint>(stored).unwrap(), endpoint);
    }

    #[test]
    fn under_the_first_rules_a_law_under_another_number_goes_without_saying() {
        let media = "m=audio 4000 RTP/AVP 97 98\r\na=rtpmap:97 PCMU/8000\r\na=rtpmap:98 PCMA/8000\r\n";
        let audio = Session::new(1).receive_offer(&sdp(media), &g711()).unwrap();
        for (rules, accepts) in [(0, vec![]), (1, vec![plain(98, "PCMA")])] {
            let mut endpoint = Endpoint::default();
            describe(&audio, rules, &mut endpoint);
            assert_eq!(
                (endpoint.codec, endpoint.accepts),
                (Some(plain(97, "PCMU")), accepts),
                "rules {rules}"
            );
        }
    }

    #[test]
    fn of_everything_all_is_said() {
        let endpoint = offered(RICH, &all());
        let opus = media::Codec {
            payload_type: 111,
            name: "opus".into(),
            clock_rate: 48_000,
            channels: Some(2),
            fmtp: "minptime=10;useinbandfec=1".into(),
            expected: None,
        };
        assert_eq!(endpoint.codec, Some(opus));
        assert_eq!(endpoint.accepts, [plain(9, "G722"), plain(0, "PCMU"), plain(8, "PCMA")]);
        let wide = media::TelephoneEvent { payload_type: 110, clock_rate: 48_000, expected: None };
        assert_eq!((endpoint.telephone_event, endpoint.events), (126, vec![wide]));
        assert_eq!(endpoint.comfort_noise, Some(13));
    }

    #[test]
    fn numbers_that_differ_by_direction_are_both_said() {
        let media = "m=audio 4000 RTP/AVP 97 98 102\r\na=rtpmap:97 PCMU/8000\r\na=rtpmap:98 PCMA/8000\r\n\
            a=rtpmap:102 telephone-event/8000\r\n";
        let endpoint = answered(media, &all());
        assert_eq!(endpoint.codec, Some(media::Codec { expected: Some(0), ..plain(97, "PCMU") }));
        assert_eq!(endpoint.accepts, [], "PCMA comes in under 8, which needs no word");
        let events = media::TelephoneEvent { payload_type: 102, clock_rate: 8_000, expected: Some(101) };
        assert_eq!((endpoint.telephone_event, endpoint.events), (102, vec![events]));
        let endpoint = offered(media, &g711());
        assert_eq!((endpoint.codec, endpoint.accepts), (Some(plain(97, "PCMU")), vec![plain(98, "PCMA")]));
        assert_eq!((endpoint.telephone_event, endpoint.events), (102, vec![]));
    }
}
