//! From the contract's words to a thread's plan: addresses and codecs are read here, so that threads get nothing that
//! can be wrong. What time it is comes in from outside.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use mangrove_proto::media::{self, Play, SetSession, endpoint::Hears};
use mangrove_rtp::{
    FRAME_US, RATE,
    encoding::Encoding,
    prompt::{Playout, Prompt},
    srtp::Suite,
};

use crate::thread::{BrowserPlan, Codec, EndpointPlan, Event, Formats, HearsPlan, Keys};

/// How much later one may hear oneself.
const LONGEST_ECHO_MS: u32 = 2_000;
/// Bytes of SHA-256.
const FINGERPRINT: usize = 32;

/// Sounds by key.
pub(crate) type Sounds = BTreeMap<String, Arc<Prompt>>;

/// The keys of all sounds that the session plays.
pub(crate) fn keys(set: &SetSession) -> BTreeSet<&str> {
    plays(set).flat_map(|play| &play.prompts).map(String::as_str).collect()
}

/// Whether what the session plays can be: of a list that repeats one piece is enough, of any other none may be missing, for
/// a sentence without one of its fragments says something else.
pub(super) fn is_heard(set: &SetSession, sounds: &Sounds) -> bool {
    let is_there = |key: &String| sounds.contains_key(key);
    plays(set).all(|play| match play.repeat {
        true => play.prompts.is_empty() || play.prompts.iter().any(is_there),
        false => play.prompts.iter().all(is_there),
    })
}

fn plays(set: &SetSession) -> impl Iterator<Item = &Play> {
    set.endpoints.iter().filter_map(|endpoint| match &endpoint.hears {
        Some(Hears::Play(play)) => Some(play),
        _ => None,
    })
}

/// All sounds that the session plays, if each is at hand.
pub(crate) fn sounds(set: &SetSession, at_hand: impl Fn(&str) -> Option<Arc<Prompt>>) -> Option<Sounds> {
    keys(set).into_iter().map(|key| Some((key.to_owned(), at_hand(key)?))).collect()
}

/// The session as it is while its sounds are still being read: silence in their place.
pub(super) fn without_sounds(set: &SetSession) -> SetSession {
    let mut set = set.clone();
    for endpoint in &mut set.endpoints {
        if matches!(endpoint.hears, Some(Hears::Play(_))) {
            endpoint.hears = None;
        }
    }
    set
}

/// The session as it is while another node still carries it: nobody plays, mixes or records twice.
pub(super) fn relay_only(set: &SetSession) -> SetSession {
    let mut set = SetSession { recording: None, left: Vec::new(), ..without_sounds(set) };
    for endpoint in &mut set.endpoints {
        endpoint.hears = endpoint.hears.take().filter(|hears| matches!(hears, Hears::Peer(_)));
    }
    set
}

/// One plan per endpoint, in order, without sockets, as of so many microseconds since 1970. The error says what can't be
/// done.
pub(super) fn endpoints(
    set: &SetSession,
    sounds: &Sounds,
    unix_us: u64,
) -> Result<Vec<EndpointPlan>, String> {
    let mut ids = BTreeSet::new();
    for endpoint in &set.endpoints {
        if !ids.insert(&endpoint.id) {
            return Err(format!("endpoint `{}` is named twice", endpoint.id));
        }
    }
    set.endpoints.iter().map(|endpoint| plan(endpoint, sounds, unix_us)).collect()
}

fn plan(endpoint: &media::Endpoint, sounds: &Sounds, unix_us: u64) -> Result<EndpointPlan, String> {
    Ok(EndpointPlan {
        id: endpoint.id.as_str().into(),
        sockets: None,
        remote: remote(&endpoint.remote)?,
        signalled: signalled(&endpoint.signalled_from)?,
        latched: endpoint.latched.parse().ok(),
        keys: endpoint.srtp.as_ref().map(srtp).transpose()?,
        browser: endpoint.webrtc.as_ref().map(browser).transpose()?,
        formats: if endpoint.udptl { Formats::default() } else { formats(endpoint)? },
        udptl: endpoint.udptl,
        codes: endpoint.codes.clone(),
        secret: endpoint.secret,
        send: endpoint.send,
        receive: endpoint.receive,
        hears: hears(endpoint.hears.as_ref(), sounds, unix_us),
    })
}

