//! Two people who talk through a node, are recorded, and talk on through the next one.

use std::net::SocketAddr;

use mangrove_proto::media::{Endpoint, SetSession};
use mangrove_rtp::{g711::Law, tone};

use crate::{phone::Phone, support::*};

/// The tones of `a` and `b`.
const TONES: [f64; 2] = [440.0, 1000.0];

pub(crate) struct Talk {
    pub(crate) a: Phone,
    pub(crate) b: Phone,
    set: SetSession,
    ours: Vec<SocketAddr>,
}

/// The session with the ports that it had.
pub(crate) fn on_ports(set: SetSession, ours: &[SocketAddr]) -> SetSession {
    let ports = ours.iter().map(|address| u32::from(address.port()));
    let endpoints = set.endpoints.iter().zip(ports).map(|(e, port)| Endpoint { port, ..e.clone() });
    SetSession { endpoints: endpoints.collect(), ..set }
}

impl Talk {
    /// They hear each other through the node, which records them as `r` in version 3 of the session.
    pub(crate) async fn through(node: &Node) -> Self {
        let (mut a, mut b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
        let (ea, eb) = (endpoint("a", Law::A, a.address()), endpoint("b", Law::A, b.address()));
        let set = recording(bridged(3, ea, eb), "r", "a", "b");
        let ours = node.ready(set.clone()).await;
        a.talk(ours[0], TONES[0]);
        b.talk(ours[1], TONES[1]);
        let talk = Self { a, b, set, ours };
        talk.is_heard().await;
        talk
    }

    /// They hear each other from now on, whatever they have heard so far.
    pub(crate) async fn goes_on(&self) {
        self.a.forget();
        self.b.forget();
        self.is_heard().await;
    }

    async fn is_heard(&self) {
        let [a, b] = TONES;
        until("they hear each other", || self.a.hears(b, a) && self.b.hears(a, b)).await;
    }

    /// What the node's addresses are.
    pub(crate) fn ours(&self) -> &[SocketAddr] {
        &self.ours
    }

    /// The same session for another node, with the ports that it has.
    pub(crate) fn again(&self) -> SetSession {
        on_ports(self.set.clone(), &self.ours)
    }

    /// The end of the session, for a node that may never have had it.
    pub(crate) fn over(&self) -> SetSession {
        SetSession { recording: self.set.recording.clone(), ..close(4) }
    }
}

/// Each is on their own side of this part of a recording.
pub(crate) fn is_on_both_sides([left, right]: &[Vec<i16>; 2], part: std::ops::Range<usize>) -> bool {
    let level = |side: &[i16], hertz| tone::level(&side[part.clone()], hertz);
    level(left, TONES[0]) > 2500.0 && level(right, TONES[1]) > 2500.0
}
