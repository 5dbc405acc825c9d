//! From the contract's words to a thread's plan: addresses and codecs are read here, so that threads get nothing that
//! can be wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use mangrove_proto::media::{self, SetSession, endpoint::Hears};
use mangrove_rtp::{RATE, g711::Law, prompt::Prompt};

use crate::thread::{Codec, EndpointPlan, HearsPlan};

/// Sounds by key.
pub(crate) type Sounds = BTreeMap<String, Arc<Prompt>>;

/// The keys of all sounds that the session plays.
pub(crate) fn keys(set: &SetSession) -> BTreeSet<&str> {
    let plays = set.endpoints.iter().filter_map(|endpoint| match &endpoint.hears {
        Some(Hears::Play(play)) => Some(&play.prompts),
        _ => None,
    });
    plays.flatten().map(String::as_str).collect()
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

/// The session as it is while another node still carries it: nobody plays or records twice.
pub(super) fn relay_only(set: &SetSession) -> SetSession {
    SetSession { recording: None, ..without_sounds(set) }
}

/// One plan per endpoint, in order, without sockets. The error says what can't be done.
pub(super) fn endpoints(set: &SetSession, sounds: &Sounds) -> Result<Vec<EndpointPlan>, String> {
    let mut ids = BTreeSet::new();
    for endpoint in &set.endpoints {
        if !ids.insert(&endpoint.id) {
            return Err(format!("endpoint `{}` is named twice", endpoint.id));
        }
    }
    set.endpoints.iter().map(|endpoint| plan(endpoint, sounds)).collect()
}

fn plan(endpoint: &media::Endpoint, sounds: &Sounds) -> Result<EndpointPlan, String> {
    Ok(EndpointPlan {
        id: endpoint.id.as_str().into(),
        sockets: None,
        remote: remote(&endpoint.remote)?,
        signalled: signalled(&endpoint.signalled_from)?,
        latched: endpoint.latched.parse().ok(),
        codec: endpoint.codec.as_ref().map(codec).transpose()?,
        event_type: payload_type(endpoint.telephone_event)?.filter(|kind| *kind != 0),
        send: endpoint.send,
        receive: endpoint.receive,
        hears: hears(endpoint.hears.as_ref(), sounds),
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

fn codec(codec: &media::Codec) -> Result<Codec, String> {
    let supported = codec.clock_rate == 0 || codec.clock_rate == RATE;
    let law = Law::of_name(&codec.name).filter(|_| supported);
    match (law, payload_type(codec.payload_type)?) {
        (Some(law), Some(payload_type)) => Ok(Codec { law, payload_type }),
        _ => Err(format!(
            "codec {}/{} is not supported: use PCMA or PCMU at 8000",
            codec.name, codec.clock_rate
        )),
    }
}

fn payload_type(number: u32) -> Result<Option<u8>, String> {
    match u8::try_from(number) {
        Ok(number) if number < 128 => Ok(Some(number)),
        _ => Err(format!("{number} is no payload type: use 0 to 127")),
    }
}

fn hears(hears: Option<&Hears>, sounds: &Sounds) -> HearsPlan {
    match hears {
        None => HearsPlan::Silence,
        Some(Hears::Peer(peer)) => HearsPlan::Peer(peer.endpoint.as_str().into()),
        Some(Hears::Play(play)) => HearsPlan::Play {
            id: play.id.as_str().into(),
            prompts: play.prompts.iter().filter_map(|key| sounds.get(key).cloned()).collect(),
            repeat: play.repeat,
            place: 0,
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn endpoint(change: impl FnOnce(&mut media::Endpoint)) -> Result<EndpointPlan, String> {
        let mut endpoint = media::Endpoint {
            id: "leg".into(),
            remote: "192.0.2.1:4000".into(),
            signalled_from: "192.0.2.2".into(),
            codec: Some(media::Codec { payload_type: 8, name: "pcma".into(), clock_rate: 8000 }),
            telephone_event: 101,
            ..Default::default()
        };
        change(&mut endpoint);
        plan(&endpoint, &Sounds::new())
    }

    #[test]
    fn what_is_well_said_is_understood() {
        let plan = endpoint(|_| {}).unwrap();
        assert_eq!(plan.codec, Some(Codec { law: Law::A, payload_type: 8 }));
        assert_eq!(plan.event_type, Some(101));
        assert_eq!(endpoint(|e| e.telephone_event = 0).unwrap().event_type, None);
        assert_eq!(endpoint(|e| e.remote = "0.0.0.0:4000".into()).unwrap().remote, None);
        let with_port = endpoint(|e| e.signalled_from = "[2001:db8::1]:5060".into()).unwrap();
        assert_eq!(with_port.signalled.unwrap().to_string(), "2001:db8::1");
    }

    #[test]
    fn each_fault_is_named() {
        type Change = fn(&mut media::Endpoint);
        let cases: [(&str, Change); 5] = [
            ("remote `phone` is no address", |e| e.remote = "phone".into()),
            ("signalling source `phone` is no IP", |e| e.signalled_from = "phone".into()),
            ("codec G729/8000 is not supported", |e| e.codec.as_mut().unwrap().name = "G729".into()),
            ("codec pcma/16000 is not supported", |e| e.codec.as_mut().unwrap().clock_rate = 16_000),
            ("300 is no payload type", |e| e.telephone_event = 300),
        ];
        for (expected, change) in cases {
            let error = endpoint(change).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let twice = SetSession {
            endpoints: vec![media::Endpoint::default(), media::Endpoint::default()],
            ..Default::default()
        };
        assert!(endpoints(&twice, &Sounds::new()).is_err());
    }
}