fn remote(text: &str) -> Result<Option<SocketAddr>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let address: SocketAddr =
        text.parse().map_err(|_| format!("remote `{text}` is no address: use IP:port"))?;
    // 0.0.0.0 is the old way to say "hold" (RFC 3264 section 8.4), port 0 that there is no stream.
    Ok((!address.ip().is_unspecified() && address.port() != 0).then_some(address))
}

fn signalled(text: &str) -> Result<Option<IpAddr>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let ip = text.parse().or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    ip.map(Some).map_err(|_| format!("signalling source `{text}` is no IP"))
}

/// Ours is empty where it is to be made.
fn srtp(srtp: &media::Srtp) -> Result<Keys, String> {
    let suite = Suite::named(&srtp.suite).ok_or_else(|| {
        let known = Suite::ALL.map(Suite::name).join(", ");
        format!("SRTP suite {} is not known here: use one of {known}", srtp.suite)
    })?;
    for (whose, key) in [("our", &srtp.ours), ("the far end's", &srtp.theirs)] {
        if !key.is_empty() && key.len() != suite.key_length() {
            let (length, wanted) = (key.len(), suite.key_length());
            return Err(format!("{whose} key for {} has {length} bytes: use {wanted}", srtp.suite));
        }
    }
    let theirs = Some(srtp.theirs.clone()).filter(|key| !key.is_empty());
    Ok(Keys { suite, ours: srtp.ours.clone(), theirs })
}

/// Our words are empty where they are to be made.
fn browser(webrtc: &media::Webrtc) -> Result<BrowserPlan, String> {
    for (whose, print) in [("our", &webrtc.fingerprint), ("the far end's", &webrtc.theirs)] {
        if !print.is_empty() && print.len() != FINGERPRINT {
            return Err(format!("{whose} fingerprint has {} bytes: use {FINGERPRINT}", print.len()));
        }
    }
    Ok(BrowserPlan {
        ufrag: webrtc.ufrag.clone(),
        pwd: webrtc.pwd.clone(),
        fingerprint: webrtc.fingerprint.clone(),
        may_shake: false,
        theirs: Some(webrtc.theirs.clone()).filter(|theirs| !theirs.is_empty()),
    })
}

fn formats(endpoint: &media::Endpoint) -> Result<Formats, String> {
    Ok(Formats {
        codec: endpoint.codec.as_ref().map(codec).transpose()?,
        accepts: endpoint.accepts.iter().map(codec).collect::<Result<_, _>>()?,
        events: events(endpoint)?,
        noise: endpoint.comfort_noise.map(payload_type).transpose()?,
    })
}

fn codec(codec: &media::Codec) -> Result<Codec, String> {
    let clock = if codec.clock_rate == 0 { RATE } else { codec.clock_rate };
    let encoding = Encoding::of(&codec.name, clock, codec.channels.unwrap_or(1)).ok_or_else(|| {
        let (name, clock) = (&codec.name, codec.clock_rate);
        format!("codec {name}/{clock} is not supported: use PCMA, PCMU, G722, G729 or opus")
    })?;
    let (payload_type, expected) = both_ways(codec.payload_type, codec.expected)?;
    Ok(Codec { encoding, payload_type, expected })
}

/// Those at 8000 Hz may be said by their number alone.
fn events(endpoint: &media::Endpoint) -> Result<Vec<Event>, String> {
    let plain = payload_type(endpoint.telephone_event)?;
    let mut events = Vec::new();
    for event in &endpoint.events {
        let (payload_type, expected) = both_ways(event.payload_type, event.expected)?;
        events.push(Event { clock: event.clock_rate, payload_type, expected });
    }
    if plain != 0 && events.iter().all(|event| event.clock != RATE) {
        events.push(Event { clock: RATE, payload_type: plain, expected: plain });
    }
    Ok(events)
}

/// What is sent under, and what is expected: the same unless it is said.
fn both_ways(sent: u32, expected: Option<u32>) -> Result<(u8, u8), String> {
    Ok((payload_type(sent)?, payload_type(expected.unwrap_or(sent))?))
}

fn payload_type(number: u32) -> Result<u8, String> {
    match u8::try_from(number) {
        Ok(number) if number < 128 => Ok(number),
        _ => Err(format!("{number} is no payload type: use 0 to 127")),
    }
}

fn hears(hears: Option<&Hears>, sounds: &Sounds, unix_us: u64) -> HearsPlan {
    match hears {
        None => HearsPlan::Silence,
        Some(Hears::Peer(peer)) => HearsPlan::Peer(peer.endpoint.as_str().into()),
        Some(Hears::Mix(mix)) => {
            HearsPlan::Mix(mix.endpoints.iter().map(|id| Arc::from(id.as_str())).collect())
        }
        Some(Hears::Echo(echo)) => {
            HearsPlan::Echo { delay_us: u64::from(echo.delay_ms.min(LONGEST_ECHO_MS)) * 1_000 }
        }
        Some(Hears::Conference(conference)) => {
            HearsPlan::Conference { is_muted: conference.muted, chimes: conference.chimes }
        }
        Some(Hears::Play(play)) => {
            let prompts: Arc<[_]> = play.prompts.iter().filter_map(|key| sounds.get(key).cloned()).collect();
            let since_1970 = if play.by_clock { unix_us / FRAME_US } else { 0 };
            let place = Playout::place_after(&prompts, since_1970);
            HearsPlan::Play { id: play.id.as_str().into(), prompts, repeat: play.repeat, place }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_rtp::g711::Law;

    use super::*;

    fn codec(payload_type: u32, name: &str) -> media::Codec {
        media::Codec { payload_type, name: name.into(), clock_rate: 8000, ..Default::default() }
    }

    fn endpoint(change: impl FnOnce(&mut media::Endpoint)) -> Result<EndpointPlan, String> {
        let mut endpoint = media::Endpoint {
            id: "leg".into(),
            remote: "192.0.2.1:4000".into(),
            signalled_from: "192.0.2.2".into(),
            codec: Some(codec(8, "pcma")),
            telephone_event: 101,
            ..Default::default()
        };
        change(&mut endpoint);
        plan(&endpoint, &Sounds::new(), 0)
    }

    /// So many frames of sound.
    fn sound(frames: usize) -> Arc<Prompt> {
        Arc::new(Prompt::new(&vec![0; frames * 160]))
    }

    fn playing(prompts: &str, repeat: bool, by_clock: bool) -> SetSession {
        let prompts = prompts.split_whitespace().map(str::to_owned).collect();
        let play = Play { id: "1".into(), prompts, repeat, by_clock };
        let endpoint = media::Endpoint { hears: Some(Hears::Play(play)), ..Default::default() };
        SetSession { endpoints: vec![endpoint], ..Default::default() }
    }

    #[test]
    fn a_sentence_is_said_whole_or_not_at_all_and_a_list_that_repeats_while_there_is_something() {
        let sounds: Sounds = ["a", "b"].map(|key| (key.to_owned(), sound(1))).into();
        for (prompts, once, over_and_over) in
            [("a b", true, true), ("a gone", false, true), ("gone gone-too", false, false), ("", true, true)]
        {
            assert_eq!(is_heard(&playing(prompts, false, false), &sounds), once, "{prompts}");
            assert_eq!(is_heard(&playing(prompts, true, true), &sounds), over_and_over, "{prompts}");
        }
        assert!(is_heard(&SetSession::default(), &Sounds::new()));
    }

    #[test]
    fn a_station_is_where_it_would_be_by_the_time_that_is_given() {
        let sounds: Sounds = [("a".to_owned(), sound(3)), ("b".to_owned(), sound(4))].into();
        for (by_clock, unix_us, expected) in
            [(true, 0, 0), (true, 5 * FRAME_US, 5), (true, 700 * FRAME_US + 9, 0), (false, 5 * FRAME_US, 0)]
        {
            let plans = endpoints(&playing("a b", true, by_clock), &sounds, unix_us).unwrap();
            let [EndpointPlan { hears: HearsPlan::Play { place, .. }, .. }] = &plans[..] else {
                panic!("{plans:?}")
            };
            assert_eq!(*place, expected, "{unix_us}");
        }
    }

    #[test]
    fn what_is_well_said_is_understood() {
        let plan = endpoint(|_| {}).unwrap();
        let plain = Codec { encoding: Encoding::G711(Law::A), payload_type: 8, expected: 8 };
        let digits = Event { clock: RATE, payload_type: 101, expected: 101 };
        let expected = Formats { codec: Some(plain), events: vec![digits], ..Formats::default() };
        assert_eq!(plan.formats, expected);
        assert_eq!(endpoint(|e| e.telephone_event = 0).unwrap().formats.events, []);
        assert_eq!(endpoint(|e| e.remote = "0.0.0.0:4000".into()).unwrap().remote, None);
        let with_port = endpoint(|e| e.signalled_from = "[2001:db8::1]:5060".into()).unwrap();
        assert_eq!(with_port.signalled.unwrap().to_string(), "2001:db8::1");
    }

    #[test]
    fn keys_are_of_a_suite_that_is_known_and_as_long_as_it_wants_them() {
        let keys = |suite: &str, ours: usize, theirs: usize| {
            let (ours, theirs) = (vec![1_u8; ours].into(), vec![2_u8; theirs].into());
            endpoint(|e| e.srtp = Some(media::Srtp { suite: suite.into(), ours, theirs }))
                .map(|plan| plan.keys)
        };
        let (name, length) = ("AEAD_AES_256_GCM", 44);
        assert_eq!(endpoint(|_| {}).unwrap().keys, None);
        let to_be_made = keys(name, 0, 0).unwrap().unwrap();
        assert_eq!((to_be_made.suite, to_be_made.ours.len(), to_be_made.theirs), (Suite::Gcm256, 0, None));
        let both = keys(name, length, length).unwrap().unwrap();
        assert_eq!((both.ours.len(), both.theirs.map(|key| key.len())), (length, Some(length)));
        assert!(keys("F8_128_HMAC_SHA1_80", 30, 30).unwrap_err().contains("AES_CM_128_HMAC_SHA1_80"));
        assert!(keys(name, 30, 0).unwrap_err().contains("our key") && keys(name, 0, 45).is_err());
    }

    /// Where it only relays for a moment, it does not know of the recording that is paused elsewhere.
    #[test]
    fn keys_of_a_pause_are_secret_also_at_a_node_that_only_relays() {
        let endpoint = media::Endpoint { id: "leg".into(), secret: true, ..Default::default() };
        let recording = Some(media::Recording { pause: Some(1), ..Default::default() });
        let set = SetSession { endpoints: vec![endpoint], recording, ..Default::default() };
        let relayed = relay_only(&set);
        let plans = endpoints(&relayed, &Sounds::new(), 0).unwrap();
        assert!(relayed.recording.is_none() && plans[0].secret);
    }

    #[test]
    fn who_faxes_has_no_formats() {
        let plan = endpoint(|e| (e.udptl, e.codec) = (true, None)).unwrap();
        assert_eq!((plan.udptl, plan.formats), (true, Formats::default()));
        assert!(!endpoint(|_| {}).unwrap().udptl);
    }

    #[test]
    fn payload_types_may_differ_by_direction_and_digits_by_clock() {
        let plan = endpoint(|e| {
            let name = "opus".into();
            let opus = media::Codec { payload_type: 96, name, clock_rate: 48_000, ..Default::default() };
            e.codec = Some(media::Codec { channels: Some(2), expected: Some(111), ..opus });
            e.accepts = vec![media::Codec { expected: Some(0), ..codec(97, "PCMU") }];
            e.events = [(8_000, 102, Some(101)), (48_000, 110, None)]
                .map(|(clock_rate, payload_type, expected)| media::TelephoneEvent {
                    payload_type,
                    clock_rate,
                    expected,
                })
                .into();
            (e.telephone_event, e.comfort_noise) = (102, Some(13));
        });
        let expected = Formats {
            codec: Some(Codec { encoding: Encoding::Opus, payload_type: 96, expected: 111 }),
            accepts: vec![Codec { encoding: Encoding::G711(Law::Mu), payload_type: 97, expected: 0 }],
            events: vec![
                Event { clock: 8_000, payload_type: 102, expected: 101 },
                Event { clock: 48_000, payload_type: 110, expected: 110 },
            ],
            noise: Some(13),
        };
        assert_eq!(plan.unwrap().formats, expected);
    }

    #[test]
    fn each_fault_is_named() {
        type Change = fn(&mut media::Endpoint);
        let cases: [(&str, Change); 7] = [
            ("remote `phone` is no address", |e| e.remote = "phone".into()),
            ("signalling source `phone` is no IP", |e| e.signalled_from = "phone".into()),
            ("codec speex/8000 is not supported", |e| e.codec.as_mut().unwrap().name = "speex".into()),
            ("codec pcma/16000 is not supported", |e| e.codec.as_mut().unwrap().clock_rate = 16_000),
            ("300 is no payload type", |e| e.telephone_event = 300),
            ("128 is no payload type", |e| e.codec.as_mut().unwrap().expected = Some(128)),
            ("codec opus/8000 is not supported", |e| e.accepts = vec![codec(96, "opus")]),
        ];
        for (expected, change) in cases {
            let error = endpoint(change).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let twice = SetSession {
            endpoints: vec![media::Endpoint::default(), media::Endpoint::default()],
            ..Default::default()
        };
        assert!(endpoints(&twice, &Sounds::new(), 0).is_err());
    }
}
